//! Events from clients: what becomes of each, and what the next answer makes of it.

mod away;
mod fresh;
mod outcomes;
mod replicas;
mod streams;

use api::v1::event_entry::Entry;
use api::v1::event_result::Outcome;
use api::v1::{
    Event, EventEntry, EventKind, EventResult, RecommendRequest, RecommendResponse,
    RecordEventsRequest, Retraction,
};
use server::settings::Settings;
use std::io::Write as _;
use tonic::Status;

use crate::running::Running;

/// A purchase.
fn bought(user: &str, book: u32, event_id: &str) -> Event {
    Event {
        event_id: event_id.to_owned(),
        user_id: user.to_owned(),
        book_id: book.to_string(),
        kind: EventKind::Purchase.into(),
        ..Event::default()
    }
}

fn entry(event: Event) -> EventEntry {
    EventEntry { entry: Some(Entry::Event(event)) }
}

fn retraction(user: &str, event_id: &str) -> EventEntry {
    let (user_id, event_id) = (user.to_owned(), event_id.to_owned());
    EventEntry { entry: Some(Entry::Retraction(Retraction { user_id, event_id })) }
}

async fn record(running: &Running, entries: Vec<EventEntry>) -> Result<Vec<EventResult>, Status> {
    let answer = running.events().record_events(RecordEventsRequest { entries }).await?;
    Ok(answer.into_inner().results)
}

fn outcomes(results: &[EventResult]) -> Vec<Outcome> {
    results.iter().map(EventResult::outcome).collect()
}

/// Settings with this text over the defaults.
fn settings(text: &str) -> Settings {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let mut settings = Settings::read(Some(file.path())).unwrap();
    settings.admin.listen.clear();
    settings
}

async fn shelf(running: &Running, user: &str, user_revision: i64) -> RecommendResponse {
    let request = RecommendRequest {
        user_id: user.to_owned(),
        max_results: 100,
        user_revision,
        ..RecommendRequest::default()
    };
    running.v1().recommend(request).await.unwrap().into_inner()
}

fn has(shelf: &RecommendResponse, book: u32) -> bool {
    shelf.books.iter().flat_map(|one| &one.book).any(|one| one.number as u32 == book)
}
