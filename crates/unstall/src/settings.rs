//! What an executor is held to.

use std::num::NonZeroUsize;
use std::time::Duration;

/// What an [`Executor`](crate::Executor) is held to. [`Settings::for_cores`] gives values that
/// suit most services; every limit is a plain field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Workers of the express lane that always stay.
    pub workers: NonZeroUsize,
    /// Workers of the express and the slow lane together, those that are stuck included. One
    /// method may hold half of them.
    pub workers_max: NonZeroUsize,
    /// Workers of the slow lane that may be on a CPU at once.
    pub slow_workers: NonZeroUsize,
    /// Threads for work that is known to block ([`Executor::block`](crate::Executor::block)).
    pub blocking_workers_max: NonZeroUsize,
    /// Worker threads of the auxiliary tokio runtime, which drives the sockets and timers of
    /// handlers and whatever they `tokio::spawn`.
    pub auxiliary_workers: NonZeroUsize,
    /// New jobs that may wait in each lane; more are shed.
    pub queue_len_max: NonZeroUsize,
    /// Jobs that may be alive at once, those that wait for something included; more are shed.
    pub jobs_max: NonZeroUsize,
    /// How long a worker beyond the base stays without work.
    pub keep_alive: Duration,
    /// A poll that has used so much CPU time moves its worker and its method to the slow lane.
    pub slow_after: Duration,
    /// A poll that lasts so long is reported as a stall.
    pub report_after: Duration,
    /// Reports of a method and kind are at least so far apart; those between are counted.
    pub report_interval: Duration,
}

impl Settings {
    /// Values for a machine with so many cores: one hot spare worker, up to 256 workers, a
    /// report after 50 ms.
    #[must_use]
    pub fn for_cores(cores: NonZeroUsize) -> Self {
        let workers = cores.saturating_add(1);
        Self {
            workers,
            workers_max: WORKERS_MAX.max(workers.saturating_mul(EIGHT)),
            slow_workers: cores,
            blocking_workers_max: WORKERS_MAX,
            auxiliary_workers: cores.max(AUXILIARY_WORKERS_MIN),
            queue_len_max: QUEUE_LEN_MAX,
            jobs_max: JOBS_MAX,
            keep_alive: Duration::from_secs(10),
            slow_after: Duration::from_millis(5),
            report_after: Duration::from_millis(50),
            report_interval: Duration::from_secs(1),
        }
    }

    /// [`Settings::for_cores`] with the cores that this process may use.
    #[must_use]
    pub fn for_this_machine() -> Self {
        Self::for_cores(std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN))
    }

    /// How many workers one method may hold.
    pub(crate) fn method_workers_max(&self) -> usize {
        (self.workers_max.get() / 2).max(self.workers.get() + 1)
    }

    /// How many workers are started for stuck ones. The rest, as many as the base, is for
    /// methods of which nothing is stuck.
    pub(crate) fn workers_before_reserve(&self) -> usize {
        self.workers_max.get().saturating_sub(self.workers.get()).max(self.workers.get())
    }
}

const EIGHT: NonZeroUsize = NonZeroUsize::new(8).expect("it is not zero");
const WORKERS_MAX: NonZeroUsize = NonZeroUsize::new(256).expect("it is not zero");
const AUXILIARY_WORKERS_MIN: NonZeroUsize = NonZeroUsize::new(2).expect("it is not zero");
const QUEUE_LEN_MAX: NonZeroUsize = NonZeroUsize::new(10_000).expect("it is not zero");
const JOBS_MAX: NonZeroUsize = NonZeroUsize::new(100_000).expect("it is not zero");
