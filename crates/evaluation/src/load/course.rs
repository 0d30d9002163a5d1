//! What all requests of a run share: the connections, the clock, and the tallies.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tonic::Code;
use tonic::transport::Channel;

use crate::load::run::Finished;
use crate::load::{Latencies, Outcome, Outcomes, Plan};

/// Tallies, so that threads seldom wait for each other. A tally takes about a megabyte.
const TALLIES: usize = 8;

/// When a run begins, and when it is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// The first request is due.
    pub(crate) start: Instant,
    /// Requests that are due from here …
    pub(crate) from: Instant,
    /// … to here are counted; no later one is sent.
    pub(crate) to: Instant,
}

impl Window {
    fn new(start: Instant, plan: &Plan) -> Self {
        let from = start + plan.warm_up;
        Self { start, from, to: from + plan.duration }
    }

    /// Whether what was due then is counted.
    pub(crate) fn counts(&self, due: Instant) -> bool {
        (self.from..self.to).contains(&due)
    }
}

/// When a request was to be sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Due {
    /// By the schedule.
    pub(crate) at: Instant,
    /// The same, or later: when it had a stream as well.
    pub(crate) ready: Instant,
}

/// A run, as its requests see it.
pub(crate) struct Course<C> {
    pub(crate) window: Window,
    call: C,
    channels: Vec<Channel>,
    deadline: Duration,
    cancelled: Arc<AtomicBool>,
    tallies: Vec<Mutex<Tally>>,
    finished: AtomicU64,
    finished_good: AtomicU64,
}

/// Counted requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) outcomes: Outcomes,
    pub(crate) service_time: Latencies,
    pub(crate) send_lateness: Latencies,
}

impl<C> Course<C> {
    /// It starts now.
    pub(crate) fn new(
        plan: &Plan,
        channels: Vec<Channel>,
        call: C,
        cancelled: Arc<AtomicBool>,
    ) -> Self {
        let tallies = channels.len().min(TALLIES);
        Self {
            window: Window::new(Instant::now(), plan),
            call,
            channels,
            deadline: plan.deadline,
            cancelled,
            tallies: (0..tallies).map(|_| Mutex::default()).collect(),
            finished: AtomicU64::new(0),
            finished_good: AtomicU64::new(0),
        }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Calls that ended so far, those of the warm-up among them.
    pub(crate) fn finished(&self) -> Finished {
        Finished {
            all: self.finished.load(Ordering::Relaxed),
            good: self.finished_good.load(Ordering::Relaxed),
        }
    }

    /// Counts a request that is not sent because a run ends.
    pub(crate) fn leave(&self, due: Instant, end: Instant) {
        if self.window.counts(due) {
            let mut tally = self.tallies[0].lock().unwrap_or_else(PoisonError::into_inner);
            tally.outcomes.record(&Outcome::Unsent, end.saturating_duration_since(due));
        }
    }

    /// Everything that was counted.
    pub(crate) fn tally(&self) -> Tally {
        let mut sum = Tally::default();
        for tally in &self.tallies {
            let tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
            sum.outcomes.merge(&tally.outcomes);
            sum.service_time.merge(&tally.service_time);
            sum.send_lateness.merge(&tally.send_lateness);
        }
        sum
    }
}

impl<C, A> Course<C>
where
    C: Fn(Channel, u64) -> A,
    A: Future<Output = Outcome>,
{
    /// Sends a request now, waits for its end, and counts it. Without a `due`, it is due now.
    pub(crate) async fn ask(&self, connection: usize, number: u64, due: Option<Due>) {
        let connection = connection % self.channels.len();
        let call = (self.call)(self.channels[connection].clone(), number);
        let sent = Instant::now();
        let outcome = match tokio::time::timeout(self.deadline, call).await {
            Ok(outcome) => outcome,
            Err(_) => Outcome::Failed(Code::DeadlineExceeded, "no answer in time".to_owned()),
        };
        let ended = Instant::now();
        self.finished.fetch_add(1, Ordering::Relaxed);
        self.finished_good.fetch_add(u64::from(outcome.is_good()), Ordering::Relaxed);
        let at = due.map_or(sent, |due| due.at);
        if !self.window.counts(at) {
            return;
        }
        let tally = &self.tallies[connection % self.tallies.len()];
        let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.outcomes.record(&outcome, ended.saturating_duration_since(at));
        tally.service_time.record(ended - sent);
        if let Some(due) = due {
            tally.send_lateness.record(sent.saturating_duration_since(due.ready));
        }
    }
}
