//! Reading every event there is, for training: a page of users at a time.
//!
//! One statement over all of them would be of one moment, but hold that moment for as long as
//! training takes to listen: SQLite's log could not be folded back meanwhile and PostgreSQL could
//! not clean up. Measured in `tests/it/speed.rs`.

use std::ops::{ControlFlow, Range};

use recommender::UserNumber;

use crate::error::StoreError;
use crate::event::TrainingEvent;
use crate::store::Store;

/// How many users are read at a time: few enough that their events are decoded and visited in
/// well under a millisecond, many enough that a statement costs little.
const USERS_A_PAGE: u32 = 64;

/// The events of some users.
#[derive(Debug, Default)]
pub(crate) struct EventsPage {
    /// Each user, by number, and where their events are.
    pub(crate) users: Vec<(UserNumber, Range<usize>)>,
    /// The events of all of them.
    pub(crate) events: Vec<TrainingEvent>,
}

impl Store {
    /// Visits all events which were not retracted: once for each user, by number,
    /// with the user's events by event id. `visit` may break off.
    ///
    /// All events of a user come from one moment; those of two users may be of two, since what
    /// is written meanwhile is seen as far as it is of users still to come. Keeps the events of
    /// 64 users in memory. `visit` runs on the calling thread; other tasks get a turn after
    /// every 64 users.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn scan_events(
        &self,
        mut visit: impl FnMut(UserNumber, &[TrainingEvent]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let page = self.backend.events_page(after, USERS_A_PAGE).await?;
            let Some((last, _)) = page.users.last() else { return Ok(()) };
            after = Some(*last);
            for (user, events) in &page.users {
                if visit(*user, &page.events[events.clone()]).is_break() {
                    return Ok(());
                }
            }
        }
    }
}
