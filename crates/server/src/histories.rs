//! Histories: a bounded cache of what is known of users, never behind what was acknowledged here.
//!
//! What has to hold: once an event is acknowledged by this process, no answer that begins later
//! lacks it; and what another process committed is in every answer within a second.
//!
//! The argument. Say that a commit is *taken up* when each user that it touched was changed in the
//! cache: their entry now has it, or is gone. A commit of this process is taken up after it is
//! durable and before anybody is told of it; one of another process, when [`follow`] finds it.
//!
//! 1. A reader takes a ticket, reads the store, puts its entry in. A commit that was taken up
//!    before the ticket was in the store before the reading began, so the entry has it. One that
//!    is taken up between the ticket and the putting in makes the ticket void
//!    ([`striped`]). One that is taken up later changes the entry. So an entry always has every
//!    commit that was taken up, and nobody who reads the store can put back what is older.
//! 2. A commit may be added to an entry without reading only if the entry has every commit before
//!    it. `known` is the revision up to which all commits, of all processes, were taken up; commits
//!    are numbered without gaps, in their order. If a commit of ours is the next one, entries have
//!    all before it, by 1. If it is not, others have committed in between: then it forgets the
//!    entries instead of changing them, and `known` stays until [`follow`] has taken up the others.
//!    An entry that was read after the commit has its revision, and is left alone.
//!    What is acknowledged as written before may have come with any commit, of another process or
//!    one of ours of which nobody knew whether it went well: unless `known` has all of them, the
//!    entry is forgotten as well.
//! 3. Taking up is done by one at a time, in any order: forgetting needs no order, and adding
//!    checks for itself that it is next.
//! 4. Entries are of users by number; where an id leads is cached apart, with the revision that
//!    the entry there has to reflect ([`Lead`](kept::Lead)): an entry that is older may lack what
//!    the id brought along when it was merged. Where there is no entry, the store is asked where
//!    the id leads. Numbers that were assigned are never used again, and an id that is its own
//!    number leads there or to whom it was merged into. Only another's own number may come to be
//!    somebody new, after a removal: where an id leads to one is not kept.
//! 5. A merge touches both users, so that both their entries are forgotten. Ids may lead to the
//!    merged one for a while, but to no entry: the store has no history of who was merged, and so
//!    nobody puts one in.
//! 6. Who was removed is not among those that the store lists as touched. So the shop's row, which
//!    counts removals, is read before and after that list; if it changed, everything is forgotten.
//!    A removal is a commit with a number of its own, so that none of ours is next to one before it.
//! 7. Nothing is kept before somebody follows the store ([`follow`]).
//!
//! A user's revision is the number of the commit that last touched them, so an answer that must
//! have an event finds out by the revision in its acknowledgement: the entry has it if its own
//! revision is as high, or `known` is. Else the store is read, whatever the cache holds.
//!
//! Impressions are not part of revisions. One that is recorded while the user is being read may
//! count twice in the entry, until it is read anew.

pub(crate) mod figures;
mod find;
mod follow;
mod history;
#[cfg(test)]
mod interleavings;
mod kept;
mod reach;
mod striped;
mod taking_up;
mod trouble;

use std::sync::Arc;

use recommender::UserNumber;
use storage::{Store, StoreError};

pub(crate) use figures::HistoryFigures;
pub use find::Fresh;
pub(crate) use find::Known;
pub(crate) use history::{Change, History};
pub(crate) use taking_up::Group;

use history::IMPRESSIONS_MAX;
use kept::Kept;
use reach::Reach;
use trouble::Trouble;

/// What histories are held to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HistoryLimits {
    /// The most bytes of all of them.
    pub(crate) bytes_max: usize,
    /// The most events of one user.
    pub(crate) events_max: u32,
    /// Whether what users were shown is asked for.
    pub(crate) impressions: Impressions,
}

/// Whether a shelf goes by what its reader was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Impressions {
    /// It does.
    Read,
    /// It does not.
    Ignored,
}

/// What is known of users: from memory, else from the store.
#[derive(Debug)]
pub(crate) struct Histories {
    store: Store,
    limits: HistoryLimits,
    kept: Kept,
    reach: Reach,
    trouble: Trouble,
    figures: HistoryFigures,
}

impl Histories {
    pub(crate) fn new(store: Store, limits: HistoryLimits) -> Self {
        Self {
            store,
            kept: Kept::new(limits.bytes_max, limits.events_max),
            limits,
            reach: Reach::new(),
            trouble: Trouble::default(),
            figures: HistoryFigures::default(),
        }
    }

    /// What is counted.
    pub(crate) fn figures(&self) -> &HistoryFigures {
        &self.figures
    }

    /// Whether the store can be reached, and how long ago it was looked at.
    pub(crate) fn reach(&self) -> &Reach {
        &self.reach
    }

    /// How many bytes are held.
    pub(crate) fn bytes(&self) -> usize {
        self.kept.bytes()
    }

    /// Takes up a commit of this process, before anybody is told of it. Waits for others who do,
    /// and so is nothing for async threads.
    pub(crate) fn take_up(&self, group: Group) {
        self.kept.take_up(group);
    }

    /// What the store knows of a user. What it finds is kept.
    async fn read(&self, user: UserNumber) -> Result<Arc<History>, StoreError> {
        let ticket = self.kept.ticket(user);
        let mut history = self.read_parts(user).await?;
        let is_one_reading = self.limits.impressions == Impressions::Ignored
            && history.events.len() < self.limits.events_max as usize;
        // Whoever was merged into another between the readings has left the later parts there.
        if history.revision > 0 && !is_one_reading && self.store.merged_into(user).await?.is_some()
        {
            history = History::default();
        }
        let history = Arc::new(history);
        self.kept.keep(ticket, user, &history);
        Ok(history)
    }

    /// The parts of a history, one after the other. The revision comes with the events: what is read
    /// after them may be newer, never older, unless the user is merged into another meanwhile.
    async fn read_parts(&self, user: UserNumber) -> Result<History, StoreError> {
        let events_max = self.limits.events_max;
        let read = self.store.history(user, events_max).await?;
        // What the newest events leave out may still hold books that the user has.
        let settled = if read.events.len() < events_max as usize {
            Vec::new()
        } else {
            self.store.settled_items(user).await?
        };
        let impressions = match self.limits.impressions {
            Impressions::Read => self.store.impressions(user, IMPRESSIONS_MAX).await?,
            Impressions::Ignored => Vec::new(),
        };
        let events = read.events.iter().map(Into::into).collect();
        Ok(History { revision: read.revision, events, settled, impressions })
    }
}
