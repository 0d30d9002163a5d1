//! What is known of each user and event, whatever the order of operations.
//!
//! Operations are numbers into the history; moments are its clock's.

use std::collections::{BTreeMap, BTreeSet};

use super::StoredEvent;
use super::history::{History, Operation, Outcome, Request};

/// What is known of a user.
#[derive(Default)]
pub(super) struct UserFacts<'a> {
    /// Answered reads.
    pub(super) reads: Vec<Read<'a>>,
    /// Operations whose answer names a revision.
    pub(super) with_revision: Vec<usize>,
    /// Events that were sent, retracted, seen or stored.
    pub(super) events: BTreeMap<&'a str, EventFacts<'a>>,
}

/// An answered read.
pub(super) struct Read<'a> {
    pub(super) number: usize,
    pub(super) revision: u64,
    /// Each event with what it said, as often as it was there.
    pub(super) events: BTreeMap<&'a str, Vec<&'a str>>,
}

/// What is known of an event.
#[derive(Default)]
pub(super) struct EventFacts<'a> {
    /// When it was sent, however that went.
    pub(super) sends: Vec<usize>,
    /// Retractions, however they went.
    pub(super) retractions: Vec<usize>,
    /// The read with the earliest answer that showed it.
    pub(super) first_seen: Option<usize>,
    /// Rows of the store.
    pub(super) rows: Vec<&'a StoredEvent>,
}

/// Sorts history and store by user.
pub(super) fn by_user<'a>(
    history: &'a History,
    stored: &'a [StoredEvent],
) -> BTreeMap<&'a str, UserFacts<'a>> {
    let mut users = BTreeMap::<&str, UserFacts<'_>>::new();
    for (number, operation) in history.operations().iter().enumerate() {
        let facts = users.entry(operation.request.user()).or_default();
        if operation.revision().is_some() {
            facts.with_revision.push(number);
        }
        match &operation.request {
            Request::Record { event, .. } => {
                facts.events.entry(event).or_default().sends.push(number);
            }
            Request::Retract { event, .. } => {
                facts.events.entry(event).or_default().retractions.push(number);
            }
            Request::Read { .. } => facts.reads.extend(Read::new(number, operation)),
        }
    }
    for row in stored {
        let facts = users.entry(&row.user).or_default();
        facts.events.entry(&row.event).or_default().rows.push(row);
    }
    for facts in users.values_mut() {
        facts.note_what_was_seen(history.operations());
    }
    users
}

impl UserFacts<'_> {
    fn note_what_was_seen(&mut self, operations: &[Operation]) {
        self.reads.sort_by_key(|read| operations[read.number].end());
        for read in &self.reads {
            for event in read.events.keys() {
                self.events.entry(event).or_default().first_seen.get_or_insert(read.number);
            }
        }
    }
}

impl<'a> Read<'a> {
    fn new(number: usize, operation: &'a Operation) -> Option<Self> {
        let Outcome::Seen { revision, events: seen } = &operation.outcome else { return None };
        let mut events = BTreeMap::<&str, Vec<&str>>::new();
        for event in seen {
            events.entry(&event.event).or_default().push(&event.contents);
        }
        Some(Self { number, revision: *revision, events })
    }
}

impl EventFacts<'_> {
    /// A sending that was acknowledged before this moment.
    pub(super) fn acknowledged(&self, operations: &[Operation], before: u64) -> Option<usize> {
        let is_it = |number: &usize| {
            let operation = &operations[*number];
            operation.revision().is_some() && operation.is_before(before)
        };
        self.sends.iter().copied().find(is_it)
    }

    /// A sending, or else a read that showed it, from which it was certain before this moment
    /// that the event was there.
    pub(super) fn certain(&self, operations: &[Operation], before: u64) -> Option<usize> {
        let seen = || self.first_seen.filter(|read| operations[*read].is_before(before));
        self.acknowledged(operations, before).or_else(seen)
    }

    /// Sendings by which the event may have been stored before this moment.
    pub(super) fn possible<'b>(
        &'b self,
        operations: &'b [Operation],
        before: u64,
    ) -> impl Iterator<Item = usize> + 'b {
        let may_be_done = move |number: &usize| may_be_done(&operations[*number], before);
        self.sends.iter().copied().filter(may_be_done)
    }

    /// Whether it may have been retracted before this moment.
    pub(super) fn may_be_retracted(&self, operations: &[Operation], before: u64) -> bool {
        self.retractions.iter().any(|number| may_be_done(&operations[*number], before))
    }

    /// A retraction that was acknowledged before this moment, of an event that was certainly
    /// there when it was asked for.
    pub(super) fn retracted(&self, operations: &[Operation], before: u64) -> Option<usize> {
        let is_it = |number: &usize| {
            let operation = &operations[*number];
            operation.revision().is_some()
                && operation.is_before(before)
                && self.certain(operations, operation.invoked).is_some()
        };
        self.retractions.iter().copied().find(is_it)
    }

    /// What these sendings said.
    pub(super) fn contents(
        operations: &[Operation],
        sends: impl Iterator<Item = usize>,
    ) -> BTreeSet<&str> {
        let contents = |number: usize| match &operations[number].request {
            Request::Record { contents, .. } => Some(contents.as_str()),
            Request::Retract { .. } | Request::Read { .. } => None,
        };
        sends.filter_map(contents).collect()
    }
}

/// Whether an operation may have happened before this moment.
fn may_be_done(operation: &Operation, before: u64) -> bool {
    operation.invoked < before && operation.outcome != Outcome::Refused
}
