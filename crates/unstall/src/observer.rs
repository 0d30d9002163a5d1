//! What an executor tells its owner: reports and figures, without a metrics library.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::job::Shed;
use crate::method::Lane;
use crate::report::{StallKind, StallReport};

/// What a worker is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WorkerState {
    /// Parked, or on its way to a job.
    Free,
    /// In a job.
    Working,
    /// In a poll that has been off the CPU at two looks.
    Stuck,
}

impl WorkerState {
    /// The state's name in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Working => "working",
            Self::Stuck => "stuck",
        }
    }
}

/// Receives what an executor sees. Every method does nothing unless it is written. `()` is an
/// observer that wants to know nothing.
///
/// None may block: where nothing else is said the watchdog calls it. One that panics is heard
/// no further in that call, and harms nothing else.
pub trait Observer: Send + Sync + 'static {
    /// A stall is reported: while it lasts, again whenever it has doubled, and when it ends.
    /// Called on the reporting thread, after the log line is written.
    fn report(&self, report: &StallReport) {
        let _ = report;
    }

    /// Counter: a stall has begun. Suppressed reports are counted here as well. Without a method
    /// if the host is starved.
    fn stall(&self, method: &str, kind: StallKind) {
        let _ = (method, kind);
    }

    /// Gauge: polls that have lasted longer than `report_after` and go on.
    fn stalled_now(&self, polls: usize) {
        let _ = polls;
    }

    /// Histogram: how long a new job waited for its first poll. Called by the worker, right
    /// before that poll.
    fn queue_delay(&self, lane: Lane, delay: Duration) {
        let _ = (lane, delay);
    }

    /// Gauge: workers of a lane by state.
    fn workers(&self, lane: Lane, state: WorkerState, workers: usize) {
        let _ = (lane, state, workers);
    }

    /// Counter: a job was refused so that others can be served. Called by whoever spawned it, or
    /// by a worker.
    fn shed(&self, method: &str, reason: Shed) {
        let _ = (method, reason);
    }

    /// A method computes for long and is in the slow lane from now on, or is sent back.
    fn lane_changed(&self, method: &str, lane: Lane) {
        let _ = (method, lane);
    }

    /// Counter: workers added to a lane because its workers are stuck or slow.
    fn workers_added(&self, lane: Lane, workers: usize) {
        let _ = (lane, workers);
    }

    /// Counter: reports not made because of the rate limit.
    fn suppressed(&self, reports: u64) {
        let _ = reports;
    }

    /// Histogram: how much later than planned the watchdog woke.
    fn watchdog_lag(&self, lag: Duration) {
        let _ = lag;
    }

    /// Counter: time in which all workers but the reserve were stuck.
    fn saturated(&self, time: Duration) {
        let _ = time;
    }
}

impl Observer for () {}

/// An observer whose panics harm nobody: they are caught, and the panic hook has told of them.
pub(crate) struct Careful<O>(pub(crate) O);

impl<O: Observer> Careful<O> {
    fn tell(&self, tell: impl FnOnce(&O)) {
        let _ = catch_unwind(AssertUnwindSafe(|| tell(&self.0)));
    }
}

impl<O: Observer> Observer for Careful<O> {
    fn report(&self, report: &StallReport) {
        self.tell(|observer| observer.report(report));
    }

    fn stall(&self, method: &str, kind: StallKind) {
        self.tell(|observer| observer.stall(method, kind));
    }

    fn stalled_now(&self, polls: usize) {
        self.tell(|observer| observer.stalled_now(polls));
    }

    fn queue_delay(&self, lane: Lane, delay: Duration) {
        self.tell(|observer| observer.queue_delay(lane, delay));
    }

    fn workers(&self, lane: Lane, state: WorkerState, workers: usize) {
        self.tell(|observer| observer.workers(lane, state, workers));
    }

    fn shed(&self, method: &str, reason: Shed) {
        self.tell(|observer| observer.shed(method, reason));
    }

    fn lane_changed(&self, method: &str, lane: Lane) {
        self.tell(|observer| observer.lane_changed(method, lane));
    }

    fn workers_added(&self, lane: Lane, workers: usize) {
        self.tell(|observer| observer.workers_added(lane, workers));
    }

    fn suppressed(&self, reports: u64) {
        self.tell(|observer| observer.suppressed(reports));
    }

    fn watchdog_lag(&self, lag: Duration) {
        self.tell(|observer| observer.watchdog_lag(lag));
    }

    fn saturated(&self, time: Duration) {
        self.tell(|observer| observer.saturated(time));
    }
}
