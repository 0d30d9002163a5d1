//! The demo shop: real books, simulated readers.
//!
//! The books were written down by hand (`demo/books.csv`); the readers come from a seeded
//! taste model ([`readers`]) and every event of theirs is stored as simulated.

mod books;
pub mod readers;

use storage::{Counts, EventId, EventOrigin, NewEvent, Store, StoreError, Writer};

use crate::progress::{Progress, Unit};
use readers::{Act, Reader};

/// The reader that the demo shows: the one that the tutorial's client asks for.
pub const SHOWN_USER: &str = "1";

/// Why the demo shop could not be set up. Nothing is kept then.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The store cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The built-in file of books is broken: a defect of the build.
    #[error("built-in books: {0}")]
    Books(#[from] csv::Error),
}

/// Fills an empty store with the demo shop, in one transaction. A store that has books
/// already is left alone. Returns what the store holds afterwards.
///
/// # Errors
///
/// [`DemoError`]; the store is as it was.
pub async fn fill(
    store: &Store,
    now_ms: i64,
    progress: &dyn Progress,
) -> Result<Counts, DemoError> {
    let counts = store.counts().await?;
    if counts.books > 0 {
        return Ok(counts);
    }
    let rows = books::read()?;
    let readers = readers::simulate(&rows);
    let mut writer = store.begin().await?;
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let items = writer.assign_items(&ids).await?;
    let books: Vec<storage::Book> =
        rows.iter().zip(&items).map(|(row, number)| row.book(*number)).collect();
    writer.put_books(&books).await?;
    progress.begin("simulating readers", Some(readers.len() as u64), Unit::Count);
    let written = write_readers(&mut writer, &items, &readers, now_ms, progress).await;
    progress.end();
    written?;
    writer.commit().await?;
    Ok(store.counts().await?)
}

async fn write_readers(
    writer: &mut Writer,
    items: &[recommender::ItemNumber],
    readers: &[Reader],
    now_ms: i64,
    progress: &dyn Progress,
) -> Result<(), DemoError> {
    const READERS_AT_ONCE: usize = 250;
    for (batch, readers) in readers.chunks(READERS_AT_ONCE).enumerate() {
        let ids: Vec<String> = readers.iter().map(|reader| reader.id.to_string()).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let users = writer.assign_users(&ids).await?;
        let mut events = Vec::new();
        for (reader, user) in readers.iter().zip(users) {
            for (count, Act { book, kind, rating, time_ms }) in reader.acts.iter().enumerate() {
                events.push(NewEvent {
                    user,
                    item: items[*book],
                    event_id: EventId::new(format!("demo-{count}").as_bytes())
                        .map_err(StoreError::Event)?,
                    kind: *kind,
                    rating: *rating,
                    time_ms: Some(*time_ms),
                    recorded_ms: now_ms,
                    origin: EventOrigin::Simulated,
                    attribution_token: None,
                });
            }
        }
        writer.append_events(&events).await?;
        progress.at((batch * READERS_AT_ONCE + readers.len()) as u64);
    }
    Ok(())
}
