//! What is kept in memory; see [`histories`](super) for why it is exact.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use recommender::UserNumber;
use recommender::id::{FIRST_ASSIGNED, own_number};

use super::History;
use super::striped::{Striped, Ticket};
use super::taking_up::Progress;

/// What `known` is as long as nobody follows the store.
pub(super) const NOTHING: i64 = i64::MIN;

/// Of the bytes, the part for which number an id leads to, as a divisor. An id takes some 180 bytes
/// and a history some 250 and 24 for each event, so that of users with a dozen events as many fit in
/// as ids do. An id without a history is of no use, nor the other way round.
const IDS_PART: usize = 4;

/// What an id takes beside its text: the counts of its pointer.
const ID_BYTES: usize = 16;

/// Where an id leads. Either to its own number, or to one that was assigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lead {
    /// The user.
    pub(super) number: UserNumber,
    /// The id did not lead there before this revision, or not for certain: an entry of the user
    /// has to reflect it.
    pub(super) revision: i64,
}

/// Histories by number, and numbers by id.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) users: Striped<Arc<str>, Lead>,
    pub(super) histories: Striped<UserNumber, Arc<History>>,
    pub(super) progress: Mutex<Progress>,
    /// All commits up to this revision were taken up; [`NOTHING`] before somebody follows.
    pub(super) known: AtomicI64,
    pub(super) events_max: u32,
}

impl Kept {
    pub(super) fn new(bytes_max: usize, events_max: u32) -> Self {
        let ids = bytes_max / IDS_PART;
        Self {
            users: Striped::new(ids),
            histories: Striped::new(bytes_max - ids),
            progress: Mutex::default(),
            known: AtomicI64::new(NOTHING),
            events_max,
        }
    }

    /// All commits up to this revision were taken up, and what is got after this has them.
    pub(super) fn known(&self) -> i64 {
        self.known.load(Ordering::Acquire)
    }

    /// How many bytes are held.
    pub(super) fn bytes(&self) -> usize {
        self.users.bytes() + self.histories.bytes()
    }

    pub(super) fn lead(&self, id: &str) -> Option<Lead> {
        self.users.get(id)
    }

    pub(super) fn history(&self, user: UserNumber) -> Option<Arc<History>> {
        self.histories.get(&user)
    }

    pub(super) fn ticket_of_id(&self, id: &str) -> Ticket {
        self.users.ticket(id)
    }

    pub(super) fn ticket(&self, user: UserNumber) -> Ticket {
        self.histories.ticket(&user)
    }

    /// Keeps where an id leads, as of a commit of ours.
    pub(super) fn put_lead(&self, id: Arc<str>, lead: Lead) {
        if leads_to_nobody_else(&id, lead.number) {
            let bytes = bytes_of_id(&id);
            self.users.put(id, lead, bytes);
        } else {
            self.users.change(&id, |_| None);
        }
    }

    /// Keeps where an id leads, as it was read since the ticket was taken. `revision` is that of the
    /// user's history, which was read after it; of a user without one nothing is kept, as below.
    pub(super) fn keep_lead(&self, ticket: Ticket, id: &str, number: UserNumber, revision: i64) {
        if self.known() != NOTHING && revision > 0 && leads_to_nobody_else(id, number) {
            self.users.insert(ticket, id.into(), Lead { number, revision }, bytes_of_id(id));
        }
    }

    /// Keeps what is known of a user, as it was read since the ticket was taken. Not of somebody
    /// without a revision: whether they never had an event, or were removed or merged after one that
    /// is yet to be taken up, nobody could tell.
    pub(super) fn keep(&self, ticket: Ticket, user: UserNumber, history: &Arc<History>) {
        if self.known() != NOTHING && history.revision > 0 {
            self.histories.insert(ticket, user, Arc::clone(history), history.bytes());
        }
    }
}

/// Whether a number is of no use to anybody else, ever: if its user is removed, only this id brings
/// it back.
fn leads_to_nobody_else(id: &str, number: UserNumber) -> bool {
    number.0 >= FIRST_ASSIGNED || own_number(id) == Some(number.0)
}

/// What an id takes on the heap. It is twice in the cache, behind one pointer.
fn bytes_of_id(id: &str) -> usize {
    id.len() + ID_BYTES
}
