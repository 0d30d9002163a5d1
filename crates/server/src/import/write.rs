//! The writing half of an import: batches into one transaction of the store.

use std::collections::HashMap;

use recommender::{ItemNumber, UserNumber};
use storage::{Book, EventId, EventOrigin, NewEvent, Store, StoreError, Writer};

use super::report::{FileReport, quoted};
use super::sink::{Batch, BookKey, ReadEvent, ReadId};

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
    /// The first id found that the file gives to different events, and its user.
    ambiguous: Option<(String, String)>,
}

impl<'a> BatchWriter<'a> {
    /// Begins to write.
    pub(super) async fn begin(store: &'a Store, recorded_ms: i64) -> Result<Self, StoreError> {
        let writer = store.begin().await?;
        Ok(Self { store, writer, recorded_ms, written: Vec::new(), known: HashMap::new() })
    }

    /// Whether the store holds the demo shop.
    pub(super) fn is_demo(&self) -> bool {
        self.writer.has_simulated_events()
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
            file.notes.extend(written.notes());
        }
        Ok(self.writer.commit().await?.users_touched)
    }

    /// Takes everything back.
    pub(super) async fn rollback(self) -> Result<(), StoreError> {
        self.writer.rollback().await
    }

    async fn write_books(&mut self, file: usize, mut books: Vec<Book>) -> Result<(), StoreError> {
        let ids: Vec<&str> = books.iter().map(|book| book.id.as_str()).collect();
        let numbers = self.writer.assign_items(&ids).await?;
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
        // What comes under the id of somebody who was merged is the other's.
        let users = self.writer.assign_merged(&users).await?;
        let items = self.items(events).await?;
        self.count_unknown(file, &items).await?;
        let replaced: Vec<(UserNumber, EventId)> = events
            .iter()
            .zip(&users)
            .flat_map(|(event, user)| event.replaces.iter().map(|id| (*user, *id)))
            .collect();
        self.writer.retract_events(&replaced).await?;
        let new: Vec<NewEvent> = events
            .iter()
            .zip(users.into_iter().zip(items))
            .map(|(event, (user, item))| NewEvent {
                user,
                item,
                event_id: event.event_id.id(),
                kind: event.kind,
                rating: event.rating,
                time_ms: event.time_ms,
                recorded_ms: self.recorded_ms,
                origin: EventOrigin::Import,
                attribution_token: None,
            })
            .collect();
        let appended = self.writer.append_events(&new).await?;
        if appended.conflicting > 0 && self.written(file).ambiguous.is_none() {
            self.written(file).ambiguous = self.find_ambiguous(events, &new).await?;
        }
        let written = self.written(file);
        written.stored += appended.stored;
        written.repeated += appended.repeated;
        written.conflicting += appended.conflicting;
        Ok(())
    }

    /// The first of these events that is stored with a given id and other contents.
    ///
    /// All of them are in the store: appending them once more changes nothing, and
    /// counts how many differ from what is there. Halves them until one is left.
    async fn find_ambiguous(
        &mut self,
        events: &[ReadEvent],
        new: &[NewEvent],
    ) -> Result<Option<(String, String)>, StoreError> {
        let given = events.iter().zip(new);
        let given = given.filter(|(event, _)| matches!(event.event_id, ReadId::Given(_)));
        let (read, new): (Vec<&ReadEvent>, Vec<NewEvent>) =
            given.map(|(event, new)| (event, new.clone())).unzip();
        if self.writer.append_events(&new).await?.conflicting == 0 {
            return Ok(None);
        }
        let (mut start, mut end) = (0, new.len());
        while end - start > 1 {
            let middle = start.midpoint(end);
            match self.writer.append_events(&new[start..middle]).await?.conflicting {
                0 => start = middle,
                _ => end = middle,
            }
        }
        let text = String::from_utf8_lossy(new[start].event_id.as_bytes()).into_owned();
        Ok(Some((text, read[start].user.clone())))
    }

    async fn items(&mut self, events: &[ReadEvent]) -> Result<Vec<ItemNumber>, StoreError> {
        let ids: Vec<&str> = events
            .iter()
            .filter_map(|event| match &event.book {
                BookKey::Id(id) => Some(id.as_str()),
                BookKey::Number(_) => None,
            })
            .collect();
        let mut numbers = self.writer.assign_items(&ids).await?.into_iter();
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

impl Written {
    /// What there is to know beside the counts.
    fn notes(&self) -> impl Iterator<Item = String> {
        let ambiguous = self.ambiguous.as_ref().map(|(id, user)| {
            format!(
                "event id {} of user {} is given to different events, of which the first one counts; expected an id of its own for each event",
                quoted(id),
                quoted(user)
            )
        });
        let (events, books) = (self.unknown_book_events, self.unknown_books);
        let are = if events == 1 { "event is" } else { "events are" };
        let of = if books == 1 { "book" } else { "books" };
        let they = if events == 1 { "it waits" } else { "they wait" };
        let them = if books == 1 { "it" } else { "them" };
        let unknown = (events > 0).then(|| {
            format!("{events} {are} of {books} {of} that the shop does not have; {they} for {them}")
        });
        ambiguous.into_iter().chain(unknown)
    }
}
