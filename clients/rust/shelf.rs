//! Asks for a reader's shelf, buys its first book, and asks again.
//!
//! Usage: `cargo run --example shelf -- [HOST:PORT [READER]]`; `foreword demo` starts a
//! service at localhost:50051.
#![allow(clippy::print_stdout, reason = "it talks to whoever started it")]

use std::error::Error;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use api::v1::event_service_client::EventServiceClient;
use api::v1::recommendation_service_client::RecommendationServiceClient;
use api::v1::{
    Event, EventEntry, EventKind, RecommendRequest, RecommendResponse, RecommendedBook,
    RecordEventsRequest, event_entry,
};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

/// A page does not wait for long: after this it shows something else.
const TIMEOUT: Duration = Duration::from_secs(1);

const ATTEMPTS: u32 = 3;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let target = arguments.next().unwrap_or_else(|| "localhost:50051".to_owned());
    let reader = arguments.next().unwrap_or_else(|| "1".to_owned());
    // Connects when it is first needed, and again when the connection breaks.
    let channel = Endpoint::from_shared(format!("http://{target}"))?.connect_lazy();
    match visit(&channel, &reader).await {
        Err(status) if matches!(status.code(), Code::Unavailable | Code::DeadlineExceeded) => {
            println!("The service is away ({:?}): the page shows its bestsellers.", status.code());
            Ok(())
        }
        ended => Ok(ended?),
    }
}

async fn visit(channel: &Channel, reader: &str) -> Result<(), Status> {
    let shelf = recommend(channel, reader, 0).await?;
    show("Picked for you", &shelf.books);
    let first = shelf.books.first().and_then(|found| found.book.clone()).unwrap_or_default();
    let revision = buy(channel, reader, &first.id, &shelf.attribution_token).await?;
    println!("Bought {:?}.", first.title);
    // With the revision of the acknowledgement, whichever replica answers knows of the purchase.
    let changed = recommend(channel, reader, revision).await?;
    show("Picked for you, now", &changed.books);
    let mut ids = changed.books.iter().filter_map(|found| found.book.as_ref()).map(|it| &it.id);
    let gone = if ids.any(|id| *id == first.id) { "still there" } else { "gone" };
    println!("Revision {}: what was bought is {gone}.", changed.user_revision);
    Ok(())
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
    again(|| async {
        let mut client = RecommendationServiceClient::new(channel.clone());
        Ok(client.recommend(within_time(question.clone())).await?.into_inner())
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
    let answer = again(|| async {
        let mut client = EventServiceClient::new(channel.clone());
        Ok(client.record_events(within_time(request.clone())).await?.into_inner())
    })
    .await?;
    match &answer.results[..] {
        [result] if result.violations.is_empty() => Ok(result.user_revision),
        results => Err(Status::invalid_argument(format!("refused: {results:?}"))),
    }
}

/// Makes a call that may be made twice; once more, a moment later, while the service is away.
async fn again<T, F>(call: impl Fn() -> F) -> Result<T, Status>
where
    F: Future<Output = Result<T, Status>>,
{
    let mut attempt = 1;
    loop {
        match call().await {
            Err(status) if status.code() == Code::Unavailable && attempt < ATTEMPTS => {
                tokio::time::sleep(Duration::from_millis(100) * 2_u32.pow(attempt)).await;
                attempt += 1;
            }
            ended => return ended,
        }
    }
}

fn within_time<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(TIMEOUT);
    request
}

fn show(heading: &str, books: &[RecommendedBook]) {
    println!("{heading}:");
    for (place, found) in (1..).zip(books) {
        println!("  {place}. {}", found.book.as_ref().map_or("", |book| &book.title));
    }
}
