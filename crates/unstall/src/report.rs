//! What a stall is reported as.

use std::fmt;
use std::time::Duration;

use crate::stack::{Frame, culprit};

/// Why a poll takes so long, as the kernel sees its thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StallKind {
    /// Off the CPU, in a system call: it waits for something and should await it.
    Blocked,
    /// On a CPU: it computes, and should do so in pieces or elsewhere.
    Busy,
    /// Off the CPU without a system call: its memory is being read in, or it was stopped.
    Paging,
    /// It lasts, and this system does not say why.
    Unknown,
    /// The watchdog itself was late: the machine, or the quota, has no CPU to give. No method
    /// is to blame.
    HostStarved,
}

impl StallKind {
    /// The kind's name in lower case, for metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Busy => "busy",
            Self::Paging => "paging",
            Self::Unknown => "stalled",
            Self::HostStarved => "host_starved",
        }
    }
}

/// Which part of a stall a report tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// It has begun and goes on.
    Begun,
    /// It has lasted twice as long as at the report before, and goes on.
    Lasting,
    /// It is over.
    Ended,
}

/// A poll that held its thread.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StallReport {
    /// Begun, lasting or ended.
    pub stage: Stage,
    /// The name under which the job was spawned; empty if the host is starved.
    pub method: String,
    /// Blocked, busy, or what else.
    pub kind: StallKind,
    /// How long so far or, at the end, in all. A lower bound: the watchdog looks every few
    /// milliseconds.
    pub elapsed: Duration,
    /// The system call that the thread is in.
    pub syscall: Option<String>,
    /// What the system call works on: a path, a peer, a duration.
    pub target: Option<String>,
    /// The thread's stack, innermost first. Empty if it could not be had.
    pub frames: Vec<Frame>,
    /// Whether the stack was followed to its root without a guess.
    pub exact: bool,
    /// The thread's name.
    pub thread: String,
    /// Jobs that wait in the lane.
    pub queue_len: usize,
    /// Workers of the lane.
    pub workers: usize,
    /// Other workers that wait for the same lock, and are not reported for themselves.
    pub convoy: usize,
    /// Reports left out since the one before because of the rate limit.
    pub suppressed: u64,
}

impl StallReport {
    /// The innermost frame of the service's own code, which a reader wants to see first. A
    /// heuristic: it goes by paths and crate names.
    #[must_use]
    pub fn culprit(&self) -> Option<&Frame> {
        culprit(&self.frames)
    }
}

/// One line, such as
/// `Recommend blocked 50 ms in clock_nanosleep at shop::discount (src/discount.rs:41)`.
impl fmt::Display for StallReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let elapsed = Rounded(self.elapsed);
        if self.kind == StallKind::HostStarved {
            return write!(
                f,
                "the watchdog woke {elapsed} late: the process was stopped, or its machine or quota has no CPU to give"
            );
        }
        let was = if self.stage == Stage::Ended { "was " } else { "" };
        write!(f, "{} {was}{} {elapsed}", self.method, self.kind.name())?;
        if let Some(syscall) = &self.syscall {
            write!(f, " in {syscall}")?;
        }
        if let Some(target) = &self.target {
            write!(f, " on {target}")?;
        }
        if let Some(frame) = self.culprit() {
            let possibly = if frame.certain { "" } else { "possibly " };
            write!(f, " {possibly}at {}", frame.function)?;
            if let Some(location) = frame.location() {
                write!(f, " ({location})")?;
            }
        }
        if self.convoy > 0 {
            write!(f, ", {} more wait for the same lock", self.convoy)?;
        }
        Ok(())
    }
}

/// A duration as people say it: three digits at most.
struct Rounded(Duration);

impl fmt::Display for Rounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.as_millis();
        match ms {
            0..10_000 => write!(f, "{ms} ms"),
            _ => write!(f, "{:.1} s", self.0.as_secs_f64()),
        }
    }
}
