//! Users as a whole: exported, deleted, merged.

use api::v1::event_service_client::EventServiceClient;
use api::v1::user_service_client::UserServiceClient;
use api::v1::{
    DeleteUserRequest, Event, EventEntry, EventKind, ExportUserRequest, ExportUserResponse,
    Fallback, MergeUsersRequest, MergeUsersResponse, RecommendRequest, RecordEventsRequest,
    Retraction, StoredEvent, event_entry,
};
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::running::{self, Running};

fn client(running: &Running) -> UserServiceClient<Channel> {
    UserServiceClient::new(running.channel.clone())
}

async fn record(running: &Running, entries: Vec<event_entry::Entry>) {
    let mut client = EventServiceClient::new(running.channel.clone());
    let entries = entries.into_iter().map(|entry| EventEntry { entry: Some(entry) }).collect();
    client.record_events(RecordEventsRequest { entries }).await.unwrap();
}

fn event(user: &str, id: &str, book: &str, kind: EventKind) -> event_entry::Entry {
    event_entry::Entry::Event(Event {
        event_id: id.to_owned(),
        user_id: user.to_owned(),
        book_id: book.to_owned(),
        kind: kind.into(),
        ..Event::default()
    })
}

fn retraction(user: &str, id: &str) -> event_entry::Entry {
    let (user_id, event_id) = (user.to_owned(), id.to_owned());
    event_entry::Entry::Retraction(Retraction { user_id, event_id })
}

async fn export(running: &Running, user: &str) -> Result<Vec<ExportUserResponse>, Status> {
    let request = ExportUserRequest { user_id: user.to_owned() };
    let mut answers = client(running).export_user(request).await?.into_inner();
    let mut all = Vec::new();
    while let Some(answer) = answers.message().await? {
        all.push(answer);
    }
    Ok(all)
}

/// The events of an export as id, book, kind and whether they were retracted, by id.
fn told(answers: &[ExportUserResponse]) -> Vec<(String, String, EventKind, bool)> {
    let one = |stored: &StoredEvent| {
        let event = stored.event.as_ref().unwrap();
        (event.event_id.clone(), event.book_id.clone(), event.kind(), stored.retracted)
    };
    let mut events: Vec<_> = answers.iter().flat_map(|answer| &answer.events).map(one).collect();
    events.sort_unstable_by(|left, right| left.0.cmp(&right.0));
    events
}

async fn delete(running: &Running, user: &str) -> Result<i64, Status> {
    let request = DeleteUserRequest { user_id: user.to_owned() };
    Ok(client(running).delete_user(request).await?.into_inner().deleted_event_count)
}

async fn merge(running: &Running, from: &str, into: &str) -> Result<MergeUsersResponse, Status> {
    let (source_user_id, target_user_id) = (from.to_owned(), into.to_owned());
    let request = MergeUsersRequest { source_user_id, target_user_id };
    Ok(client(running).merge_users(request).await?.into_inner())
}

/// The ids recommended to a user, and why they are not the user's own.
async fn recommended(running: &Running, user: &str) -> (Vec<String>, Fallback) {
    let request = RecommendRequest {
        user_id: user.to_owned(),
        max_results: 100,
        ..RecommendRequest::default()
    };
    let answer = running.v1().recommend(request).await.unwrap().into_inner();
    let ids = answer.books.iter().map(|one| one.book.as_ref().unwrap().id.clone()).collect();
    (ids, answer.fallback())
}

#[tokio::test]
async fn an_export_holds_everything_there_is_of_a_user() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    record(
        &running,
        vec![
            event("zoë", "a", "1", EventKind::Purchase),
            event("zoë", "b", "not here yet", EventKind::View),
            event("zoë", "c", "2", EventKind::Impression),
            event("other", "a", "3", EventKind::Purchase),
            retraction("zoë", "a"),
        ],
    )
    .await;
    let answers = export(&running, "zoë").await.unwrap();
    let expected = [
        ("a", "1", EventKind::Purchase, true),
        ("b", "not here yet", EventKind::View, false),
        ("c", "2", EventKind::Impression, false),
    ];
    let expected =
        expected.map(|(id, book, kind, gone)| (id.to_owned(), book.to_owned(), kind, gone));
    assert_eq!(told(&answers), expected);
    assert_eq!(export(&running, "nobody").await.unwrap_err().code(), Code::NotFound);
    // What was imported has ids that are no text.
    assert_eq!(told(&export(&running, "1").await.unwrap()).len(), 10);
    running.stop().await;
}

#[tokio::test]
async fn a_deleted_user_is_unknown_from_the_next_answer_on() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    record(
        &running,
        vec![
            event("ann", "a", "1", EventKind::Purchase),
            event("ann", "b", "2", EventKind::Impression),
        ],
    )
    .await;
    assert_eq!(recommended(&running, "ann").await.1, Fallback::Unspecified);
    assert_eq!(delete(&running, "ann").await.unwrap(), 1);
    let (books, fallback) = recommended(&running, "ann").await;
    assert_eq!(fallback, Fallback::UnknownUser);
    assert!(books.contains(&"1".to_owned()));
    assert_eq!(delete(&running, "ann").await.unwrap_err().code(), Code::NotFound);
    assert_eq!(export(&running, "ann").await.unwrap_err().code(), Code::NotFound);
    assert_eq!(delete(&running, "").await.unwrap_err().code(), Code::InvalidArgument);

    // Somebody new with the same id begins anew.
    record(&running, vec![event("ann", "a", "3", EventKind::Purchase)]).await;
    assert_eq!(told(&export(&running, "ann").await.unwrap()).len(), 1);
    running.stop().await;
}

#[tokio::test]
async fn a_session_becomes_part_of_the_account_that_it_signed_in_to() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    record(
        &running,
        vec![
            event("visitor", "1", "1", EventKind::Purchase),
            event("visitor", "2", "3", EventKind::Purchase),
            event("ann", "1", "5", EventKind::Purchase),
        ],
    )
    .await;
    let merged = merge(&running, "visitor", "ann").await.unwrap();
    assert_eq!((merged.moved_event_count, merged.repeated_event_count), (1, 1));
    let again = merge(&running, "visitor", "ann").await.unwrap();
    assert_eq!((again.moved_event_count, again.repeated_event_count), (0, 0));
    assert!(again.user_revision >= merged.user_revision);

    // What still comes for the visitor is Ann's.
    record(&running, vec![event("visitor", "3", "7", EventKind::Purchase)]).await;
    let (books, _) = recommended(&running, "ann").await;
    for had in ["3", "5", "7"] {
        assert!(!books.contains(&had.to_owned()), "{had}");
    }
    assert_eq!(recommended(&running, "visitor").await.0, books);
    let answers = export(&running, "ann").await.unwrap();
    assert_eq!(answers[0].merged_user_ids, ["visitor"]);
    assert_eq!(told(&answers).len(), 3);

    for (from, into) in [("ann", "visitor"), ("visitor", "bob")] {
        let refused = merge(&running, from, into).await.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition, "{from} into {into}");
    }
    let refused = merge(&running, "ann", "ann").await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);

    // Only all of it can be deleted: who it was that did what is not known any more.
    let refused = delete(&running, "visitor").await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    // With the account go all who were part of it.
    assert_eq!(delete(&running, "ann").await.unwrap(), 3);
    assert_eq!(recommended(&running, "visitor").await.1, Fallback::UnknownUser);
    running.stop().await;
}
