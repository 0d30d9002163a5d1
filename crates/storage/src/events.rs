//! Writing events: once each, however often a client or an import repeats them.

use recommender::UserNumber;

use crate::error::StoreError;
use crate::event::{EventId, EventOrigin, NewEvent};
use crate::writer::Writer;

/// How many events are inserted, and how many of them counted as repeated, at a time.
const ROWS_A_TURN: usize = 512;

/// What became of a batch of events. Every event is either stored or repeated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// New, and now in the store.
    pub stored: u64,
    /// There already, by user and event id: nothing was written.
    pub repeated: u64,
    /// How many of the repeated differ from what is stored in item, kind, rating or
    /// time. The first one wins.
    pub conflicting: u64,
}

impl Writer {
    /// Appends events, in any order; each (user, event id) is stored once, ever,
    /// retracted ones included.
    ///
    /// Costs some microseconds an event. Sorts the batch and encodes 512 events at a
    /// time between two awaits: give it at most 10,000 or so on an async thread.
    ///
    /// # Errors
    ///
    /// [`StoreError::Event`] if one of them cannot be stored; nothing of the batch
    /// is written then.
    pub async fn append_events(&mut self, events: &[NewEvent]) -> Result<Appended, StoreError> {
        for event in events {
            event.check()?;
        }
        let mut sorted: Vec<&NewEvent> = events.iter().collect();
        // Stable, so that of two with the same id the first in the batch wins.
        sorted.sort_by_key(|event| event.key());
        let mut appended = Appended::default();
        sorted.dedup_by(|later, first| {
            let repeated = later.key() == first.key();
            if repeated {
                appended.repeated += 1;
                appended.conflicting += u64::from(later.contents() != first.contents());
            }
            repeated
        });
        self.begin_change()?;
        for rows in sorted.chunks(ROWS_A_TURN) {
            self.append_rows(rows, &mut appended).await?;
        }
        self.end_change();
        Ok(appended)
    }

    /// Appends events, sorted by key, no key twice.
    async fn append_rows(
        &mut self,
        rows: &[&NewEvent],
        appended: &mut Appended,
    ) -> Result<(), StoreError> {
        let stored = self.transaction.insert_events(rows).await?;
        let repeated = rows.len() as u64 - stored;
        appended.stored += stored;
        appended.repeated += repeated;
        if repeated > 0 {
            appended.conflicting += self.transaction.count_conflicts(rows).await?;
        }
        if stored > 0 {
            self.note_stored(rows, stored).await?;
        }
        Ok(())
    }

    /// Remembers that these events, or this many of them, were stored.
    pub(crate) async fn note_stored(
        &mut self,
        rows: &[&NewEvent],
        stored: u64,
    ) -> Result<(), StoreError> {
        self.count_changes(stored);
        if rows.iter().any(|event| event.origin == EventOrigin::Simulated) {
            self.mark_simulated();
        }
        self.touch(rows.iter().map(|event| event.user)).await
    }

    /// Retracts events, as if they had never happened; their ids stay taken. Returns
    /// how many there were that had not been retracted before.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub async fn retract_events(
        &mut self,
        events: &[(UserNumber, EventId)],
    ) -> Result<u64, StoreError> {
        self.begin_change()?;
        let mut retracted = 0;
        for (user, id) in events {
            if self.transaction.retract_event(*user, *id).await? {
                retracted += 1;
                self.touch([*user]).await?;
            }
        }
        self.count_changes(retracted);
        self.end_change();
        Ok(retracted)
    }
}
