//! Recording what clients tell, as it comes in: events, impressions and retractions in one list.
//!
//! Entries count in their order. What is stored under their keys is looked up once for the whole
//! list; from then on the list is worked through in memory, and written at the end.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

use recommender::UserNumber;

use crate::error::StoreError;
use crate::event::{EventContents, EventId, NewEvent};
use crate::impressions::NewImpression;
use crate::writer::Writer;

/// Something that a client tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// A user did something.
    Event(NewEvent),
    /// A user was shown a book.
    Impression(NewImpression),
    /// An event is to count as if it had never happened.
    Retraction {
        /// Whose event.
        user: UserNumber,
        /// Its id.
        event_id: EventId,
    },
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// The event or impression is new, and now in the store.
    Stored,
    /// It was there already, by user and event id: nothing was written.
    Repeated,
    /// An event with its user and id was there already, and differs in item, kind, rating or
    /// time. The first one wins: nothing was written.
    Conflicting,
    /// The event is retracted.
    Retracted,
    /// The event was retracted before.
    RetractedBefore,
    /// There is no event to be retracted.
    Unknown,
}

type Key = (UserNumber, EventId);

/// An event as it is while the list is worked through.
struct Known {
    contents: EventContents,
    retracted: bool,
}

/// A list of entries, worked through.
#[derive(Default)]
struct Plan<'a> {
    known: HashMap<Key, Known>,
    recorded: Vec<Recorded>,
    events: Vec<&'a NewEvent>,
    retractions: Vec<Key>,
    impressions: Vec<NewImpression>,
    /// Where the impressions are in the list.
    impression_places: Vec<usize>,
}

impl Writer {
    /// Records entries; returns what became of each, in their order. Of all impressions of the
    /// shop, only the latest `keep_impressions` stay, fewer where some of these were deleted.
    ///
    /// A user's entries count in their order: an event may be stored and retracted by one list,
    /// and a retraction before its event finds nothing. Impressions touch nobody's revision.
    ///
    /// Costs some ten microseconds an entry; works through the list between two awaits: give it
    /// at most 5,000 or so on an async thread.
    ///
    /// # Errors
    ///
    /// [`StoreError::Event`] if one of them cannot be stored; nothing of the list is written
    /// then. Otherwise as [`commit`](Self::commit).
    pub async fn record(
        &mut self,
        entries: &[Entry],
        keep_impressions: u64,
    ) -> Result<Vec<Recorded>, StoreError> {
        for entry in entries {
            match entry {
                Entry::Event(event) => event.check()?,
                Entry::Impression(impression) => impression.check()?,
                Entry::Retraction { .. } => {}
            }
        }
        let mut plan = Plan { known: self.find_known(entries).await?, ..Plan::default() };
        for entry in entries {
            plan.add(entry);
        }
        self.begin_change()?;
        self.store_events(&mut plan).await?;
        let stored =
            self.transaction.insert_impressions(&plan.impressions, keep_impressions).await?;
        for place in stored {
            plan.recorded[plan.impression_places[place]] = Recorded::Stored;
        }
        self.end_change();
        Ok(plan.recorded)
    }

    /// What is stored under the keys of these entries.
    async fn find_known(&mut self, entries: &[Entry]) -> Result<HashMap<Key, Known>, StoreError> {
        let mut keys: Vec<Key> = entries.iter().filter_map(Entry::event_key).collect();
        // Sorted, so that neighbours are looked up one after the other.
        keys.sort_unstable();
        keys.dedup();
        let found = self.transaction.find_events(&keys).await?;
        let known = found.into_iter().map(|(place, stored)| {
            let known = Known { contents: stored.contents(), retracted: stored.retracted };
            (keys[place], known)
        });
        Ok(known.collect())
    }

    async fn store_events(&mut self, plan: &mut Plan<'_>) -> Result<(), StoreError> {
        plan.events.sort_unstable_by_key(|event| event.key());
        let stored = self.transaction.insert_events(&plan.events).await?;
        debug_assert_eq!(stored, plan.events.len() as u64, "none of them was there");
        self.note_stored(&plan.events, stored).await?;
        for (user, id) in &plan.retractions {
            self.transaction.retract_event(*user, *id).await?;
        }
        self.count_changes(plan.retractions.len() as u64);
        self.touch(plan.retractions.iter().map(|(user, _)| *user)).await
    }
}

impl Entry {
    /// The key of the event that it is or retracts.
    fn event_key(&self) -> Option<Key> {
        match self {
            Self::Event(event) => Some(event.key()),
            Self::Retraction { user, event_id } => Some((*user, *event_id)),
            Self::Impression(_) => None,
        }
    }
}

impl<'a> Plan<'a> {
    fn add(&mut self, entry: &'a Entry) {
        let recorded = match entry {
            Entry::Event(event) => self.add_event(event),
            Entry::Retraction { user, event_id } => self.retract((*user, *event_id)),
            Entry::Impression(impression) => {
                self.impression_places.push(self.recorded.len());
                self.impressions.push(impression.clone());
                // Unless the database says that it stored it.
                Recorded::Repeated
            }
        };
        self.recorded.push(recorded);
    }

    fn add_event(&mut self, event: &'a NewEvent) -> Recorded {
        match self.known.entry(event.key()) {
            Slot::Occupied(known) if known.get().contents == event.contents() => Recorded::Repeated,
            Slot::Occupied(_) => Recorded::Conflicting,
            Slot::Vacant(slot) => {
                slot.insert(Known { contents: event.contents(), retracted: false });
                self.events.push(event);
                Recorded::Stored
            }
        }
    }

    fn retract(&mut self, key: Key) -> Recorded {
        match self.known.get_mut(&key) {
            None => Recorded::Unknown,
            Some(known) if known.retracted => Recorded::RetractedBefore,
            Some(known) => {
                known.retracted = true;
                self.retractions.push(key);
                Recorded::Retracted
            }
        }
    }
}
