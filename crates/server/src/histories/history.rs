//! What is known of one user, in memory.

use std::mem::size_of;

use recommender::{Event, ItemNumber};
use storage::Impression;

/// The most books that a user was shown that are remembered of each.
pub(super) const IMPRESSIONS_MAX: u32 = 200;

/// What is known of a user.
///
/// Events as they are, not what they say of each book: they take no more room, and one that comes
/// can be added, since what they say does not depend on their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct History {
    /// The revision that it reflects; 0 for a user who never had an event.
    pub(crate) revision: i64,
    /// The events that were not retracted, the newest if there are very many, in any order.
    pub(crate) events: Vec<Event>,
    /// The items that all events settle, if these are not all.
    pub(crate) settled: Vec<ItemNumber>,
    /// What they were shown.
    pub(crate) impressions: Vec<Impression>,
}

/// What a commit did to one user.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    /// Events that are new.
    pub(crate) events: Vec<Event>,
    /// Items that were shown, and when, in milliseconds since 1970.
    pub(crate) shown: Vec<(ItemNumber, i64)>,
    /// Whether events are gone: one was retracted, or all became another user's, or another's theirs.
    pub(crate) is_retracted: bool,
    /// Whether something was found to be written already, maybe by a commit that was not taken up
    /// here yet.
    pub(crate) is_repeated: bool,
}

impl Change {
    /// One after which a history has to be read.
    pub(super) fn gone() -> Self {
        Self { is_retracted: true, ..Self::default() }
    }

    /// Whether it counts as one in the user's revision.
    pub(super) fn touches(&self) -> bool {
        self.is_retracted || !self.events.is_empty()
    }
}

impl History {
    /// What it takes on the heap.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.events.capacity() * size_of::<Event>()
            + self.settled.capacity() * size_of::<ItemNumber>()
            + self.impressions.capacity() * size_of::<Impression>()
    }

    /// The history after the next commit; `None` if it has to be read. At most `events_max` events
    /// are kept.
    pub(super) fn after(mut self, change: &Change, revision: i64, events_max: u32) -> Option<Self> {
        let events = self.events.len() + change.events.len();
        if change.is_retracted || events > events_max as usize {
            return None;
        }
        self.events.reserve_exact(change.events.len());
        self.events.extend(&change.events);
        for (item, time_ms) in &change.shown {
            self.show(*item, *time_ms);
        }
        if change.touches() {
            self.revision = self.revision.max(revision);
        }
        Some(self)
    }

    /// Counts an impression, in place of the oldest if there are too many.
    fn show(&mut self, item: ItemNumber, time_ms: i64) {
        if let Some(known) = self.impressions.iter_mut().find(|known| known.item == item) {
            known.times = known.times.saturating_add(1);
            known.last_ms = known.last_ms.max(time_ms);
            return;
        }
        let shown = Impression { item, times: 1, last_ms: time_ms };
        if self.impressions.len() < IMPRESSIONS_MAX as usize {
            self.impressions.reserve_exact(1);
            self.impressions.push(shown);
        } else if let Some(oldest) = self.impressions.iter_mut().min_by_key(|known| known.last_ms) {
            *oldest = shown;
        }
    }
}
