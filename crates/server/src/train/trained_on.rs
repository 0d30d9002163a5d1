//! What a model was trained on: the shop's revisions, written into the model's file, so that whoever
//! opens it can tell what is news to it.

use serde::{Deserialize, Serialize};
use storage::Revisions;

/// The shop's revisions from just before its books and events were read: what changed since may be
/// in the model or not, and counts as news.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct TrainedOn {
    /// The catalogue's revision.
    pub catalogue: i64,
    /// The revision of the events.
    pub events: i64,
    /// Events stored, retracted and deleted, ever.
    pub event_changes: i64,
    /// Commits that removed a user.
    pub removals: i64,
}

impl TrainedOn {
    /// The shop as it is.
    #[must_use]
    pub fn of(revisions: &Revisions) -> Self {
        let Revisions { catalogue, events, event_changes, removals, .. } = *revisions;
        Self { catalogue, events, event_changes, removals }
    }
}
