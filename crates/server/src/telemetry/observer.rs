//! Where the executor's reports go: into the metrics, and into the list of the last stalls.

use std::sync::Arc;
use std::time::Duration;

use unstall::{Lane, Observer, Shed, StallKind, StallReport, WorkerState};

use super::metrics::Metrics;
use super::stalls::RecentStalls;

/// Hears what an executor sees.
#[derive(Debug)]
pub struct ExecutorObserver {
    metrics: Arc<Metrics>,
    stalls: Arc<RecentStalls>,
}

impl ExecutorObserver {
    /// Counts in `metrics` and keeps reports in `stalls`.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>, stalls: Arc<RecentStalls>) -> Self {
        Self { metrics, stalls }
    }
}

impl Observer for ExecutorObserver {
    fn report(&self, report: &StallReport) {
        self.stalls.keep(report);
    }

    fn stall(&self, method: &str, kind: StallKind) {
        self.metrics.executor.stall(method, kind);
    }

    fn stalled_now(&self, polls: usize) {
        self.metrics.executor.stalled_now(polls);
    }

    fn queue_delay(&self, lane: Lane, delay: Duration) {
        self.metrics.executor.queue_delay(lane, delay);
    }

    fn workers(&self, lane: Lane, state: WorkerState, workers: usize) {
        self.metrics.executor.workers(lane, state, workers);
    }

    fn shed(&self, method: &str, reason: Shed) {
        self.metrics.executor.shed(method, reason);
    }

    fn workers_added(&self, lane: Lane, workers: usize) {
        self.metrics.executor.workers_added(lane, workers);
    }

    fn suppressed(&self, reports: u64) {
        self.metrics.executor.suppressed(reports);
    }

    fn watchdog_lag(&self, lag: Duration) {
        self.metrics.executor.watchdog_lag(lag);
    }

    fn saturated(&self, time: Duration) {
        self.metrics.executor.saturated(time);
    }
}
