//! What waits to be written.
//!
//! Bounded by entries; [`Rooms`] says who may put some there.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};

use super::room::{NoRoom, Room, RoomLimits, Rooms};
use super::{NewEntry, NotTaken, Written};

/// Tells what became of the entries of one call; gone without a word, if nobody knows.
pub(crate) type Receipt = oneshot::Receiver<Result<Written, NotTaken>>;

/// Entries that were handed over together.
#[derive(Debug)]
pub(super) struct Submission {
    pub(super) entries: Vec<NewEntry>,
    pub(super) reply: oneshot::Sender<Result<Written, NotTaken>>,
}

/// The receipt of entries, or the entries and why they were not taken.
pub(super) type Pushed = Result<Receipt, (Refusal, Vec<NewEntry>)>;

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
    rooms: Rooms,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    submissions: VecDeque<(Submission, Room)>,
    entries: usize,
    is_closed: bool,
}

impl Queue {
    pub(super) fn new(limits: RoomLimits) -> Self {
        Self { waiting: Mutex::default(), rooms: Rooms::new(limits), arrived: Notify::new() }
    }

    /// Puts the entries of a unary call at the end, or gives them back.
    pub(super) fn push(&self, entries: Vec<NewEntry>) -> Pushed {
        match self.rooms.now(entries.len()) {
            Ok(room) => self.put(entries, room),
            Err(NoRoom) => Err((self.full(), entries)),
        }
    }

    /// Puts the entries of a stream at the end if there is room, or says why not; if they have to
    /// wait for it, gives them back.
    pub(super) fn push_of_stream(&self, entries: Vec<NewEntry>) -> Result<Pushed, Vec<NewEntry>> {
        match self.rooms.now_of_streams(entries.len()) {
            Some(room) => Ok(self.put(entries, room)),
            None => Err(entries),
        }
    }

    /// Puts the entries of a stream at the end once there is room, or gives them back. Whoever
    /// begins to wait goes on, or drops this: room is given to them in their turn.
    pub(super) async fn push_when_room(&self, entries: Vec<NewEntry>) -> Pushed {
        match self.rooms.wait(entries.len()).await {
            Ok(room) => self.put(entries, room),
            Err(NoRoom) => Err((self.full(), entries)),
        }
    }

    fn put(&self, entries: Vec<NewEntry>, room: Room) -> Pushed {
        let mut waiting = self.lock();
        if waiting.is_closed {
            return Err((Refusal::Closed, entries));
        }
        let (reply, receipt) = oneshot::channel();
        waiting.entries += entries.len();
        waiting.submissions.push_back((Submission { entries, reply }, room));
        drop(waiting);
        self.arrived.notify_one();
        Ok(receipt)
    }

    fn full(&self) -> Refusal {
        if self.is_open() { Refusal::Full } else { Refusal::Closed }
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
        while let Some((next, room)) = waiting.submissions.pop_front() {
            let count = next.entries.len();
            if next.reply.is_closed() {
                waiting.entries -= count;
            } else if taken.is_empty() || entries + count <= entries_max {
                waiting.entries -= count;
                entries += count;
                taken.push(next);
            } else {
                waiting.submissions.push_front((next, room));
                break;
            }
        }
        taken
    }

    /// Takes nothing any more, and gives out all that waits. Those who wait for room have it then,
    /// and find it closed.
    pub(super) fn close(&self) -> VecDeque<Submission> {
        let mut waiting = self.lock();
        waiting.is_closed = true;
        waiting.entries = 0;
        let submissions = std::mem::take(&mut waiting.submissions);
        drop(waiting);
        submissions.into_iter().map(|(submission, _)| submission).collect()
    }

    /// Takes submissions again.
    pub(super) fn open(&self) {
        self.lock().is_closed = false;
    }

    pub(super) fn is_open(&self) -> bool {
        !self.lock().is_closed
    }

    /// How many entries wait to be written.
    pub(super) fn waiting(&self) -> usize {
        self.lock().entries
    }

    /// How many entries of streams wait for room here.
    pub(super) fn waiting_for_room(&self) -> usize {
        self.rooms.waiting()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt as _;
    use storage::EventId;

    use super::super::What;
    use super::*;

    fn entries(count: usize) -> Vec<NewEntry> {
        let event_id = EventId::new(b"one").unwrap();
        vec![NewEntry { user_id: "ann".into(), event_id, what: What::Retraction }; count]
    }

    fn queue(entries_max: usize) -> Queue {
        let wait_max = Duration::from_secs(60);
        Queue::new(RoomLimits { entries_max, waiting_entries_max: 100, wait_max })
    }

    fn taken(queue: &Queue, entries_max: usize) -> Vec<usize> {
        let taken = queue.take(entries_max).now_or_never().unwrap_or_default();
        taken.iter().map(|submission| submission.entries.len()).collect()
    }

    #[test]
    fn groups_are_taken_in_order_and_no_larger_than_they_may_be() {
        let queue = queue(100);
        let receipts: Vec<_> = [3, 4, 50, 1].map(|count| queue.push(entries(count))).into();
        assert_eq!(queue.waiting(), 58);
        assert_eq!(taken(&queue, 10), [3, 4]);
        assert_eq!(taken(&queue, 10), [50]);
        assert_eq!(taken(&queue, 10), [1]);
        assert_eq!((taken(&queue, 10), queue.waiting()), (vec![], 0));
        drop(receipts);
    }

    #[tokio::test]
    async fn what_nobody_waits_for_is_dropped_and_makes_room() {
        let queue = queue(10);
        drop(queue.push(entries(5)));
        let waiting = queue.push(entries(5));
        let mut stream = Box::pin(queue.push_when_room(entries(1)));
        assert!(stream.as_mut().now_or_never().is_none());
        assert_eq!(queue.push(entries(1)).unwrap_err().0, Refusal::Full);
        assert_eq!(taken(&queue, 100), [5]);
        let receipts = (waiting, stream.now_or_never().unwrap());
        assert_eq!(queue.waiting(), 1);
        drop(receipts);
    }

    #[tokio::test]
    async fn a_closed_queue_refuses_and_gives_back_what_it_had() {
        let queue = queue(10);
        let receipt = queue.push(entries(10)).unwrap();
        let mut stream = Box::pin(queue.push_when_room(entries(1)));
        assert!(stream.as_mut().now_or_never().is_none());
        assert_eq!(queue.close().len(), 1);
        assert_eq!(stream.now_or_never().unwrap().unwrap_err().0, Refusal::Closed);
        assert!(receipt.now_or_never().unwrap().is_err());
        assert_eq!(queue.push(entries(1)).unwrap_err().0, Refusal::Closed);
        queue.open();
        assert!(queue.push(entries(10)).is_ok());
    }
}
