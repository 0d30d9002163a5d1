//! A store with as many made-up events as are asked for, to measure on.
//!
//! Users and books are their own numbers, from 1 up. The same numbers of events give the same
//! store; one that has fewer is filled up.

use std::sync::atomic::{AtomicBool, Ordering};

use recommender::{EventKind, ItemNumber, UserNumber};
use storage::event::EventError;
use storage::{EventId, EventOrigin, NewEvent, Store, StoreError};
use xxhash_rust::xxh3::xxh3_64;

use super::book;
use crate::progress::{Progress, Unit};

/// How many books there are.
pub const BOOKS: u32 = 10_000;

/// How many events each user has.
const EVENTS_OF_USER: u64 = 10;

/// How many users have theirs in one transaction.
const USERS_A_COMMIT: u32 = 20_000;

/// How many in one call of the store.
const USERS_A_TURN: u32 = 400;

/// The first time of an event, in milliseconds since 1970, and the time between two.
const BEGIN_MS: i64 = 1_700_000_000_000;
const STEP_MS: i64 = 3_600_000;

/// How many users a store of so many events has.
#[must_use]
pub fn users(events: u64) -> u32 {
    u32::try_from(events.div_ceil(EVENTS_OF_USER)).unwrap_or(u32::MAX).clamp(1, 1 << 29)
}

/// How many events a store of so many users has.
#[must_use]
pub fn events(users: u32) -> u64 {
    u64::from(users) * EVENTS_OF_USER
}

/// Fills a store up to so many events; what was written stays where it was told to stop.
///
/// # Errors
///
/// As [`Store::begin`] and [`storage::Writer::append_events`].
pub async fn fill(
    store: &Store,
    events: u64,
    progress: &dyn Progress,
    cancelled: &AtomicBool,
) -> Result<(), StoreError> {
    let (users, known) = (users(events), store.user_count().await?);
    let first = u32::try_from(known).unwrap_or(u32::MAX).saturating_add(1);
    if store.books_after(None, 1).await?.is_empty() {
        let mut writer = store.begin().await?;
        writer.put_books(&(1..=BOOKS).map(book).collect::<Vec<_>>()).await?;
        writer.commit().await?;
    }
    progress.begin("filling the store", Some(users.into()), Unit::Count);
    let mut next = first;
    while next <= users && !cancelled.load(Ordering::Relaxed) {
        let mut writer = store.begin().await?;
        let end = users.min(next.saturating_add(USERS_A_COMMIT - 1));
        while next <= end {
            let last = end.min(next + USERS_A_TURN - 1);
            let turn: Result<Vec<NewEvent>, EventError> = (next..=last).flat_map(of_user).collect();
            writer.append_events(&turn?).await?;
            next = last + 1;
        }
        writer.commit().await?;
        progress.at(next.into());
    }
    progress.end();
    Ok(())
}

/// Everything that a user did.
fn of_user(user: u32) -> impl Iterator<Item = Result<NewEvent, EventError>> {
    (0..EVENTS_OF_USER).map(move |place| {
        let hash = xxh3_64(format!("{user}/{place}").as_bytes());
        // The square of an even draw: a few books are bought by many.
        let draw = (hash >> 11) as f64 / (1_u64 << 53) as f64;
        Ok(NewEvent {
            user: UserNumber(user),
            item: ItemNumber(1 + (draw * draw * f64::from(BOOKS)) as u32),
            event_id: EventId::new(&hash.to_be_bytes())?,
            kind: EventKind::Purchase,
            rating: None,
            time_ms: Some(BEGIN_MS + place as i64 * STEP_MS),
            recorded_ms: BEGIN_MS,
            origin: EventOrigin::Simulated,
            attribution_token: None,
        })
    })
}
