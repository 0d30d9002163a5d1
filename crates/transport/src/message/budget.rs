//! The bytes of unfinished messages, all connections together.
//!
//! When there is no room for another message, the connection that holds the most loses its
//! oldest one. So a peer that fills memory with messages that it never ends takes from itself,
//! and an honest one beside it finds room.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::task::AtomicWaker;
use slab::Slab;

use crate::connection::Connection;

/// A bound on bytes. Shared by all connections of a server.
#[derive(Debug)]
pub(crate) struct Budget {
    max: usize,
    holders: Mutex<Holders>,
}

#[derive(Debug, Default)]
struct Holders {
    bytes: usize,
    all: Slab<Arc<Holder>>,
    /// The next one's place in the order of their coming.
    next: u64,
}

#[derive(Debug)]
struct Holder {
    connection: Arc<Connection>,
    bytes: usize,
    number: u64,
    taken_away: AtomicBool,
    waker: AtomicWaker,
}

/// Room for a message; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Hold {
    budget: Arc<Budget>,
    holder: Arc<Holder>,
    key: usize,
}

impl Budget {
    pub(crate) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max, holders: Mutex::default() })
    }

    /// Bytes that are held.
    pub(crate) fn bytes(&self) -> usize {
        self.lock().bytes
    }

    /// Takes room for a message of a connection; `None` if that connection holds the most
    /// itself, or the message is larger than all there is.
    pub(crate) fn hold(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        bytes: usize,
    ) -> Option<Hold> {
        let mut holders = self.lock();
        while holders.bytes + bytes > self.max {
            let victim = holders.victim()?;
            let others = victim.connection.held.load(Ordering::Relaxed);
            if Arc::ptr_eq(&victim.connection, connection)
                || others < connection.held.load(Ordering::Relaxed) + bytes
            {
                return None;
            }
            holders.take_away(&victim);
        }
        let number = holders.next;
        holders.next += 1;
        holders.bytes += bytes;
        connection.held.fetch_add(bytes, Ordering::Relaxed);
        let holder = Arc::new(Holder {
            connection: Arc::clone(connection),
            bytes,
            number,
            taken_away: AtomicBool::new(false),
            waker: AtomicWaker::new(),
        });
        let key = holders.all.insert(Arc::clone(&holder));
        Some(Hold { budget: Arc::clone(self), holder, key })
    }

    fn lock(&self) -> MutexGuard<'_, Holders> {
        self.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Holders {
    /// The oldest message of the connection that holds the most. Costs a look at all.
    fn victim(&self) -> Option<Arc<Holder>> {
        let live = self.all.iter().map(|(_, holder)| holder);
        let live = live.filter(|holder| !holder.taken_away.load(Ordering::Relaxed));
        let order = |holder: &&Arc<Holder>| {
            let held = holder.connection.held.load(Ordering::Relaxed);
            (held, Arc::as_ptr(&holder.connection).addr(), std::cmp::Reverse(holder.number))
        };
        live.max_by_key(order).cloned()
    }

    fn take_away(&mut self, holder: &Holder) {
        holder.taken_away.store(true, Ordering::Release);
        self.release(holder);
        holder.waker.wake();
    }

    fn release(&mut self, holder: &Holder) {
        self.bytes -= holder.bytes;
        holder.connection.held.fetch_sub(holder.bytes, Ordering::Relaxed);
    }
}

impl Hold {
    /// Whether the room was given to another. If not, the task is woken when it is.
    pub(crate) fn is_taken_away(&self, cx: &std::task::Context<'_>) -> bool {
        self.holder.waker.register(cx.waker());
        self.holder.taken_away.load(Ordering::Acquire)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut holders = self.budget.lock();
        holders.all.remove(self.key);
        if !self.holder.taken_away.load(Ordering::Relaxed) {
            holders.release(&self.holder);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;

    fn connection() -> Arc<Connection> {
        Connection::new(None, u64::MAX)
    }

    fn is_lost(hold: &Hold) -> bool {
        hold.is_taken_away(&Context::from_waker(Waker::noop()))
    }

    #[test]
    fn room_comes_back_when_a_message_ends() {
        let (budget, one) = (Budget::new(100), connection());
        let hold = budget.hold(&one, 80).unwrap();
        assert_eq!(budget.bytes(), 80);
        drop(hold);
        assert_eq!((budget.bytes(), one.held.load(Ordering::Relaxed)), (0, 0));
    }

    #[test]
    fn whoever_holds_the_most_makes_room_with_its_oldest() {
        let budget = Budget::new(100);
        let (greedy, good) = (connection(), connection());
        let holds: Vec<_> = (0..5).map(|_| budget.hold(&greedy, 20).unwrap()).collect();
        let _room = budget.hold(&good, 30).unwrap();
        let lost: Vec<bool> = holds.iter().map(is_lost).collect();
        assert_eq!(lost, [true, true, false, false, false]);
        assert_eq!(budget.bytes(), 90);
        drop(holds);
        assert_eq!(budget.bytes(), 30);
    }

    #[test]
    fn the_greediest_takes_from_nobody() {
        let budget = Budget::new(100);
        let (greedy, good) = (connection(), connection());
        let small = budget.hold(&good, 10).unwrap();
        let _large = budget.hold(&greedy, 90).unwrap();
        assert!(budget.hold(&greedy, 10).is_none());
        assert!(budget.hold(&good, 101).is_none(), "more than there is");
        assert!(!is_lost(&small));
    }
}
