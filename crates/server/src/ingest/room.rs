//! Room in the queue: who has it, and in which order others get it.
//!
//! Counted in entries. Room goes to those who wait in the order in which they came, as far as it
//! suffices for the first of them, so that nobody is overtaken and nobody is woken in vain.
//!
//! Invariants:
//! - A unary call never waits: it has room now, or none.
//! - A stream waits, and what waits is in memory: no more than so many entries, for so long.
//! - Streams together have three quarters of the room at most, however many they are. So calls are
//!   refused only while others like them have the rest.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How much room there is, and how much may wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RoomLimits {
    /// Entries in the queue.
    pub(super) entries_max: usize,
    /// Entries of streams that wait for room.
    pub(super) waiting_entries_max: usize,
    /// How long they may.
    pub(super) wait_max: Duration,
}

/// The room that there is.
#[derive(Debug)]
pub(super) struct Rooms {
    all: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    streams_entries_max: usize,
    /// For entries that wait.
    waiting: Semaphore,
    waiting_entries_max: usize,
    wait_max: Duration,
}

/// Room for so many entries; others have it when it is dropped.
#[derive(Debug)]
pub(super) struct Room {
    _all: OwnedSemaphorePermit,
    _streams: Option<OwnedSemaphorePermit>,
}

/// Too much waits for room already, or it took too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoRoom;

impl Rooms {
    pub(super) fn new(limits: RoomLimits) -> Self {
        let streams_entries_max = limits.entries_max - limits.entries_max / 4;
        Self {
            all: Arc::new(Semaphore::new(limits.entries_max)),
            streams: Arc::new(Semaphore::new(streams_entries_max)),
            streams_entries_max,
            waiting: Semaphore::new(limits.waiting_entries_max),
            waiting_entries_max: limits.waiting_entries_max,
            wait_max: limits.wait_max,
        }
    }

    /// Room for the entries of a unary call, if there is any.
    pub(super) fn now(&self, entries: usize) -> Result<Room, NoRoom> {
        let all = Arc::clone(&self.all).try_acquire_many_owned(permits(entries));
        Ok(Room { _all: all.map_err(|_| NoRoom)?, _streams: None })
    }

    /// Room for the entries of a stream, as soon as it is their turn. It is given even if nobody
    /// polls this: whoever begins to wait has to go on, or to drop it.
    pub(super) async fn wait(&self, entries: usize) -> Result<Room, NoRoom> {
        let _waiting = self.waiting.try_acquire_many(permits(entries)).map_err(|_| NoRoom)?;
        let room = timeout(self.wait_max, self.next_of_streams(entries));
        room.await.unwrap_or(Err(NoRoom))
    }

    /// Room for the entries of a stream, if there is any that nobody waits for.
    pub(super) fn now_of_streams(&self, entries: usize) -> Option<Room> {
        let share = Arc::clone(&self.streams).try_acquire_many_owned(self.share(entries)).ok()?;
        let all = Arc::clone(&self.all).try_acquire_many_owned(permits(entries)).ok()?;
        Some(Room { _all: all, _streams: Some(share) })
    }

    /// How many entries of streams wait for room.
    pub(super) fn waiting(&self) -> usize {
        self.waiting_entries_max - self.waiting.available_permits()
    }

    async fn next_of_streams(&self, entries: usize) -> Result<Room, NoRoom> {
        let share = Arc::clone(&self.streams).acquire_many_owned(self.share(entries)).await;
        let share = share.map_err(|_| NoRoom)?;
        let all = Arc::clone(&self.all).acquire_many_owned(permits(entries)).await;
        Ok(Room { _all: all.map_err(|_| NoRoom)?, _streams: Some(share) })
    }

    /// What entries take of the streams' share: all of it, if they are more.
    fn share(&self, entries: usize) -> u32 {
        permits(entries.min(self.streams_entries_max))
    }
}

/// As many as there are entries: a request has a thousand at most.
fn permits(entries: usize) -> u32 {
    u32::try_from(entries).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::Pin;

    use futures_util::FutureExt as _;

    use super::*;

    fn rooms(entries_max: usize, waiting_entries_max: usize) -> Rooms {
        let wait_max = Duration::from_secs(60);
        Rooms::new(RoomLimits { entries_max, waiting_entries_max, wait_max })
    }

    type Waiting<'a> = Pin<Box<dyn Future<Output = Result<Room, NoRoom>> + 'a>>;

    /// Somebody who waits already.
    fn waiting(rooms: &Rooms, entries: usize) -> Waiting<'_> {
        let mut waiting: Waiting<'_> = Box::pin(rooms.wait(entries));
        assert!(waiting.as_mut().now_or_never().is_none());
        waiting
    }

    fn has_room(waiting: &mut Waiting<'_>) -> Option<Room> {
        waiting.as_mut().now_or_never().map(Result::unwrap)
    }

    #[tokio::test]
    async fn room_goes_to_streams_in_the_order_in_which_they_came() {
        let rooms = rooms(16, 100);
        let held = [rooms.wait(6).await.unwrap(), rooms.wait(6).await.unwrap()];
        let (mut large, mut small) = (waiting(&rooms, 10), waiting(&rooms, 1));
        let [first, second] = held;
        drop(first);
        // Enough for the small one, whose turn it is not.
        assert!(has_room(&mut small).is_none() && has_room(&mut large).is_none());
        drop(second);
        let (large, small) = (has_room(&mut large), has_room(&mut small));
        assert!(large.is_some() && small.is_some());
    }

    #[tokio::test]
    async fn streams_leave_a_quarter_to_calls() {
        let rooms = rooms(16, 100);
        let streams: Vec<Room> = (0..12).map(|_| rooms.now_of_streams(1).unwrap()).collect();
        let mut stream = waiting(&rooms, 1);
        let calls: Vec<Room> = (0..4).map(|_| rooms.now(1).unwrap()).collect();
        assert_eq!(rooms.now(1).unwrap_err(), NoRoom);
        drop(streams);
        assert!(has_room(&mut stream).is_some());
        drop(calls);
        rooms.now(16).unwrap();
    }

    #[tokio::test]
    async fn calls_cannot_keep_a_stream_out() {
        let rooms = rooms(16, 100);
        let mut calls: Vec<Room> = (0..16).map(|_| rooms.now(1).unwrap()).collect();
        let mut stream = waiting(&rooms, 2);
        calls.pop();
        // What is free by now is the stream's.
        assert_eq!(rooms.now(1).unwrap_err(), NoRoom);
        calls.pop();
        assert!(has_room(&mut stream).is_some());
    }

    #[tokio::test]
    async fn only_so_much_waits_and_who_goes_away_leaves_nothing() {
        let rooms = rooms(4, 5);
        let all = rooms.now(4).unwrap();
        let (first, second) = (waiting(&rooms, 3), waiting(&rooms, 2));
        assert_eq!(rooms.wait(1).await.unwrap_err(), NoRoom);
        drop(first);
        let third = waiting(&rooms, 3);
        drop((second, third, all));
        // More than the share of streams, but not than there is.
        rooms.wait(4).await.unwrap();
        rooms.now(4).unwrap();
    }

    #[tokio::test]
    async fn nobody_waits_for_longer_than_they_may() {
        let rooms = Rooms { wait_max: Duration::from_millis(1), ..rooms(4, 5) };
        let _all = rooms.now(4).unwrap();
        assert_eq!(rooms.wait(1).await.unwrap_err(), NoRoom);
    }
}
