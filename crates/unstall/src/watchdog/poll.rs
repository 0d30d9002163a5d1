//! One thread under watch: which poll it is in, since when, and what the kernel says of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::clock::Clock;
use super::crowd::Crowd;
use super::stalls::Stall;
use crate::executor::Shared;
use crate::kernel::View;
use crate::method::{Lane, Method};
use crate::seat::{Kind, Seat, Word};

/// The kernel is asked again about a thread that is known to be blocked after at most this.
const ASK_AGAIN_MAX: Duration = Duration::from_millis(250);

/// A late watchdog puts a report off by so many times the time after which it is due.
const LATE_MAX: u32 = 20;

/// A thread whose CPU clock went on by less than one part in so many of the time was off the
/// CPU. Used where the kernel does not say more.
const CLOCK_STANDS_STILL: u32 = 10;

/// A thread under watch.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) seat: Arc<Seat>,
    pub(super) poll: Option<Poll>,
    /// A poll whose stall was reported and that has ended since.
    pub(super) ended: Option<Poll>,
    /// Looks in a row at which it was off the CPU, while its lane was pressed.
    off_looks: u32,
}

/// A poll that has been seen at one look at least.
#[derive(Debug)]
pub(super) struct Poll {
    pub(super) word: Word,
    pub(super) method: Method,
    pub(super) since: Instant,
    /// What the thread was last seen doing.
    pub(super) view: View,
    /// What it was last seen blocked in.
    pub(super) blocked_in: Option<View>,
    pub(super) stall: Option<Stall>,
    /// The observed time when it was first seen, and the thread's CPU clock then.
    seen: Duration,
    /// How late the watchdog had been by then.
    late_seen: Duration,
    cpu_seen: Option<Duration>,
    /// The same when the kernel was last asked.
    asked: Duration,
    cpu_asked: Option<Duration>,
    ask_again: Duration,
    /// The part of the observed time before looks that found it off the CPU.
    off: Duration,
    off_in_a_row: u32,
}

impl Watched {
    pub(super) fn new(seat: Arc<Seat>) -> Self {
        Self { seat, poll: None, ended: None, off_looks: 0 }
    }

    /// Whether the thread has been off the CPU at two looks of its present poll.
    pub(super) fn is_blocked(&self) -> bool {
        self.poll.as_ref().is_some_and(|poll| poll.off_in_a_row >= 2)
    }

    /// Takes note of what the thread does now.
    pub(super) fn observe(&mut self, clock: &Clock, crowd: &Crowd, shared: &Shared) {
        let word = self.seat.word();
        let pressed = self.seat.kind == Kind::Worker && crowd.is_pressed(self.seat.lane());
        match &mut self.poll {
            Some(poll) if poll.word == word => poll.go_on(&self.seat, clock, pressed),
            _ => {
                self.ended = self.poll.take().filter(|poll| poll.stall.is_some());
                self.poll = self.begin(word, clock, pressed, shared);
            }
        }
        let off = pressed && self.poll.as_ref().is_some_and(|poll| poll.off_in_a_row > 0);
        self.off_looks = if off { self.off_looks.saturating_add(1) } else { 0 };
    }

    /// Whether it is off the CPU, as far as is known.
    pub(super) fn is_off(&self) -> bool {
        self.off_looks > 0
    }

    /// Whether it is blocked, or was off the CPU at three looks in a row in whatever polls.
    pub(super) fn is_idle(&self) -> bool {
        self.is_blocked() || self.off_looks >= 3
    }

    fn begin(&self, word: Word, clock: &Clock, pressed: bool, shared: &Shared) -> Option<Poll> {
        let number = word.method_number()?;
        if self.seat.kind == Kind::Worker && self.seat.lane() == Lane::Blocking {
            return None;
        }
        let method = shared.methods.of_number(number)?;
        let mut poll = Poll::new(word, method, &self.seat, clock);
        if pressed {
            poll.ask(&self.seat, clock);
        }
        Some(poll)
    }
}

impl Poll {
    fn new(word: Word, method: Method, seat: &Seat, clock: &Clock) -> Self {
        let cpu = seat.thread.cpu_time();
        Self {
            word,
            method,
            since: clock.now(),
            view: View::Unknown,
            blocked_in: None,
            stall: None,
            seen: clock.observed(),
            late_seen: clock.late(),
            cpu_seen: cpu,
            asked: clock.observed(),
            cpu_asked: cpu,
            ask_again: clock.observed(),
            off: Duration::ZERO,
            off_in_a_row: 0,
        }
    }

    /// For how long the watchdog has seen it.
    pub(super) fn age(&self, clock: &Clock) -> Duration {
        clock.observed().saturating_sub(self.seen)
    }

    /// CPU time that it has used, as of the last time the kernel was asked.
    pub(super) fn cpu_used(&self) -> Option<Duration> {
        Some(self.cpu_asked?.saturating_sub(self.cpu_seen?))
    }

    /// Whether it has been off the CPU for at least half of its time, and is now.
    pub(super) fn is_mostly_off(&self, clock: &Clock) -> bool {
        self.off_in_a_row > 0 && self.off >= self.age(clock) / 2
    }

    /// Whether it has lasted for `long`, and twice as much longer as the watchdog was late
    /// meanwhile: whoever waits for a lock whose holder has no CPU is not to blame.
    pub(super) fn has_lasted(&self, long: Duration, clock: &Clock) -> bool {
        let late = clock.late().saturating_sub(self.late_seen);
        self.age(clock) >= long + (2 * late).min(LATE_MAX * long)
    }

    fn go_on(&mut self, seat: &Seat, clock: &Clock, pressed: bool) {
        let urgent = pressed && self.off_in_a_row < 2;
        if urgent || clock.observed() >= self.ask_again {
            self.ask(seat, clock);
        }
    }

    /// Asks the kernel what the thread does.
    pub(super) fn ask(&mut self, seat: &Seat, clock: &Clock) {
        let before = self.view;
        self.view = seat.thread.view();
        let cpu = seat.thread.cpu_time();
        let off = match self.view {
            View::Blocked(_) | View::Paging { .. } => true,
            View::Running | View::Gone => false,
            View::Unknown => self.clock_stands_still(cpu, clock),
        };
        let passed = clock.observed().saturating_sub(self.asked);
        self.asked = clock.observed();
        self.cpu_asked = cpu;
        if seat.kind == Kind::Runtime && (!off || self.view != before) {
            // A runtime's thread does many things between two parks: only one and the same
            // wait is of interest.
            *self =
                Self { view: self.view, ..Self::new(self.word, self.method.clone(), seat, clock) };
            self.ask_again = clock.observed();
            return;
        }
        if off {
            self.off += passed;
            self.off_in_a_row += 1;
            self.blocked_in = Some(self.view);
        } else {
            self.off_in_a_row = 0;
        }
        // A thread that is known to be blocked is asked ever more rarely: there may be many.
        let pause = if self.off_in_a_row < 2 { Duration::ZERO } else { self.age(clock) / 4 };
        self.ask_again = clock.observed() + pause.min(ASK_AGAIN_MAX);
    }

    fn clock_stands_still(&self, cpu: Option<Duration>, clock: &Clock) -> bool {
        let passed = clock.observed().saturating_sub(self.asked);
        let (Some(before), Some(cpu)) = (self.cpu_asked, cpu) else { return false };
        !passed.is_zero() && cpu.saturating_sub(before) < passed / CLOCK_STANDS_STILL
    }
}
