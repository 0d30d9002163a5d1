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
//! 3. Taking up is done by one at a time, in any order: forgetting needs no order, and adding
//!    checks for itself that it is next.
//! 4. Entries are of users by number, and numbers by the shop's id are cached apart. Numbers are
//!    never used again; which id leads to which changes only by a removal or a merge, after which
//!    everything is forgotten, and with an event for an id that has just been removed elsewhere,
//!    which takes up where its id leads.
//! 5. Nothing is kept before somebody follows the store ([`follow`]).
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
mod reach;
mod striped;
mod taking_up;

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use recommender::UserNumber;
use storage::{Store, StoreError};

pub(crate) use figures::HistoryFigures;
pub use find::Fresh;
pub(crate) use find::Known;
pub(crate) use history::{Change, History};
pub(crate) use taking_up::Group;

use history::IMPRESSIONS_MAX;
use reach::Reach;
use striped::Striped;
use taking_up::Progress;

/// What `known` is as long as nobody follows the store.
const NOTHING: i64 = i64::MIN;

/// Of the bytes, the part for which number an id leads to, as a divisor.
const IDS_PART: usize = 8;

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
    users: Striped<Arc<str>, UserNumber>,
    histories: Striped<UserNumber, Arc<History>>,
    progress: Mutex<Progress>,
    /// All commits up to this revision were taken up; [`NOTHING`] before somebody follows.
    known: AtomicI64,
    reach: Reach,
    figures: HistoryFigures,
}

impl Histories {
    pub(crate) fn new(store: Store, limits: HistoryLimits) -> Self {
        let ids = limits.bytes_max / IDS_PART;
        Self {
            store,
            users: Striped::new(ids),
            histories: Striped::new(limits.bytes_max - ids),
            limits,
            progress: Mutex::default(),
            known: AtomicI64::new(NOTHING),
            reach: Reach::new(),
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
        self.users.bytes() + self.histories.bytes()
    }

    fn known(&self) -> i64 {
        self.known.load(Ordering::Acquire)
    }

    /// Where an id leads in the store. What it finds is kept.
    async fn number(&self, id: &str) -> Result<Option<UserNumber>, StoreError> {
        let ticket = self.users.ticket(id);
        let number = self.store.user_number(id).await?;
        if let Some(number) = number
            && self.known() != NOTHING
        {
            let key: Arc<str> = id.into();
            // Twice in the cache, behind one pointer.
            self.users.insert(ticket, key, number, id.len() + 16);
        }
        Ok(number)
    }

    /// What the store knows of a user. What it finds is kept.
    async fn read(&self, user: UserNumber) -> Result<Arc<History>, StoreError> {
        let ticket = self.histories.ticket(&user);
        let events_max = self.limits.events_max;
        // The revision comes with the events. What is read after them may be newer, never older.
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
        let history = Arc::new(History { revision: read.revision, events, settled, impressions });
        if self.known() != NOTHING {
            self.histories.insert(ticket, user, Arc::clone(&history), history.bytes());
        }
        Ok(history)
    }
}
