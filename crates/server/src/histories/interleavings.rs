//! The cache against a model, in any order of steps that readers, writers and the follower of a
//! store can take.

use std::collections::BTreeMap;

use proptest::prelude::*;
use recommender::{Event, EventKind, ItemNumber};
use storage::{Revisions, UserRevision};

use super::kept::Kept;
use super::striped::Ticket;
use super::*;

const USERS: u32 = 4;
const READERS: usize = 3;

/// One step of somebody.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A reader begins with a user, reads the store, keeps what it read.
    Begin(usize, u32),
    Read(usize),
    Keep(usize),
    /// This process commits, and takes that up; or another process commits.
    Commit(Deed),
    /// This process finds that what it was told was written before, for each user in a set of bits.
    Repeat(u32),
    TakeUp,
    CommitElsewhere(Deed),
    /// Another process deletes a user.
    Remove(u32),
    /// The follower reads the shop's row, then who was touched, then takes it up.
    Look,
    LookAtUsers,
    TakeUpUsers,
}

/// What a commit does: an event for each user in a set of bits, or a retraction; and for whom it
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
    let step = prop_oneof![
        3 => (0..READERS, 1..=USERS).prop_map(|(reader, user)| Step::Begin(reader, user)),
        3 => (0..READERS).prop_map(Step::Read),
        3 => (0..READERS).prop_map(Step::Keep),
        3 => deed.clone().prop_map(Step::Commit),
        2 => (1..1_u32 << USERS).prop_map(Step::Repeat),
        3 => Just(Step::TakeUp),
        2 => deed.prop_map(Step::CommitElsewhere),
        1 => (1..=USERS).prop_map(Step::Remove),
        2 => Just(Step::Look),
        2 => Just(Step::LookAtUsers),
        2 => Just(Step::TakeUpUsers),
    ];
    prop::collection::vec(step, 1..120)
}

/// A user's revision and items.
type State = (i64, Vec<u32>);

#[derive(Default)]
struct Reader {
    begun: Option<(UserNumber, Ticket)>,
    read: Option<Arc<History>>,
}

/// The store, and everybody around it.
struct World {
    kept: Kept,
    revisions: Revisions,
    /// All states of each user, in their order; the first has nothing.
    states: BTreeMap<u32, Vec<State>>,
    /// The first of these that an entry may be in.
    oldest: BTreeMap<u32, usize>,
    items: u32,
    readers: [Reader; READERS],
    own: Option<(Group, BTreeMap<u32, usize>)>,
    look: Option<(i64, Revisions, BTreeMap<u32, usize>)>,
    /// Who was touched, and the shop's row after that was read.
    users: Option<(Vec<UserRevision>, Revisions)>,
}

impl World {
    fn new() -> Self {
        let states = (1..=USERS).map(|user| (user, vec![(0, Vec::new())]));
        Self {
            kept: Kept::new(1 << 20, 1000),
            revisions: Revisions::default(),
            states: states.collect(),
            oldest: (1..=USERS).map(|user| (user, 0)).collect(),
            items: 0,
            readers: Default::default(),
            own: None,
            look: None,
            users: None,
        }
    }

    fn now(&self, user: u32) -> State {
        self.states[&user].last().cloned().unwrap()
    }

    /// Which state each user is in.
    fn places(&self) -> BTreeMap<u32, usize> {
        self.states.iter().map(|(user, states)| (*user, states.len() - 1)).collect()
    }

    fn commit(&mut self, deed: Deed) -> Group {
        self.revisions.events += 1;
        let revision = self.revisions.events;
        let mut group = Group { revision, users_touched: 1, ..Group::default() };
        for user in (1..=USERS).filter(|user| deed.users & (1 << (user - 1)) > 0) {
            let (_, mut items) = self.now(user);
            let change = group.changes.entry(UserNumber(user)).or_default();
            if deed.retracts {
                items.pop();
                change.is_retracted = true;
            } else {
                self.items += 1;
                items.push(self.items);
                change.events.push(event(self.items));
            }
            self.states.get_mut(&user).unwrap().push((revision, items));
        }
        group
    }

    /// From now on entries have to be in these states or later ones.
    fn expect(&mut self, places: &BTreeMap<u32, usize>) {
        for (user, place) in places {
            let oldest = self.oldest.get_mut(user).unwrap();
            *oldest = (*oldest).max(*place);
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Begin(reader, user) => {
                let user = UserNumber(user);
                let begun = Some((user, self.kept.ticket(user)));
                self.readers[reader] = Reader { begun, read: None };
            }
            Step::Read(reader) => {
                let Some((user, _)) = self.readers[reader].begun else { return };
                let (revision, items) = self.now(user.0);
                let events = items.into_iter().map(event).collect();
                let read = History { revision, events, ..History::default() };
                self.readers[reader].read = Some(Arc::new(read));
            }
            Step::Keep(reader) => {
                let Reader { begun, read } = std::mem::take(&mut self.readers[reader]);
                if let (Some((user, ticket)), Some(read)) = (begun, read) {
                    self.kept.keep(ticket, user, &read);
                }
            }
            Step::Commit(deed) if self.own.is_none() => {
                let group = self.commit(deed);
                self.begin_own(group, deed.repeats);
            }
            Step::Repeat(users) if self.own.is_none() => {
                let revision = self.revisions.events;
                self.begin_own(Group { revision, ..Group::default() }, users);
            }
            Step::Commit(_) | Step::Repeat(_) => {}
            Step::TakeUp => {
                let Some((group, places)) = self.own.take() else { return };
                self.kept.take_up(group);
                self.expect(&places);
            }
            Step::CommitElsewhere(deed) => drop(self.commit(deed)),
            Step::Remove(user) => {
                self.revisions.removals += 1;
                self.revisions.events += 1;
                self.states.get_mut(&user).unwrap().push((0, Vec::new()));
            }
            Step::Look => {
                self.look = Some((self.kept.known(), self.revisions, self.places()));
                self.users = None;
            }
            Step::LookAtUsers => {
                let Some((known, ..)) = &self.look else { return };
                let touched = |user: u32| {
                    let (revision, _) = self.now(user);
                    let user = UserNumber(user);
                    (revision > *known).then_some(UserRevision { user, revision })
                };
                let users = (1..=USERS).filter_map(touched).collect();
                self.users = Some((users, self.revisions));
            }
            Step::TakeUpUsers => self.take_up_users(),
        }
    }

    /// A commit of this process, which found some things that had been written before.
    fn begin_own(&mut self, mut group: Group, repeats: u32) {
        for user in (1..=USERS).filter(|user| repeats & (1 << (user - 1)) > 0) {
            if !self.now(user).1.is_empty() {
                group.changes.entry(UserNumber(user)).or_default().is_repeated = true;
            }
        }
        let of_group = |user: &u32| group.changes.contains_key(&UserNumber(*user));
        let named = self.places().into_iter().filter(|(user, _)| of_group(user)).collect();
        self.own = Some((group, named));
    }

    /// As the follower does.
    fn take_up_users(&mut self) {
        let (Some((known, revisions, places)), users) = (self.look.take(), self.users.take())
        else {
            return;
        };
        if known == super::kept::NOTHING || revisions.removals != self.kept.removals() {
            drop(self.kept.forget_all(&revisions));
        } else if let Some((users, after)) = users {
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

    fn check(&self) {
        for user in 1..=USERS {
            let known = self.kept.known();
            let Some(kept) = self.kept.history(UserNumber(user)) else { continue };
            let mut items: Vec<u32> = kept.events.iter().map(|event| event.item.0).collect();
            items.sort_unstable();
            let states = &self.states[&user];
            let found = states.iter().rposition(|state| *state == (kept.revision, items.clone()));
            let found = found.unwrap_or_else(|| panic!("{user} never was {kept:?}: {states:?}"));
            assert!(found >= self.oldest[&user], "{user} is in an old state, {kept:?}: {states:?}");
            // What is known is there.
            let later = &states[found + 1..];
            let is_missed = |state: &State| (1..=known).contains(&state.0);
            assert!(!later.iter().any(is_missed), "{user} lacks what is known, {known}");
        }
    }
}

fn event(item: u32) -> Event {
    let (kind, item) = (EventKind::Purchase, ItemNumber(item));
    Event { item, kind, rating: None, time_ms: None }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

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
