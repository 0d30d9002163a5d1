//! Writing events: once each, however often a client or an import repeats them.

use std::sync::LazyLock;

use recommender::{Rating, UserNumber};

use crate::batch::{RowsStatement, Values, pieces};
use crate::error::StoreError;
use crate::event::{EventId, EventOrigin, NewEvent};
use crate::writer::Writer;

// OR FAIL instead of the usual OR ABORT: a failing statement keeps the rows it has
// already inserted, so SQLite need not save each page it touches before every
// statement, which was a page written for every event of an import. The writer cannot
// commit after a failure anyway. Works as long as no CHECK of the table calls a function.
static INSERT_EVENTS: LazyLock<RowsStatement> = LazyLock::new(|| {
    RowsStatement::new(
        "INSERT OR FAIL INTO events (shop_id, user_number, event_id, book_number, kind,
         half_stars, time_ms, recorded_ms, origin, attribution_token) VALUES",
        10,
        "ON CONFLICT (shop_id, user_number, event_id) DO NOTHING",
    )
});

// Counts in the database: fetching two million rows to compare them here would cost
// twice the import.
static COUNT_CONFLICTS: LazyLock<RowsStatement> = LazyLock::new(|| {
    RowsStatement::new(
        "WITH given (user_number, event_id, book_number, kind, half_stars, time_ms) AS (VALUES",
        6,
        ") SELECT count(*) FROM given CROSS JOIN events AS e
           ON e.shop_id = ? AND e.user_number = given.user_number AND e.event_id = given.event_id
         WHERE e.book_number <> given.book_number OR e.kind <> given.kind
            OR e.half_stars IS DISTINCT FROM given.half_stars
            OR e.time_ms IS DISTINCT FROM given.time_ms",
    )
});

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
        sorted.sort_by_key(|event| key(event));
        let mut appended = Appended::default();
        sorted.dedup_by(|later, first| {
            let repeated = key(later) == key(first);
            if repeated {
                appended.repeated += 1;
                appended.conflicting += u64::from(contents(later) != contents(first));
            }
            repeated
        });
        self.begin_change()?;
        for piece in pieces(sorted.len()) {
            self.append_rows(&sorted[piece], &mut appended).await?;
        }
        self.end_change();
        Ok(appended)
    }

    /// Appends one statement of events, sorted by key, no key twice.
    async fn append_rows(
        &mut self,
        rows: &[&NewEvent],
        appended: &mut Appended,
    ) -> Result<(), StoreError> {
        let stored = self.insert_events(rows).await?;
        let repeated = rows.len() as u64 - stored;
        appended.stored += stored;
        appended.repeated += repeated;
        if repeated > 0 {
            appended.conflicting += self.count_conflicts(rows).await?;
        }
        if stored > 0 {
            self.touch(rows.iter().map(|event| event.user)).await?;
            if rows.iter().any(|event| event.origin == EventOrigin::Simulated) {
                self.mark_simulated().await?;
            }
        }
        Ok(())
    }

    /// Writes down that the shop has simulated events.
    async fn mark_simulated(&mut self) -> Result<(), StoreError> {
        sqlx::query("UPDATE shops SET simulated = 1 WHERE shop_id = $1 AND simulated = 0")
            .bind(self.shop.0)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Inserts those that are not there yet; returns how many that were.
    async fn insert_events(&mut self, rows: &[&NewEvent]) -> Result<u64, StoreError> {
        let mut values = Values::with_capacity(10 * rows.len());
        for event in rows {
            values.add(self.shop.0)?;
            values.add(event.user.0)?;
            values.add(event.event_id.as_bytes())?;
            values.add(event.item.0)?;
            values.add(event.kind.number())?;
            values.add(event.rating.map(Rating::half_stars))?;
            values.add(event.time_ms)?;
            values.add(event.recorded_ms)?;
            values.add(event.origin.number())?;
            values.add(event.attribution_token.as_deref())?;
        }
        let query = sqlx::query_with(INSERT_EVENTS.text(rows.len()), values.into_arguments());
        Ok(query.execute(self.connection()).await?.rows_affected())
    }

    /// How many of these events differ from what is stored under their keys.
    async fn count_conflicts(&mut self, rows: &[&NewEvent]) -> Result<u64, StoreError> {
        let mut values = Values::with_capacity(6 * rows.len() + 1);
        for event in rows {
            values.add(event.user.0)?;
            values.add(event.event_id.as_bytes())?;
            values.add(event.item.0)?;
            values.add(event.kind.number())?;
            values.add(event.rating.map(Rating::half_stars))?;
            values.add(event.time_ms)?;
        }
        values.add(self.shop.0)?;
        let text = COUNT_CONFLICTS.text(rows.len());
        let query = sqlx::query_as_with(text, values.into_arguments());
        let (conflicts,): (i64,) = query.fetch_one(self.connection()).await?;
        Ok(conflicts.unsigned_abs())
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
            let done = sqlx::query(
                "UPDATE events SET retracted = 1
                 WHERE shop_id = $1 AND user_number = $2 AND event_id = $3 AND retracted = 0",
            )
            .bind(self.shop.0)
            .bind(user.0)
            .bind(id.as_bytes())
            .execute(self.connection())
            .await?;
            if done.rows_affected() > 0 {
                retracted += done.rows_affected();
                self.touch([*user]).await?;
            }
        }
        self.end_change();
        Ok(retracted)
    }
}

/// What an event is told by.
fn key(event: &NewEvent) -> (UserNumber, &[u8]) {
    (event.user, event.event_id.as_bytes())
}

/// What two events with the same key should agree on.
fn contents(event: &NewEvent) -> impl PartialEq {
    (event.item, event.kind, event.rating, event.time_ms)
}
