//! Seats: where a thread publishes what it polls, for the watchdog to see.
//!
//! Publishing costs two relaxed stores a poll and no clock: the watchdog does the timing. The
//! word holds a count that grows with every store, so that two polls are never taken for one,
//! and the method's number, 0 between polls.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::kernel::Thread;
use crate::method::{Lane, Method};

const METHOD_BITS: u32 = 16;

/// What a seat says at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word(u64);

impl Word {
    /// The number of the method being polled.
    pub(crate) fn method_number(self) -> Option<u16> {
        let number = (self.0 & ((1 << METHOD_BITS) - 1)) as u16;
        (number != 0).then_some(number)
    }
}

/// Which kind of thread sits there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One of our own workers.
    Worker,
    /// A thread of a tokio runtime that is watched.
    Runtime,
}

/// One thread's place. Aligned so that no two of them share a cache line.
#[repr(align(128))]
pub(crate) struct Seat {
    word: AtomicU64,
    lane: AtomicU8,
    left: AtomicBool,
    /// The watchdog wants to know when the poll ends.
    asked: AtomicBool,
    ended: Mutex<Option<(u64, Instant)>>,
    pub(crate) kind: Kind,
    pub(crate) thread: Thread,
}

impl Seat {
    /// A seat for the calling thread.
    pub(crate) fn new(kind: Kind, lane: Lane) -> Self {
        Self {
            word: AtomicU64::new(0),
            lane: AtomicU8::new(lane as u8),
            left: AtomicBool::new(false),
            asked: AtomicBool::new(false),
            ended: Mutex::new(None),
            kind,
            thread: Thread::current(),
        }
    }

    /// Publishes that a poll of a method begins. Only the seat's own thread calls this.
    pub(crate) fn begin(&self, method: &Method) {
        let word = (self.word.load(Ordering::Relaxed) >> METHOD_BITS).wrapping_add(1);
        self.word.store(word << METHOD_BITS | u64::from(method.number()), Ordering::Relaxed);
    }

    /// Publishes that the poll has ended. Only the seat's own thread calls this.
    pub(crate) fn end(&self) {
        let word = self.word.load(Ordering::Relaxed);
        let next = (word >> METHOD_BITS).wrapping_add(1) << METHOD_BITS;
        self.word.store(next, Ordering::Relaxed);
        if self.asked.load(Ordering::Relaxed) {
            self.asked.store(false, Ordering::Relaxed);
            *self.ended.lock().unwrap_or_else(PoisonError::into_inner) =
                Some((word, Instant::now()));
        }
    }

    pub(crate) fn word(&self) -> Word {
        Word(self.word.load(Ordering::Relaxed))
    }

    /// Asks the thread to note when the present poll ends.
    pub(crate) fn ask_for_end(&self) {
        self.asked.store(true, Ordering::Relaxed);
    }

    /// When the poll that `word` stands for ended, if that was asked for in time.
    pub(crate) fn ended(&self, word: Word) -> Option<Instant> {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner).take();
        ended.filter(|ended| ended.0 == word.0).map(|ended| ended.1)
    }

    pub(crate) fn lane(&self) -> Lane {
        Lane::from_number(self.lane.load(Ordering::Relaxed))
    }

    pub(crate) fn take_lane(&self, lane: Lane) {
        self.lane.store(lane as u8, Ordering::Relaxed);
    }

    pub(crate) fn leave(&self) {
        self.left.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_left(&self) -> bool {
        self.left.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Seat").field(&self.thread.name()).finish()
    }
}

/// Seats that the watchdog has not seen yet.
#[derive(Debug, Default)]
pub(crate) struct Arrivals(Mutex<Vec<Arc<Seat>>>);

impl Arrivals {
    pub(crate) fn add(&self, seat: Arc<Seat>) {
        let mut arrivals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The watchdog may sleep while threads come and go.
        arrivals.retain(|seat| !seat.has_left());
        arrivals.push(seat);
    }

    pub(crate) fn take(&self) -> Vec<Arc<Seat>> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
