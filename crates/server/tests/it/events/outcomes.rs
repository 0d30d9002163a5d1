//! What becomes of each entry.

use api::v1::event_result::Outcome;
use api::v1::{Event, EventEntry, EventKind, Fallback};
use prost_types::Timestamp;
use tonic::Code;

use super::{bought, entry, has, outcomes, record, retraction, shelf};
use crate::running::{self, Running};

fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    now.as_secs() as i64
}

#[tokio::test]
async fn what_is_acknowledged_is_in_the_next_answer() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let nobody = shelf(&running, "ann", 0).await;
    assert_eq!((nobody.fallback(), nobody.user_revision), (Fallback::UnknownUser, 0));
    let results = record(&running, vec![entry(bought("ann", 4, "one"))]).await.unwrap();
    assert_eq!(outcomes(&results), [Outcome::Stored]);
    let result = &results[0];
    assert_eq!(
        (result.event_id.as_str(), result.new_user, result.unknown_book),
        ("one", true, false)
    );
    let known = shelf(&running, "ann", 0).await;
    assert_eq!(known.fallback(), Fallback::Unspecified);
    assert!(!has(&known, 4) && !known.stale);
    assert_eq!(known.user_revision, result.user_revision);
    let more = record(&running, vec![entry(bought("ann", 5, "two"))]).await.unwrap();
    assert!(more[0].user_revision > result.user_revision && !more[0].new_user);
    let next = shelf(&running, "ann", more[0].user_revision).await;
    assert!(!has(&next, 4) && !has(&next, 5));
    assert_eq!(next.user_revision, more[0].user_revision);
    running.stop().await;
}

#[tokio::test]
async fn what_is_sent_again_is_stored_once() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let first = || vec![entry(bought("ann", 4, "one"))];
    let stored = record(&running, first()).await.unwrap();
    // Without a time, so that the server's own is another one.
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    let again = record(&running, first()).await.unwrap();
    assert_eq!(outcomes(&again), [Outcome::Repeated]);
    assert_eq!(again[0].user_revision, stored[0].user_revision);
    let other = record(&running, vec![entry(bought("ann", 5, "one"))]).await.unwrap();
    assert_eq!(outcomes(&other), [Outcome::Conflicting]);
    let shelf = shelf(&running, "ann", 0).await;
    assert!(!has(&shelf, 4) && has(&shelf, 5));
    running.stop().await;
}

#[tokio::test]
async fn a_retraction_takes_its_event_back_and_nothing_else() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let entries = vec![
        retraction("ann", "one"),
        entry(bought("ann", 4, "one")),
        entry(bought("ann", 6, "two")),
        retraction("ann", "one"),
        retraction("ann", "one"),
        entry(bought("ann", 4, "one")),
    ];
    use Outcome::{NotFound, Repeated, Retracted, RetractedBefore, Stored};
    let results = record(&running, entries).await.unwrap();
    let expected = [NotFound, Stored, Stored, Retracted, RetractedBefore, Repeated];
    assert_eq!(outcomes(&results), expected);
    let known = shelf(&running, "ann", 0).await;
    assert!(has(&known, 4) && !has(&known, 6));
    // The entry of somebody who is in memory.
    let results = record(&running, vec![retraction("ann", "two")]).await.unwrap();
    assert_eq!(outcomes(&results), [Retracted]);
    let known = shelf(&running, "ann", 0).await;
    assert!(has(&known, 6));
    assert_eq!(known.fallback(), Fallback::UnknownUser);
    running.stop().await;
}

#[tokio::test]
async fn a_retraction_makes_nobody_known() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let entries = || {
        vec![
            retraction("nobody", "one"),
            retraction("ann", "one"),
            entry(bought("ann", 4, "one")),
            retraction("nobody", "two"),
        ]
    };
    use Outcome::{NotFound, Repeated, Retracted, Stored};
    // The second time, the first retraction of ann's finds the event of the first time.
    let expected =
        [[NotFound, NotFound, Stored, NotFound], [NotFound, Retracted, Repeated, NotFound]];
    for (expected, is_new) in expected.into_iter().zip([true, false]) {
        let results = record(&running, entries()).await.unwrap();
        assert_eq!(outcomes(&results), expected);
        let new: Vec<bool> = results.iter().map(|result| result.new_user).collect();
        assert_eq!(new, [true, is_new, false, false]);
    }
    let store = running::store(folder.path()).await;
    assert_eq!(store.user_number("nobody").await.unwrap(), None);
    assert!(store.user_number("ann").await.unwrap().is_some());
    store.close().await;
    running.stop().await;
}

#[tokio::test]
async fn an_entry_that_is_not_valid_is_refused_by_itself() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let good = || bought("ann", 4, "one");
    let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
    let rating = |rating| Event { kind: EventKind::Rating.into(), rating, ..good() };
    let bad = [
        (Event { event_id: String::new(), ..good() }, "event.event_id"),
        (Event { user_id: "x".repeat(65), ..good() }, "event.user_id"),
        (Event { book_id: "\n".to_owned(), ..good() }, "event.book_id"),
        (Event { kind: 0, ..good() }, "event.kind"),
        (Event { kind: 11, ..good() }, "event.kind"),
        (Event { rating: 4.0, ..good() }, "event.rating"),
        (rating(0.0), "event.rating"),
        (rating(5.5), "event.rating"),
        (rating(3.25), "event.rating"),
        (rating(f64::NAN), "event.rating"),
        (Event { event_time: at(now() + 400), ..good() }, "event.event_time"),
        (Event { event_time: at(now() - 3661 * 86_400), ..good() }, "event.event_time"),
        (Event { event_time: at(i64::MIN), ..good() }, "event.event_time"),
        (Event { event_time: at(i64::MAX), ..good() }, "event.event_time"),
        (Event { attribution_token: "x".repeat(513), ..good() }, "event.attribution_token"),
        (Event { attribution_token: "a\0b".to_owned(), ..good() }, "event.attribution_token"),
    ];
    let mut entries: Vec<EventEntry> = bad.iter().map(|(event, _)| entry(event.clone())).collect();
    entries.push(EventEntry { entry: None });
    entries.push(retraction("", "one"));
    entries.push(entry(Event { event_time: at(now() + 200), ..good() }));
    entries.push(entry(Event { event_id: "two".to_owned(), ..rating(4.5) }));
    let results = record(&running, entries).await.unwrap();
    let fields = bad.iter().map(|(_, field)| *field).chain(["entry", "retraction.user_id"]);
    for (result, field) in results.iter().zip(fields) {
        assert_eq!((result.outcome(), result.user_revision), (Outcome::Invalid, 0), "{field}");
        let found: Vec<&str> = result.violations.iter().map(|one| one.field.as_str()).collect();
        assert_eq!(found, [field]);
        assert!(result.violations[0].description.contains("expected"), "{result:?}");
    }
    assert_eq!(outcomes(&results[18..]), [Outcome::Stored, Outcome::Stored]);
    assert!(!has(&shelf(&running, "ann", 0).await, 4));
    for entries in [vec![], vec![entry(good()); 1001]] {
        let refused = record(&running, entries).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
    }
    let thousand = (0..1000).map(|number| entry(bought("bob", 4, &number.to_string())));
    let results = record(&running, thousand.collect()).await.unwrap();
    assert!(results.iter().all(|result| result.outcome() == Outcome::Stored));
    running.stop().await;
}

#[tokio::test]
async fn an_event_of_a_book_that_is_not_there_yet_waits_for_it() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let results = record(&running, vec![entry(bought("ann", 77, "one"))]).await.unwrap();
    assert_eq!((results[0].outcome(), results[0].unknown_book), (Outcome::Stored, true));
    assert_eq!(shelf(&running, "ann", 0).await.fallback(), Fallback::NoHistory);
    let store = running::store(folder.path()).await;
    running::add_book(&store, 77).await;
    store.close().await;
    running.live.renew().await.unwrap();
    let shelf = shelf(&running, "bob", 0).await;
    assert!(has(&shelf, 77));
    assert!(!has(&super::shelf(&running, "ann", 0).await, 77));
    let results = record(&running, vec![entry(bought("ann", 77, "two"))]).await.unwrap();
    assert!(!results[0].unknown_book);
    running.stop().await;
}

#[tokio::test]
async fn an_impression_is_no_part_of_a_history() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let shown = || Event { kind: EventKind::Impression.into(), ..bought("ann", 4, "one") };
    let results = record(&running, vec![entry(shown()), entry(shown())]).await.unwrap();
    assert_eq!(outcomes(&results), [Outcome::Stored, Outcome::Repeated]);
    // An id of its own kind: events are counted apart.
    let results = record(&running, vec![entry(bought("ann", 6, "one"))]).await.unwrap();
    assert_eq!(outcomes(&results), [Outcome::Stored]);
    let shelf = shelf(&running, "ann", 0).await;
    assert!(has(&shelf, 4) && !has(&shelf, 6));
    running.stop().await;
}
