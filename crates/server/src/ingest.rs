//! Events on their way into the store: group commit.
//!
//! Callers hand checked entries over and wait. One job writes: it takes whatever waits, writes it
//! in one transaction, has the histories take it up, and tells each caller
//! what became of theirs. Meanwhile the next group gathers, so that a commit is shared by all who
//! come while the one before lasts, and nobody waits for a timer.
//!
//! Invariants:
//! - Nobody is told of an entry before it is durable and the next answer about its user has it.
//! - Entries are written in the order in which they were handed over.
//! - If a group cannot be written, everybody in it is told so, and nothing of it is acknowledged.
//!   It may have been written all the same: to send it again with the same ids is safe.
//! - While the store cannot be written to, entries are refused at once, not kept; the job goes on
//!   to try by itself.
//! - A caller who goes away leaves nothing behind: what was handed over is written or dropped, and
//!   their room in the queue is free again.
//! - What is kept in memory is bounded: entries in the queue, and entries of streams that wait for
//!   room. Streams get room in the order in which they came, and leave some to unary calls.

mod entry;
pub(crate) mod figures;
mod group;
mod job;
mod queue;
mod room;

use std::sync::Arc;
use std::time::Duration;

use storage::Store;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::histories::Histories;
use crate::recommend::Recommender;
use crate::settings::EventsSection;

pub(crate) use entry::{NewEntry, Times, What};
pub(crate) use figures::IngestFigures;
pub(crate) use group::{Written, WrittenEntry};
pub(crate) use queue::Receipt;

use queue::{Queue, Refusal};
use room::RoomLimits;

/// Takes events, and writes them.
#[derive(Debug)]
pub struct Ingest {
    store: Store,
    histories: Arc<Histories>,
    queue: Queue,
    group_entries_max: usize,
    write_timeout: Duration,
    impressions_max: u64,
    figures: IngestFigures,
    stopping: watch::Sender<bool>,
}

/// Why entries were not taken. None of them was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotTaken {
    /// The store cannot be written to.
    #[error("the store cannot be written to")]
    StoreAway,
    /// Too many wait already.
    #[error("too many entries wait to be written")]
    QueueFull,
    /// Too many entries of streams wait for room, or these did for too long.
    #[error("too many entries of streams wait for room")]
    NoRoom,
}

impl Ingest {
    /// One that writes into the store of a recommender, whose answers have what was written.
    #[must_use]
    pub fn new(recommender: &Recommender, settings: &EventsSection) -> Self {
        let limits = RoomLimits {
            entries_max: settings.queue_entries_max(),
            waiting_entries_max: settings.waiting_entries_max(),
            wait_max: settings.wait_timeout(),
        };
        Self {
            store: recommender.store().clone(),
            histories: Arc::clone(recommender.histories()),
            queue: Queue::new(limits),
            group_entries_max: settings.group_entries_max(),
            write_timeout: settings.write_timeout(),
            impressions_max: settings.impressions_max(),
            figures: IngestFigures::default(),
            stopping: watch::Sender::new(false),
        }
    }

    /// Hands entries over, in order; the receipt tells what becomes of them.
    ///
    /// # Errors
    ///
    /// [`NotTaken`] if they cannot be written now or there is no room.
    pub(crate) fn submit(&self, entries: Vec<NewEntry>) -> Result<Receipt, NotTaken> {
        self.queue.push(entries).map_err(|(refusal, entries)| {
            self.figures.refused(&entries);
            match refusal {
                Refusal::Full => NotTaken::QueueFull,
                Refusal::Closed => NotTaken::StoreAway,
            }
        })
    }

    /// Hands entries of a stream over once there is room for them.
    ///
    /// The wait is a task of its own, which ends when this is dropped: room that is given to a
    /// stream is used, or given on, even if its client takes no answers and so nobody asks here.
    ///
    /// # Errors
    ///
    /// [`NotTaken`] if they cannot be written now, or too much waits for room or for too long.
    pub(crate) async fn submit_when_room(
        self: &Arc<Self>,
        entries: Vec<NewEntry>,
    ) -> Result<Receipt, NotTaken> {
        let pushed = match self.queue.push_of_stream(entries) {
            Ok(pushed) => pushed,
            Err(entries) => {
                let ingest = Arc::clone(self);
                let mut wait = JoinSet::new();
                wait.spawn(async move { ingest.queue.push_when_room(entries).await });
                // It is lost only when the process ends.
                let pushed = wait.join_next().await.and_then(Result::ok);
                pushed.ok_or(NotTaken::StoreAway)?
            }
        };
        pushed.map_err(|(refusal, entries)| {
            self.figures.refused(&entries);
            match refusal {
                Refusal::Full => NotTaken::NoRoom,
                Refusal::Closed => NotTaken::StoreAway,
            }
        })
    }

    /// Lets open streams come to their end: they take no more entries.
    pub(crate) fn stop_streams(&self) {
        self.stopping.send_replace(true);
    }

    /// Ends when streams have to come to their end.
    pub(crate) async fn stopping(&self) {
        // The sender is here, so it is not gone.
        let _ = self.stopping.subscribe().wait_for(|stopping| *stopping).await;
    }

    /// What is counted.
    pub(crate) fn figures(&self) -> &IngestFigures {
        &self.figures
    }

    /// How many entries wait to be written.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    /// How many entries of streams wait for room in the queue.
    pub(crate) fn waiting_for_room(&self) -> usize {
        self.queue.waiting_for_room()
    }

    /// Whether the store could be written to when that was last tried.
    pub(crate) fn is_writable(&self) -> bool {
        self.queue.is_open()
    }
}
