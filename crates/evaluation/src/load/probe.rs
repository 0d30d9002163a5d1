//! The probe: how late this machine itself is, beside a run.
//!
//! A thread that wants to sleep for a millisecond over and over, and notes how much longer
//! it slept. What the scheduler does to it, it does to the client too: latencies that the
//! probe shows as well are the machine's, not the server's. Even an idle Linux wakes a
//! thread some 50 µs late (`timerslack`, `prctl(2)`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::load::Latencies;

/// How long the probe wants to sleep.
const NAP: Duration = Duration::from_millis(1);

/// A thread that measures how late it is woken.
///
/// ```
/// use evaluation::load::Probe;
///
/// let probe = Probe::start();
/// // … what may be disturbed …
/// let lateness = probe.stop();
/// assert!(lateness.count() >= 1);
/// ```
#[derive(Debug)]
pub struct Probe {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Latencies>>,
}

impl Probe {
    /// Starts the thread. If the system refuses one, nothing is measured.
    #[must_use]
    pub fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("probe".to_owned()).spawn(move || nap(&told));
        Self { stop, thread: thread.ok() }
    }

    /// Ends the thread; how late each of its naps ended, one at least.
    #[must_use]
    pub fn stop(mut self) -> Latencies {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().and_then(|thread| thread.join().ok()).unwrap_or_default()
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn nap(stop: &AtomicBool) -> Latencies {
    let mut lateness = Latencies::new();
    loop {
        let began = Instant::now();
        #[expect(clippy::disallowed_methods, reason = "this thread is there to sleep")]
        std::thread::sleep(NAP);
        lateness.record(began.elapsed().saturating_sub(NAP));
        if stop.load(Ordering::Relaxed) {
            return lateness;
        }
    }
}
