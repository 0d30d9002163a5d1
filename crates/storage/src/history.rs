//! Reading users: who there is, and what one of them did.

use std::sync::LazyLock;

use recommender::{EventKind, ItemNumber, UserNumber};

use crate::error::StoreError;
use crate::event::{EventId, HistoryEvent, kind, number, origin, rating};
use crate::store::Store;

/// A user and how often commits touched their events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserRevision {
    /// The user.
    pub user: UserNumber,
    /// Higher after every commit that touched their events.
    pub revision: i64,
}

/// What one user did.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// The user's revision when this was read; 0 for a user without events.
    pub revision: i64,
    /// The events which were not retracted, newest first.
    pub events: Vec<HistoryEvent>,
}

/// One row of the query behind [`Store::history`]; only the revision is there if
/// every event was retracted.
type HistoryRow = (
    i64,
    Option<Vec<u8>>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<String>,
);

/// The kinds come from the rule itself, so that the two cannot differ.
static SETTLED_ITEMS: LazyLock<String> = LazyLock::new(|| {
    let settling = EventKind::ALL.into_iter().filter(|kind| kind.settles());
    let kinds: Vec<String> = settling.map(|kind| kind.number().to_string()).collect();
    let kinds = kinds.join(", ");
    format!(
        "SELECT DISTINCT book_number FROM events
         WHERE shop_id = $1 AND user_number = $2 AND retracted = 0 AND kind IN ({kinds})
         ORDER BY book_number"
    )
});

impl Store {
    /// Counts the users with events. Reads the table of users only.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn user_count(&self) -> Result<u64, StoreError> {
        let (users,): (i64,) = sqlx::query_as("SELECT count(*) FROM users WHERE shop_id = $1")
            .bind(self.shop.0)
            .fetch_one(self.readers())
            .await?;
        Ok(users.unsigned_abs())
    }

    /// What this user did, newest first, at most `limit` events, with the revision
    /// they belong to: both come from one statement and so from one moment.
    ///
    /// Newest goes by the time it happened, then by the time it was recorded, then
    /// by event id; an event without a time counts as oldest. Reads and sorts all of
    /// the user's events.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn history(&self, user: UserNumber, limit: u32) -> Result<History, StoreError> {
        let rows: Vec<HistoryRow> = sqlx::query_as(
            "SELECT u.revision, e.event_id, e.book_number, e.kind, e.half_stars, e.time_ms,
                    e.recorded_ms, e.origin, e.attribution_token
             FROM users AS u LEFT JOIN events AS e
               ON e.shop_id = u.shop_id AND e.user_number = u.number AND e.retracted = 0
             WHERE u.shop_id = $1 AND u.number = $2
             ORDER BY e.time_ms DESC NULLS LAST, e.recorded_ms DESC, e.event_id DESC
             LIMIT $3",
        )
        .bind(self.shop.0)
        .bind(user.0)
        // The revision comes with a row, so at least one is needed.
        .bind(limit.max(1))
        .fetch_all(self.readers())
        .await?;
        let revision = rows.first().map_or(0, |row| row.0);
        let mut events = Vec::with_capacity(rows.len());
        for row in rows {
            events.extend(history_event(row)?);
        }
        events.truncate(limit as usize);
        Ok(History { revision, events })
    }

    /// The items that this user already has or has judged, ascending, each once: those of
    /// every event whose kind [settles](EventKind::settles) and which was not retracted.
    ///
    /// Has no limit, because an item left out would be recommended again: 4 bytes for each
    /// item. Reads all of the user's events.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn settled_items(&self, user: UserNumber) -> Result<Vec<ItemNumber>, StoreError> {
        let rows: Vec<(i64,)> = sqlx::query_as(SETTLED_ITEMS.as_str())
            .bind(self.shop.0)
            .bind(user.0)
            .fetch_all(self.readers())
            .await?;
        rows.into_iter().map(|(found,)| Ok(ItemNumber(number("book_number", found)?))).collect()
    }

    /// The users with events, by number, from the first after `after`; at most `limit`.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn users_after(
        &self,
        after: Option<UserNumber>,
        limit: u32,
    ) -> Result<Vec<UserRevision>, StoreError> {
        let rows: Vec<(i64, i64)> = sqlx::query_as(
            "SELECT number, revision FROM users WHERE shop_id = $1 AND number > $2
             ORDER BY number LIMIT $3",
        )
        .bind(self.shop.0)
        .bind(after.map_or(0, |user| user.0))
        .bind(limit)
        .fetch_all(self.readers())
        .await?;
        rows.into_iter()
            .map(|(found, revision)| {
                Ok(UserRevision { user: UserNumber(number("number", found)?), revision })
            })
            .collect()
    }
}

fn history_event(row: HistoryRow) -> Result<Option<HistoryEvent>, StoreError> {
    let (_, id, book, event_kind, half_stars, time_ms, recorded_ms, event_origin, token) = row;
    let (Some(id), Some(book), Some(event_kind), Some(recorded_ms), Some(event_origin)) =
        (id, book, event_kind, recorded_ms, event_origin)
    else {
        return Ok(None);
    };
    Ok(Some(HistoryEvent {
        event_id: EventId::new(&id)?,
        item: ItemNumber(number("book_number", book)?),
        kind: kind(event_kind)?,
        rating: half_stars.map(rating).transpose()?,
        time_ms,
        recorded_ms,
        origin: origin(event_origin)?,
        attribution_token: token,
    }))
}
