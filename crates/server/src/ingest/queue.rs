//! What waits to be written.
//!
//! Bounded by entries. Nobody holds room that they do not use: whoever waits for some is told that
//! there is, and looks again.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};

use super::{NewEntry, NotTaken, Written};

/// Tells what became of the entries of one call; gone without a word, if nobody knows.
pub(crate) type Receipt = oneshot::Receiver<Result<Written, NotTaken>>;

/// Entries that were handed over together.
#[derive(Debug)]
pub(super) struct Submission {
    pub(super) entries: Vec<NewEntry>,
    pub(super) reply: oneshot::Sender<Result<Written, NotTaken>>,
}

/// Why the queue takes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There is no room.
    Full,
    /// It is closed.
    Closed,
}

/// What waits to be written, in order.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    entries_max: usize,
    arrived: Notify,
    room: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    submissions: VecDeque<Submission>,
    entries: usize,
    is_closed: bool,
}

impl Queue {
    pub(super) fn new(entries_max: usize) -> Self {
        let (waiting, arrived, room) = (Mutex::default(), Notify::new(), Notify::new());
        Self { waiting, entries_max, arrived, room }
    }

    /// Puts entries at the end, or gives them back.
    pub(super) fn push(&self, entries: Vec<NewEntry>) -> Result<Receipt, (Refusal, Vec<NewEntry>)> {
        let mut waiting = self.lock();
        if waiting.is_closed {
            return Err((Refusal::Closed, entries));
        }
        if waiting.entries + entries.len() > self.entries_max {
            return Err((Refusal::Full, entries));
        }
        let (reply, receipt) = oneshot::channel();
        waiting.entries += entries.len();
        waiting.submissions.push_back(Submission { entries, reply });
        drop(waiting);
        self.arrived.notify_one();
        Ok(receipt)
    }

    /// Ends when there may be room again, counted from this call.
    pub(super) fn room(&self) -> impl Future<Output = ()> + '_ {
        let mut room = Box::pin(self.room.notified());
        room.as_mut().enable();
        room
    }

    /// Waits for submissions and takes from the front, up to so many entries but at least one
    /// submission. What nobody waits for any more is left out.
    pub(super) async fn take(&self, entries_max: usize) -> Vec<Submission> {
        loop {
            let taken = self.take_now(entries_max);
            if !taken.is_empty() {
                return taken;
            }
            self.arrived.notified().await;
        }
    }

    fn take_now(&self, entries_max: usize) -> Vec<Submission> {
        let mut waiting = self.lock();
        let (mut taken, mut entries) = (Vec::new(), 0);
        while let Some(next) = waiting.submissions.pop_front() {
            let count = next.entries.len();
            if next.reply.is_closed() {
                waiting.entries -= count;
            } else if taken.is_empty() || entries + count <= entries_max {
                waiting.entries -= count;
                entries += count;
                taken.push(next);
            } else {
                waiting.submissions.push_front(next);
                break;
            }
        }
        drop(waiting);
        self.room.notify_waiters();
        taken
    }

    /// Takes nothing any more, and gives out all that waits.
    pub(super) fn close(&self) -> VecDeque<Submission> {
        let mut waiting = self.lock();
        waiting.is_closed = true;
        waiting.entries = 0;
        let submissions = std::mem::take(&mut waiting.submissions);
        drop(waiting);
        // They are to find it closed.
        self.room.notify_waiters();
        submissions
    }

    /// Takes submissions again.
    pub(super) fn open(&self) {
        self.lock().is_closed = false;
    }

    pub(super) fn is_open(&self) -> bool {
        !self.lock().is_closed
    }

    /// How many entries wait.
    pub(super) fn waiting(&self) -> usize {
        self.lock().entries
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use storage::EventId;

    use super::super::What;
    use super::*;

    fn entries(count: usize) -> Vec<NewEntry> {
        let event_id = EventId::new(b"one").unwrap();
        vec![NewEntry { user_id: "ann".into(), event_id, what: What::Retraction }; count]
    }

    fn taken(queue: &Queue, entries_max: usize) -> Vec<usize> {
        let taken = queue.take(entries_max).now_or_never().unwrap_or_default();
        taken.iter().map(|submission| submission.entries.len()).collect()
    }

    #[test]
    fn groups_are_taken_in_order_and_no_larger_than_they_may_be() {
        let queue = Queue::new(100);
        let receipts: Vec<_> = [3, 4, 50, 1].map(|count| queue.push(entries(count))).into();
        assert_eq!(queue.waiting(), 58);
        assert_eq!(taken(&queue, 10), [3, 4]);
        assert_eq!(taken(&queue, 10), [50]);
        assert_eq!(taken(&queue, 10), [1]);
        assert_eq!((taken(&queue, 10), queue.waiting()), (vec![], 0));
        drop(receipts);
    }

    #[test]
    fn what_nobody_waits_for_is_dropped_and_makes_room() {
        let queue = Queue::new(10);
        drop(queue.push(entries(5)));
        let waiting = queue.push(entries(5));
        let room = queue.room();
        assert_eq!(queue.push(entries(1)).unwrap_err().0, Refusal::Full);
        assert_eq!(taken(&queue, 100), [5]);
        assert!(room.now_or_never().is_some());
        assert_eq!(queue.waiting(), 0);
        drop(waiting);
    }

    #[test]
    fn a_closed_queue_refuses_and_gives_back_what_it_had() {
        let queue = Queue::new(10);
        let receipt = queue.push(entries(5)).unwrap();
        let room = queue.room();
        assert_eq!(queue.close().len(), 1);
        assert!(room.now_or_never().is_some());
        assert!(receipt.now_or_never().unwrap().is_err());
        assert_eq!(queue.push(entries(1)).unwrap_err().0, Refusal::Closed);
        queue.open();
        assert!(queue.push(entries(10)).is_ok());
    }
}
