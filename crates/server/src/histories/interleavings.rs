//! The cache against a model, in any order of steps that readers, writers and the follower of a
//! store can take.

use std::collections::BTreeMap;

use proptest::prelude::*;
use recommender::id::FIRST_ASSIGNED;
use recommender::{Event, EventKind, ItemNumber};
use storage::{Committed, Merged, Revisions, UserRevision};

use super::kept::Kept;
use super::striped::Ticket;
use super::*;
use crate::users::Merge;

/// Ids, of which the first are their own numbers.
const USERS: u32 = 4;
const OWN: u32 = 2;
const READERS: usize = 3;

/// One step of somebody.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A reader begins with an id.
    Begin(usize, u32),
    /// It goes on: reads where the id leads; begins with that user; reads them; keeps it all.
    Go(usize),
    /// This process commits, and takes that up; or another process commits.
    Commit(Deed),
    /// This process finds that what it was told was written before, for each id in a set of bits.
    Repeat(u32),
    Merge(u32, u32),
    TakeUp,
    CommitElsewhere(Deed),
    MergeElsewhere(u32, u32),
    /// Another process deletes a user.
    Remove(u32),
    /// The follower reads the shop's row, then who was touched, then takes it up.
    Look,
    LookAtUsers,
    TakeUpUsers,
}

/// What a commit does: an event for each id in a set of bits, or a retraction; and for whom it
/// finds something that was written before.
#[derive(Clone, Copy, Debug)]
struct Deed {
    users: u32,
    retracts: bool,
    repeats: u32,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let deed = (1..1_u32 << USERS, prop::bool::weighted(0.2), 0..1_u32 << USERS)
        .prop_map(|(users, retracts, repeats)| Deed { users, retracts, repeats });
    let pair = || (1..=USERS, 1..=USERS);
    let step = prop_oneof![
        4 => (0..READERS, 1..=USERS).prop_map(|(reader, id)| Step::Begin(reader, id)),
        16 => (0..READERS).prop_map(Step::Go),
        3 => deed.clone().prop_map(Step::Commit),
        2 => (1..1_u32 << USERS).prop_map(Step::Repeat),
        1 => pair().prop_map(|(from, into)| Step::Merge(from, into)),
        3 => Just(Step::TakeUp),
        2 => deed.prop_map(Step::CommitElsewhere),
        1 => pair().prop_map(|(from, into)| Step::MergeElsewhere(from, into)),
        1 => (1..=USERS).prop_map(Step::Remove),
        2 => Just(Step::Look),
        2 => Just(Step::LookAtUsers),
        2 => Just(Step::TakeUpUsers),
    ];
    prop::collection::vec(step, 1..160)
}

/// A user's revision and items.
type State = (i64, Vec<u32>);

/// How far a reader is.
#[derive(Clone, Debug, Default)]
enum Reader {
    #[default]
    Idle,
    Begun(u32, Ticket),
    /// It knows where the id leads.
    Led(u32, Ticket, UserNumber),
    Ready(u32, Ticket, UserNumber, Ticket),
    Read(u32, Ticket, UserNumber, Ticket, Arc<History>),
}

/// The store, and everybody around it.
struct World {
    kept: Kept,
    revisions: Revisions,
    /// The number of each id, and where it leads.
    numbers: BTreeMap<u32, u32>,
    leads: BTreeMap<u32, u32>,
    next_number: u32,
    /// Each user.
    users: BTreeMap<u32, State>,
    /// The revision of each merge that touched who was merged.
    merged: BTreeMap<u32, i64>,
    /// All states of the user that each id led to, in their order; the first has nothing.
    states: BTreeMap<u32, Vec<State>>,
    /// The first of these that an answer may be in.
    oldest: BTreeMap<u32, usize>,
    items: u32,
    readers: [Reader; READERS],
    own: Option<(Group, BTreeMap<u32, usize>)>,
    look: Option<(i64, Revisions, BTreeMap<u32, usize>)>,
    /// Who was touched, and the shop's row after that was read.
    touched: Option<(Vec<UserRevision>, Revisions)>,
}

impl World {
    fn new() -> Self {
        let number = |id| if id <= OWN { id } else { FIRST_ASSIGNED + id };
        let numbers: BTreeMap<u32, u32> = (1..=USERS).map(|id| (id, number(id))).collect();
        Self {
            kept: Kept::new(1 << 20, 1000),
            revisions: Revisions::default(),
            users: numbers.values().map(|user| (*user, State::default())).collect(),
            leads: numbers.clone(),
            numbers,
            next_number: FIRST_ASSIGNED + USERS + 1,
            merged: BTreeMap::new(),
            states: (1..=USERS).map(|id| (id, vec![State::default()])).collect(),
            oldest: (1..=USERS).map(|id| (id, 0)).collect(),
            items: 0,
            readers: Default::default(),
            own: None,
            look: None,
            touched: None,
        }
    }

    /// Which state each id is in.
    fn places(&self) -> BTreeMap<u32, usize> {
        self.states.iter().map(|(id, states)| (*id, states.len() - 1)).collect()
    }

    /// Writes down the states that ids are in since a commit.
    fn note(&mut self) {
        for (id, states) in &mut self.states {
            let state = &self.users[&self.leads[id]];
            if states.last() != Some(state) {
                states.push(state.clone());
            }
        }
    }

    fn commit(&mut self, deed: Deed) -> Group {
        self.revisions.events += 1;
        let revision = self.revisions.events;
        let mut group = Group { revision, users_touched: 1, ..Group::default() };
        for id in ids_in(deed.users) {
            let user = self.leads[&id];
            group.ids.push((text(id).into(), UserNumber(user)));
            let change = group.changes.entry(UserNumber(user)).or_default();
            let (last, items) = self.users.get_mut(&user).unwrap();
            *last = revision;
            if deed.retracts {
                items.pop();
                change.is_retracted = true;
            } else {
                self.items += 1;
                items.push(self.items);
                change.events.push(event(self.items));
            }
        }
        self.note();
        group
    }

    /// Gives everything of one user to another, as the store does; what the commit did, if it may.
    fn merge(&mut self, from: u32, into: u32) -> Option<Merge> {
        let ids = [from, into].map(|id| text(id).into());
        let (from, leads, into) = (self.numbers[&from], self.leads[&from], self.leads[&into]);
        if leads != from || from == into {
            return None;
        }
        let revision = self.revisions.events + 1;
        let (from_before, mut items) = self.users.insert(from, State::default()).unwrap();
        let (into_revision, into_items) = self.users.get_mut(&into).unwrap();
        let (touches_from, touches_into) =
            (from_before > 0, *into_revision > 0 || !items.is_empty());
        into_items.append(&mut items);
        if touches_from {
            self.merged.insert(from, revision);
        }
        if touches_into {
            *into_revision = revision;
        }
        let users_touched = u64::from(touches_from) + u64::from(touches_into);
        if users_touched > 0 {
            self.revisions.events = revision;
        }
        self.leads.values_mut().filter(|user| **user == from).for_each(|user| *user = into);
        self.note();
        let committed = Committed {
            users_touched,
            events_revision: self.revisions.events,
            catalogue_revision: 0,
        };
        let users = [UserNumber(from), UserNumber(into)];
        Some(Merge { merged: Merged::default(), ids, users, committed })
    }

    fn remove(&mut self, id: u32) {
        self.revisions.removals += 1;
        self.revisions.events += 1;
        let user = self.leads[&id];
        self.users.insert(user, State::default());
        for (id, lead) in self.leads.iter_mut().filter(|(_, lead)| **lead == user) {
            let number = self.numbers.get_mut(id).unwrap();
            self.merged.remove(number);
            // As if they came back at once, without having done anything.
            if *id > OWN {
                *number = self.next_number;
                self.next_number += 1;
                self.users.insert(*number, State::default());
            }
            *lead = *number;
        }
        self.note();
    }

    /// From now on answers have to be of these states or later ones.
    fn expect(&mut self, places: &BTreeMap<u32, usize>) {
        for (id, place) in places {
            let oldest = self.oldest.get_mut(id).unwrap();
            *oldest = (*oldest).max(*place);
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Begin(reader, id) => {
                self.readers[reader] = Reader::Begun(id, self.kept.ticket_of_id(&text(id)));
            }
            Step::Go(reader) => {
                let reader_before = std::mem::take(&mut self.readers[reader]);
                self.readers[reader] = self.go_on(reader_before);
            }
            Step::Commit(deed) if self.own.is_none() => {
                let group = self.commit(deed);
                self.begin_own(group, deed.users, deed.repeats);
            }
            Step::Repeat(users) if self.own.is_none() => {
                let revision = self.revisions.events;
                self.begin_own(Group { revision, ..Group::default() }, 0, users);
            }
            Step::Merge(from, into) if self.own.is_none() => {
                if let Some(merge) = self.merge(from, into) {
                    self.begin_own(merge.into(), bit(from) | bit(into), 0);
                }
            }
            Step::Commit(_) | Step::Repeat(_) | Step::Merge(..) => {}
            Step::TakeUp => {
                let Some((group, places)) = self.own.take() else { return };
                self.kept.take_up(group);
                self.expect(&places);
            }
            Step::CommitElsewhere(deed) => drop(self.commit(deed)),
            Step::MergeElsewhere(from, into) => drop(self.merge(from, into)),
            Step::Remove(id) => self.remove(id),
            Step::Look => {
                self.look = Some((self.kept.known(), self.revisions, self.places()));
                self.touched = None;
            }
            Step::LookAtUsers => {
                let Some((known, ..)) = &self.look else { return };
                let users = self.users.iter().map(|(user, (revision, _))| (user, revision));
                let all = users.chain(&self.merged);
                let touched = all.filter(|(_, revision)| *revision > known);
                let of = |(user, revision): (&u32, &i64)| UserRevision {
                    user: UserNumber(*user),
                    revision: *revision,
                };
                self.touched = Some((touched.map(of).collect(), self.revisions));
            }
            Step::TakeUpUsers => self.take_up_users(),
        }
    }

    fn go_on(&self, reader: Reader) -> Reader {
        match reader {
            Reader::Idle => Reader::Idle,
            Reader::Begun(id, of_id) => Reader::Led(id, of_id, UserNumber(self.leads[&id])),
            Reader::Led(id, of_id, user) => Reader::Ready(id, of_id, user, self.kept.ticket(user)),
            Reader::Ready(id, of_id, user, ticket) => {
                let (revision, items) = self.users[&user.0].clone();
                let events = items.into_iter().map(event).collect();
                let read = Arc::new(History { revision, events, ..History::default() });
                Reader::Read(id, of_id, user, ticket, read)
            }
            Reader::Read(id, of_id, user, ticket, read) => {
                self.kept.keep(ticket, user, &read);
                self.kept.keep_lead(of_id, &text(id), user, read.revision);
                Reader::Idle
            }
        }
    }

    /// A commit of this process for these ids, which for others found something that had been
    /// written before.
    fn begin_own(&mut self, mut group: Group, ids: u32, repeats: u32) {
        for id in ids_in(repeats) {
            let user = self.leads[&id];
            group.ids.push((text(id).into(), UserNumber(user)));
            if !self.users[&user].1.is_empty() {
                group.changes.entry(UserNumber(user)).or_default().is_repeated = true;
            }
        }
        let mut named = self.places();
        named.retain(|id, _| (ids | repeats) & bit(*id) > 0);
        self.own = Some((group, named));
    }

    /// As the follower does.
    fn take_up_users(&mut self) {
        let (Some((known, revisions, places)), touched) = (self.look.take(), self.touched.take())
        else {
            return;
        };
        if known == super::kept::NOTHING || revisions.removals != self.kept.removals() {
            drop(self.kept.forget_all(&revisions));
        } else if let Some((users, after)) = touched {
            if after.removals == revisions.removals {
                self.kept.take_up_users(&users, &revisions);
            } else {
                drop(self.kept.forget_all(&after));
            }
        } else {
            return;
        }
        self.expect(&places);
    }

    /// Looks at what each id would be answered from memory, as `find` does.
    fn check(&self) {
        for (id, states) in &self.states {
            let known = self.kept.known();
            let Some(lead) = self.kept.lead(&text(*id)) else { continue };
            let Some(kept) = self.kept.history(lead.number) else { continue };
            if lead.revision > kept.revision.max(known) {
                continue;
            }
            let mut items: Vec<u32> = kept.events.iter().map(|event| event.item.0).collect();
            items.sort_unstable();
            let is_kept = |state: &State| {
                let mut all = state.1.clone();
                all.sort_unstable();
                state.0 == kept.revision && all == items
            };
            let found = states.iter().rposition(is_kept);
            let found = found.unwrap_or_else(|| panic!("{id} never was {kept:?}: {states:?}"));
            assert!(found >= self.oldest[id], "{id} is in an old state, {kept:?}: {states:?}");
            // What is known is there.
            let later = &states[found + 1..];
            let is_missed = |state: &State| (1..=known).contains(&state.0);
            assert!(!later.iter().any(is_missed), "{id} lacks what is known, {known}: {states:?}");
        }
    }
}

/// An id as the shop has it.
fn text(id: u32) -> String {
    if id <= OWN { id.to_string() } else { format!("user {id}") }
}

/// The ids in a set of bits.
fn ids_in(bits: u32) -> impl Iterator<Item = u32> {
    (1..=USERS).filter(move |id| bits & bit(*id) > 0)
}

fn bit(id: u32) -> u32 {
    1 << (id - 1)
}

fn event(item: u32) -> Event {
    let (kind, item) = (EventKind::Purchase, ItemNumber(item));
    Event { item, kind, rating: None, time_ms: None }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn an_entry_has_everything_that_was_taken_up_whatever_the_order_of_steps(steps in steps()) {
        let mut world = World::new();
        // Somebody follows the store from the start.
        world.take(Step::Look);
        world.take(Step::TakeUpUsers);
        for step in steps {
            world.take(step);
            world.check();
        }
    }
}
