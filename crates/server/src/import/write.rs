//! The writing half of an import: batches into one transaction of the store.

use std::collections::HashMap;

use recommender::ItemNumber;
use storage::{Book, EventOrigin, NewEvent, Store, StoreError, Writer};

use super::report::FileReport;
use super::sink::{Batch, BookKey, ReadEvent};

/// Writes batches and counts, for each file, what became of them.
pub(super) struct BatchWriter<'a> {
    store: &'a Store,
    writer: Writer,
    recorded_ms: i64,
    written: Vec<Written>,
    /// Whether there is such a book, for those met so far.
    known: HashMap<ItemNumber, bool>,
}

#[derive(Clone, Debug, Default)]
struct Written {
    stored: u64,
    changed: u64,
    repeated: u64,
    conflicting: u64,
    unknown_book_events: u64,
    unknown_books: u64,
}

impl<'a> BatchWriter<'a> {
    /// Begins to write.
    pub(super) async fn begin(store: &'a Store, recorded_ms: i64) -> Result<Self, StoreError> {
        let writer = store.begin().await?;
        Ok(Self { store, writer, recorded_ms, written: Vec::new(), known: HashMap::new() })
    }

    /// Writes one batch.
    pub(super) async fn write(&mut self, batch: Batch) -> Result<(), StoreError> {
        match batch {
            Batch::Books { file, books } => self.write_books(file, books).await,
            Batch::Events { file, events } => self.write_events(file, &events).await,
        }
    }

    /// Commits; returns how many users got events.
    pub(super) async fn commit(self, files: &mut [FileReport]) -> Result<u64, StoreError> {
        for (file, written) in files.iter_mut().zip(self.written) {
            file.stored = written.stored;
            file.changed = written.changed;
            file.repeated = written.repeated;
            file.conflicting = written.conflicting;
            if written.unknown_book_events > 0 {
                file.notes.push(format!(
                    "{} events are of {} books that the store does not have; they are kept and count once it has them",
                    written.unknown_book_events, written.unknown_books
                ));
            }
        }
        Ok(self.writer.commit().await?.users_touched)
    }

    /// Takes everything back.
    pub(super) async fn rollback(self) -> Result<(), StoreError> {
        self.writer.rollback().await
    }

    async fn write_books(&mut self, file: usize, mut books: Vec<Book>) -> Result<(), StoreError> {
        let ids: Vec<&str> = books.iter().map(|book| book.id.as_str()).collect();
        let numbers = self.writer.items(&ids).await?;
        for (book, number) in books.iter_mut().zip(numbers) {
            book.number = number;
            self.known.insert(number, true);
        }
        let put = self.writer.put_books(&books).await?;
        let written = self.written(file);
        written.stored += put.stored;
        written.changed += put.changed;
        written.repeated += put.unchanged;
        Ok(())
    }

    async fn write_events(&mut self, file: usize, events: &[ReadEvent]) -> Result<(), StoreError> {
        let users: Vec<&str> = events.iter().map(|event| event.user.as_str()).collect();
        let users = self.writer.users(&users).await?;
        let items = self.items(events).await?;
        self.count_unknown(file, &items).await?;
        let events: Vec<NewEvent> = events
            .iter()
            .zip(users.into_iter().zip(items))
            .map(|(event, (user, item))| NewEvent {
                user,
                item,
                event_id: event.event_id,
                kind: event.kind,
                rating: event.rating,
                time_ms: event.time_ms,
                recorded_ms: self.recorded_ms,
                origin: EventOrigin::Import,
                attribution_token: None,
            })
            .collect();
        let appended = self.writer.append_events(&events).await?;
        let written = self.written(file);
        written.stored += appended.stored;
        written.repeated += appended.repeated;
        written.conflicting += appended.conflicting;
        Ok(())
    }

    async fn items(&mut self, events: &[ReadEvent]) -> Result<Vec<ItemNumber>, StoreError> {
        let ids: Vec<&str> = events
            .iter()
            .filter_map(|event| match &event.book {
                BookKey::Id(id) => Some(id.as_str()),
                BookKey::Number(_) => None,
            })
            .collect();
        let mut numbers = self.writer.items(&ids).await?.into_iter();
        let item = |event: &ReadEvent| match event.book {
            BookKey::Id(_) => numbers.next().expect("there is a number for each id"),
            BookKey::Number(number) => number,
        };
        Ok(events.iter().map(item).collect())
    }

    /// Counts events whose book is neither in this import nor in the store.
    async fn count_unknown(&mut self, file: usize, items: &[ItemNumber]) -> Result<(), StoreError> {
        let new: Vec<ItemNumber> =
            items.iter().copied().filter(|item| !self.known.contains_key(item)).collect();
        if !new.is_empty() {
            for book in self.store.books_by_number(&new).await? {
                self.known.insert(book.number, true);
            }
            let before = self.known.len();
            for item in new {
                self.known.entry(item).or_insert(false);
            }
            let unknown = self.known.len() - before;
            self.written(file).unknown_books += unknown as u64;
        }
        let unknown = items.iter().filter(|item| self.known.get(item) == Some(&false)).count();
        self.written(file).unknown_book_events += unknown as u64;
        Ok(())
    }

    fn written(&mut self, file: usize) -> &mut Written {
        if self.written.len() <= file {
            self.written.resize_with(file + 1, Written::default);
        }
        &mut self.written[file]
    }
}
