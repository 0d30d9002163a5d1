//! Asks for a reader's shelf, buys its first book, and asks again.
//!
//! Usage: `cargo run --example shelf -- [HOST:PORT [READER]]`; `foreword demo` starts a
//! service at localhost:50051.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it talks to whoever started it")]

use std::error::Error;
use std::hash::{BuildHasher as _, RandomState};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use api::v1::event_service_client::EventServiceClient;
use api::v1::recommendation_service_client::RecommendationServiceClient;
use api::v1::{
    Event, EventEntry, EventKind, RecommendRequest, RecommendResponse, RecommendedBook,
    RecordEventsRequest, event_entry,
};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

/// A page does not wait for long: after this, attempts included, it shows something else.
const TIMEOUT: Duration = Duration::from_secs(2);

/// What one attempt may take of it, so that there is time to ask another replica when one hangs.
const ATTEMPT: Duration = Duration::from_secs(1);

const ATTEMPTS: u32 = 5;

/// Before the second attempt; then twice as long each time.
const FIRST_WAIT: Duration = Duration::from_millis(100);

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let target = arguments.next().unwrap_or_else(|| "localhost:50051".to_owned());
    let reader = arguments.next().unwrap_or_else(|| "1".to_owned());
    // Connects when it is first needed, and again when the connection breaks.
    let channel = Endpoint::from_shared(format!("http://{target}"))?.connect_lazy();
    match visit(&channel, &reader).await {
        Err(status) if matches!(status.code(), Code::Unavailable | Code::DeadlineExceeded) => {
            println!("The service is away ({:?}): the page shows its bestsellers.", status.code());
            Ok(ExitCode::SUCCESS)
        }
        Err(status) => {
            eprintln!("refused: {}", status.message());
            Ok(ExitCode::FAILURE)
        }
        Ok(is_gone) => Ok(if is_gone { ExitCode::SUCCESS } else { ExitCode::FAILURE }),
    }
}

/// Whether what was bought is recommended no more.
async fn visit(channel: &Channel, reader: &str) -> Result<bool, Status> {
    let shelf = recommend(channel, reader, 0).await?;
    show("Picked for you", &shelf.books);
    let first = shelf.books.first().and_then(|found| found.book.clone());
    let first = first.ok_or_else(|| Status::not_found("the shelf is empty"))?;
    let revision = buy(channel, reader, &first.id, &shelf.attribution_token).await?;
    println!("Bought {:?}.", first.title);
    // With the revision of the acknowledgement, whichever replica answers knows of the purchase.
    let changed = recommend(channel, reader, revision).await?;
    show("Picked for you, now", &changed.books);
    let mut books = changed.books.iter().filter_map(|found| found.book.as_ref());
    let is_gone = books.all(|book| book.id != first.id);
    let gone = if is_gone { "gone" } else { "still there" };
    println!("Revision {}: what was bought is {gone}.", changed.user_revision);
    Ok(is_gone)
}

async fn recommend(
    channel: &Channel,
    reader: &str,
    user_revision: i64,
) -> Result<RecommendResponse, Status> {
    let question = RecommendRequest {
        user_id: reader.to_owned(),
        max_results: 5,
        user_revision,
        ..RecommendRequest::default()
    };
    again(|time| {
        let mut client = RecommendationServiceClient::new(channel.clone());
        let request = within(time, question.clone());
        async move { Ok(client.recommend(request).await?.into_inner()) }
    })
    .await
}

/// Tells of a purchase; the revision of the reader that has it.
async fn buy(channel: &Channel, reader: &str, book: &str, token: &str) -> Result<i64, Status> {
    // The id belongs to the purchase: sent again, it counts once. A shop has the number of an order.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let event = Event {
        event_id: format!("order-{}", now.as_nanos()),
        user_id: reader.to_owned(),
        book_id: book.to_owned(),
        kind: EventKind::Purchase.into(),
        attribution_token: token.to_owned(),
        ..Event::default()
    };
    let entry = EventEntry { entry: Some(event_entry::Entry::Event(event)) };
    let request = RecordEventsRequest { entries: vec![entry] };
    let answer = again(|time| {
        let mut client = EventServiceClient::new(channel.clone());
        let request = within(time, request.clone());
        async move { Ok(client.record_events(request).await?.into_inner()) }
    })
    .await?;
    match &answer.results[..] {
        [result] if result.violations.is_empty() => Ok(result.user_revision),
        results => Err(Status::invalid_argument(format!("{results:?}"))),
    }
}

/// Makes a call that may be made twice; again, each time later, while the service is away, and at once
/// when an attempt had no answer in its time.
async fn again<T, F>(call: impl Fn(Duration) -> F) -> Result<T, Status>
where
    F: Future<Output = Result<T, Status>>,
{
    let deadline = Instant::now() + TIMEOUT;
    let (mut attempt, mut wait) = (1, FIRST_WAIT);
    loop {
        let time = deadline.saturating_duration_since(Instant::now()).min(ATTEMPT);
        let late = |_| Err(Status::deadline_exceeded("no answer in time"));
        let ended = tokio::time::timeout(time, call(time)).await.unwrap_or_else(late);
        let pause = match ended.as_ref().map_err(Status::code) {
            Err(Code::Unavailable) => with_random_part(wait),
            Err(Code::DeadlineExceeded) => Duration::ZERO,
            _ => return ended,
        };
        if attempt == ATTEMPTS || Instant::now() + pause >= deadline {
            return ended;
        }
        tokio::time::sleep(pause).await;
        (attempt, wait) = (attempt + 1, wait * 2);
    }
}

/// Half of it at least, so that clients that failed together do not come back together.
fn with_random_part(wait: Duration) -> Duration {
    let thousandths = 500 + RandomState::new().hash_one(0) % 500;
    wait.mul_f64(thousandths as f64 / 1000.0)
}

/// The service is told how long there is somebody to answer.
fn within<T>(time: Duration, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(time);
    request
}

fn show(heading: &str, books: &[RecommendedBook]) {
    println!("{heading}:");
    for (place, found) in (1..).zip(books) {
        println!("  {place}. {}", found.book.as_ref().map_or("", |book| &book.title));
    }
}
