//! `StreamEvents`.

use std::time::Duration;

use api::v1::event_result::Outcome;
use api::v1::{EventEntry, EventResult, StreamEventsRequest, StreamEventsResponse};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt as _;

use super::{bought, entry, has, outcomes, record, retraction, settings, shelf};
use crate::running::{self, Running};

/// A stream with its client's side.
struct Talk {
    requests: Option<mpsc::Sender<StreamEventsRequest>>,
    answers: Streaming<StreamEventsResponse>,
}

impl Talk {
    async fn open(running: &Running) -> Self {
        let (requests, stream) = mpsc::channel(1);
        let answers = running.events().stream_events(ReceiverStream::new(stream)).await.unwrap();
        Self { requests: Some(requests), answers: answers.into_inner() }
    }

    async fn send(&self, entries: Vec<EventEntry>) {
        self.requests.as_ref().unwrap().send(StreamEventsRequest { entries }).await.unwrap();
    }

    fn end(&mut self) {
        self.requests = None;
    }

    /// Reads so many results.
    async fn results(&mut self, count: usize) -> Vec<EventResult> {
        let mut results = Vec::new();
        while results.len() < count {
            results.extend(self.answers.message().await.unwrap().unwrap().results);
        }
        assert_eq!(results.len(), count);
        results
    }

    /// Reads to the end.
    async fn rest(&mut self) -> (Vec<EventResult>, Result<(), Status>) {
        let mut results = Vec::new();
        loop {
            match self.answers.message().await {
                Ok(Some(answer)) => results.extend(answer.results),
                Ok(None) => return (results, Ok(())),
                Err(status) => return (results, Err(status)),
            }
        }
    }
}

#[tokio::test]
async fn results_come_in_order_and_a_half_closed_stream_ends_well_after_the_last() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let mut talk = Talk::open(&running).await;
    let ids: Vec<String> = (0..3000).map(|number| format!("event-{number}")).collect();
    let sent = ids.clone();
    let requests = talk.requests.take().unwrap();
    let sending = tokio::spawn(async move {
        for ids in sent.chunks(7) {
            let event = |id: &String| entry(bought(&format!("user-{}", id.len()), 4, id));
            let entries = ids.iter().map(event).collect();
            requests.send(StreamEventsRequest { entries }).await.unwrap();
        }
    });
    let (results, end) = talk.rest().await;
    sending.await.unwrap();
    end.unwrap();
    let told: Vec<&str> = results.iter().map(|result| result.event_id.as_str()).collect();
    assert_eq!(told, ids);
    assert!(results.iter().all(|result| result.outcome() == Outcome::Stored));
    assert!(results.is_sorted_by_key(|result| result.user_revision));
    running.stop().await;
}

#[tokio::test]
async fn each_result_of_a_stream_is_in_the_next_answer() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let mut talk = Talk::open(&running).await;
    for book in 4..9 {
        let id = book.to_string();
        talk.send(vec![entry(bought("ann", book, &id))]).await;
        assert_eq!(outcomes(&talk.results(1).await), [Outcome::Stored]);
        assert!(!has(&shelf(&running, "ann", 0).await, book));
        talk.send(vec![retraction("ann", &id), EventEntry { entry: None }]).await;
        let expected = [Outcome::Retracted, Outcome::Invalid];
        assert_eq!(outcomes(&talk.results(2).await), expected);
        assert!(has(&shelf(&running, "ann", 0).await, book));
    }
    talk.send(vec![EventEntry { entry: None }]).await;
    assert_eq!(outcomes(&talk.results(1).await), [Outcome::Invalid]);
    // A request that is refused as a whole ends the stream, after the results before it.
    talk.send(vec![entry(bought("ann", 9, "nine"))]).await;
    talk.send(vec![]).await;
    let (results, end) = talk.rest().await;
    assert_eq!(outcomes(&results), [Outcome::Stored]);
    assert_eq!(end.unwrap_err().code(), Code::InvalidArgument);
    running.stop().await;
}

#[tokio::test]
async fn a_client_who_reads_no_results_is_not_read_from() {
    let folder = running::full_shop().await;
    let settings = settings("[events]\nstream_entries_max = 50");
    let running = Running::start_with(folder.path(), settings).await;
    let talk = Talk::open(&running).await;
    let mut sent = 0;
    // Long ids come back with the results, and nobody reads them.
    let id = |number: u32| format!("{number:064}");
    let batch = |sent: u32| (0..500).map(move |number| entry(bought("ann", 4, &id(sent + number))));
    let full = async {
        loop {
            talk.send(batch(sent).collect()).await;
            sent += 500;
            assert!(sent < 1_000_000, "the stream takes everything");
        }
    };
    tokio::pin!(full);
    timeout(Duration::from_secs(3), &mut full).await.unwrap_err();
    // Others are served meanwhile.
    let others = record(&running, vec![entry(bought("bob", 4, "one"))]).await.unwrap();
    assert_eq!(outcomes(&others), [Outcome::Stored]);
    running.stop().await;
}

#[tokio::test]
async fn only_so_many_events_of_streams_wait_for_room_and_these_are_taken_in_the_end() {
    let folder = running::full_shop().await;
    let text = "[events]\nqueue_entries_max = 2000\nwaiting_entries_max = 1000\n\
                write_timeout_ms = 60000\nwait_timeout_ms = 60000";
    let running = Running::start_with(folder.path(), settings(text)).await;
    // Another process writes: a request is with the writer, one in the queue, one waits for room.
    let store = running::store(folder.path()).await;
    let writer = store.begin().await.unwrap();
    let mut streams = tokio::task::JoinSet::new();
    for stream in 0..5 {
        let mut talk = Talk::open(&running).await;
        let user = format!("user-{stream}");
        let event = |number: u32| entry(bought(&user, 4, &format!("event-{number}")));
        talk.send((0..1000).map(event).collect()).await;
        talk.end();
        streams.spawn(async move { talk.rest().await });
    }
    let mut refused = 0;
    while refused < 2 {
        let (results, end) = streams.join_next().await.unwrap().unwrap();
        check_refused(&results, &end.unwrap_err());
        refused += 1;
    }
    writer.rollback().await.unwrap();
    store.close().await;
    while let Some(stream) = streams.join_next().await {
        let (results, end) = stream.unwrap();
        match end {
            Ok(()) => assert_eq!(outcomes(&results), [Outcome::Stored; 1000]),
            Err(status) => {
                check_refused(&results, &status);
                refused += 1;
            }
        }
    }
    // A third, if the writer had not yet taken the first when it came.
    assert!(refused <= 3, "{refused}");
    running.stop().await;
}

fn check_refused(results: &[EventResult], status: &Status) {
    assert_eq!((results.len(), status.code()), (0, Code::ResourceExhausted), "{status:?}");
    assert_eq!(status.get_details_error_info().unwrap().reason, "EVENTS_WAITING_LIMIT");
    assert!(status.get_details_retry_info().unwrap().retry_delay.is_some());
}

#[tokio::test]
async fn at_the_stop_open_streams_tell_what_is_durable_and_end() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let mut talk = Talk::open(&running).await;
    talk.send(vec![entry(bought("ann", 4, "one"))]).await;
    assert_eq!(outcomes(&talk.results(1).await), [Outcome::Stored]);
    talk.send(vec![entry(bought("ann", 5, "two"))]).await;
    let stopping = tokio::spawn(running.stop());
    let (results, end) = talk.rest().await;
    assert_eq!(end.unwrap_err().code(), Code::Unavailable);
    stopping.await.unwrap();
    talk.end();
    let store = running::store(folder.path()).await;
    let ann = store.user_number("ann").await.unwrap().unwrap();
    assert!(store.history(ann, 10).await.unwrap().events.len() > results.len());
    store.close().await;
}
