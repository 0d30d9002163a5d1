//! What a client does next: chosen at random, the same for the same seed.

use api::v1::event_entry::Entry;
use api::v1::{Event, EventEntry, EventKind, Retraction};
use prost_types::Timestamp;
use rand::RngExt as _;
use tonic::transport::Channel;

use super::{Client, entry};
use crate::durability::shop::BOOKS;

/// When the first event happened.
const FIRST_SECOND: i64 = 1_750_000_000;

impl Client {
    /// What to tell next: mostly something new.
    pub(super) fn entries(&mut self) -> Vec<EventEntry> {
        let count = self.random.random_range(1..6);
        (0..count).map(|_| self.entry()).collect()
    }

    fn entry(&mut self) -> EventEntry {
        let chance = self.random.random_range(0..20);
        let known = self.crowd.witness.any_sent(self.random.random_range(0..1 << 30));
        match (chance, known) {
            (0..2, Some(Event { user_id, event_id, .. })) => {
                EventEntry { entry: Some(Entry::Retraction(Retraction { user_id, event_id })) }
            }
            (2..6, Some(event)) => entry(event),
            _ => self.new_event(),
        }
    }

    fn new_event(&mut self) -> EventEntry {
        self.events += 1;
        let (name, number, events) = (&self.crowd.name, self.number, self.events);
        let kinds = [EventKind::Purchase, EventKind::Finish, EventKind::View, EventKind::Rating];
        let kind = kinds[self.random.random_range(0..kinds.len())];
        let seconds = FIRST_SECOND + self.random.random_range(0..1_000_000);
        entry(Event {
            event_id: format!("{name}-{number}-{events}"),
            user_id: self.user(),
            book_id: self.random.random_range(1..=BOOKS).to_string(),
            kind: kind.into(),
            rating: if kind == EventKind::Rating { 4.0 } else { 0.0 },
            event_time: Some(Timestamp { seconds, nanos: 0 }),
            attribution_token: String::new(),
        })
    }

    pub(super) fn user(&mut self) -> String {
        let number = self.random.random_range(0..self.crowd.users);
        self.crowd.user(number)
    }

    pub(super) fn channel(&mut self) -> Channel {
        let place = self.random.random_range(0..self.crowd.channels.len());
        self.crowd.channels[place].clone()
    }
}
