//! Streams that are open when their callers may not call any more.

use std::path::Path;
use std::time::Duration;

use api::v1::catalog_service_client::CatalogServiceClient;
use api::v1::event_service_client::EventServiceClient;
use api::v1::{
    Book, Event, EventEntry, EventKind, ImportBooksRequest, ImportBooksResponse,
    StreamEventsRequest, StreamEventsResponse, event_entry::Entry,
};
use server::access::Role;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::AsciiMetadataValue;
use tonic::{Code, Request, Status, Streaming};
use tonic_types::StatusExt as _;

use super::tokens::Issuer;
use super::{call, create, now_ms, refusal, revoke, settings};
use crate::running::{self, Running, until};

const SOON: Duration = Duration::from_secs(30);

/// A stream and whoever sends on it.
struct Talk<Q, A> {
    requests: mpsc::Sender<Q>,
    answers: Streaming<A>,
}

type Events = Talk<StreamEventsRequest, StreamEventsResponse>;
type Import = Talk<ImportBooksRequest, ImportBooksResponse>;

fn with<T>(credential: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let value = AsciiMetadataValue::try_from(format!("Bearer {credential}")).unwrap();
    request.metadata_mut().insert("authorization", value);
    request
}

impl Events {
    async fn open(running: &Running, credential: &str) -> Self {
        let (requests, stream) = mpsc::channel(8);
        let request = with(credential, ReceiverStream::new(stream));
        let mut client = EventServiceClient::new(running.channel.clone());
        let answers = client.stream_events(request).await.unwrap().into_inner();
        Self { requests, answers }
    }
}

impl Import {
    async fn open(running: &Running, credential: &str) -> Self {
        let (requests, stream) = mpsc::channel(8);
        let request = with(credential, ReceiverStream::new(stream));
        let mut client = CatalogServiceClient::new(running.channel.clone());
        let answers = client.import_books(request).await.unwrap().into_inner();
        Self { requests, answers }
    }
}

impl<Q, A> Talk<Q, A> {
    async fn ask(&mut self, request: Q) -> A {
        self.requests.send(request).await.unwrap();
        self.answers.message().await.unwrap().unwrap()
    }

    /// How it ends, although its client says nothing.
    async fn end(&mut self) -> Status {
        timeout(SOON, self.answers.message()).await.unwrap().map(drop).unwrap_err()
    }
}

fn purchase(event_id: &str) -> StreamEventsRequest {
    let event = Event {
        event_id: event_id.to_owned(),
        user_id: "ann".to_owned(),
        book_id: "4".to_owned(),
        kind: EventKind::Purchase.into(),
        ..Event::default()
    };
    StreamEventsRequest { entries: vec![EventEntry { entry: Some(Entry::Event(event)) }] }
}

fn book(id: &str) -> ImportBooksRequest {
    let book = Book { id: id.to_owned(), title: "A Book".to_owned(), ..Book::default() };
    ImportBooksRequest { books: vec![book] }
}

fn check(status: &Status, reason: &str) {
    assert_eq!(status.code(), Code::Unauthenticated, "{status:?}");
    assert_eq!(status.get_details_error_info().unwrap().reason, reason);
    assert!(status.message().contains("expected"), "{status:?}");
}

/// How many events of ann are stored.
async fn stored_events(folder: &Path) -> usize {
    let store = running::store(folder).await;
    let ann = store.user_number("ann").await.unwrap().unwrap();
    let events = store.history(ann, 100_000).await.unwrap().events.len();
    store.close().await;
    events
}

#[tokio::test]
async fn streams_end_when_their_key_is_revoked_and_take_nothing_more() {
    let folder = running::full_shop().await;
    let path = folder.path();
    let key = create(path, &Role::ALL, None).await;
    let other = create(path, &Role::ALL, None).await;
    let running = Running::start_with(path, settings(path, "[access]\napi_keys = true")).await;
    let mut idle = Events::open(&running, key.reveal()).await;
    let mut busy = Events::open(&running, key.reveal()).await;
    let mut others = Events::open(&running, other.reveal()).await;
    let mut import = Import::open(&running, key.reveal()).await;
    assert_eq!(idle.ask(purchase("one")).await.results.len(), 1);
    assert_eq!(import.ask(book("new-1")).await.created_count, 1);

    revoke(path, &key).await;
    let mut acknowledged = 0;
    let end = loop {
        let id = format!("busy-{acknowledged}");
        // Where the stream has ended already, there is nobody to be sent to.
        let _ = busy.requests.send(purchase(&id)).await;
        match timeout(SOON, busy.answers.message()).await.unwrap() {
            Ok(answer) => acknowledged += answer.unwrap().results.len(),
            Err(status) => break status,
        }
    };
    check(&end, "CREDENTIALS_INVALID");
    check(&idle.end().await, "CREDENTIALS_INVALID");
    let _ = import.requests.send(book("new-2")).await;
    check(&import.end().await, "CREDENTIALS_INVALID");
    assert_eq!(others.ask(purchase("another")).await.results.len(), 1);
    running.stop().await;
    // What was acknowledged on the three streams, and nothing else.
    assert_eq!(stored_events(path).await, acknowledged + 2);
    let store = running::store(path).await;
    let books = store.books_after(None, 100).await.unwrap();
    assert!(books.iter().any(|book| book.id == "new-1"));
    assert!(books.iter().all(|book| book.id != "new-2"));
    store.close().await;
}

#[tokio::test]
async fn no_stream_outlives_what_refuses_new_calls() {
    let folder = running::full_shop().await;
    let path = folder.path();
    let key = create(path, &Role::ALL, None).await;
    let running = Running::start_with(path, settings(path, "[access]\napi_keys = true")).await;
    let mut stream = Events::open(&running, key.reveal()).await;
    stream.ask(purchase("one")).await;
    revoke(path, &key).await;
    let credential = format!("Bearer {}", key.reveal());
    until(async || {
        let method = "/foreword.v1.RecommendationService/Trending";
        refusal(&call(&running.channel, method, &[&credential]).await).is_some()
    })
    .await;
    let _ = stream.requests.send(purchase("two")).await;
    check(&stream.end().await, "CREDENTIALS_INVALID");
    running.stop().await;
    assert_eq!(stored_events(path).await, 1);
}

#[tokio::test]
async fn streams_end_when_their_token_expires_or_its_key_goes() {
    let folder = running::full_shop().await;
    let path = folder.path();
    let file = path.join("keys.json");
    let issuer = Issuer::new();
    std::fs::write(&file, issuer.key_set()).unwrap();
    let text = format!("[access]\njwt_keys = {file:?}\njwt_leeway_ms = 0");
    let running = Running::start_with(path, settings(path, &text)).await;
    let claims = |ms: i64| {
        let end = (now_ms() + ms) as f64 / 1000.0;
        format!(r#"{{"sub": "ann", "exp": {end}, "roles": ["writer"]}}"#)
    };
    let opened = Instant::now();
    let mut short = Events::open(&running, &issuer.eddsa(&claims(2_000))).await;
    let mut long = Events::open(&running, &issuer.eddsa(&claims(600_000))).await;
    short.ask(purchase("one")).await;
    check(&short.end().await, "CREDENTIALS_EXPIRED");
    assert!(opened.elapsed() > Duration::from_millis(1_900), "{:?}", opened.elapsed());
    let _ = short.requests.send(purchase("two")).await;
    long.ask(purchase("three")).await;
    std::fs::write(&file, Issuer::new().key_set()).unwrap();
    check(&long.end().await, "CREDENTIALS_INVALID");
    running.stop().await;
    assert_eq!(stored_events(path).await, 2);
}
