//! The pulse: how late this machine itself is, for whoever asks in an open loop.
//!
//! [`evaluation::load::Probe`] begins a nap when the last one has ended, so a machine that
//! stands still for a second is late once. Of calls that are due at fixed times all are late
//! that fall into that second; to be held against them, the pulse beats at fixed times too.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use evaluation::load::Latencies;

/// The time between beats.
const BEAT: Duration = Duration::from_millis(1);

/// A thread that notes how late each of its beats is.
pub(crate) struct Pulse {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Latencies>,
}

impl Pulse {
    /// Begins to beat after so long.
    pub(crate) fn start_after(wait: Duration) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut lateness = Latencies::new();
            let mut due = Instant::now() + wait;
            while !told.load(Ordering::Relaxed) {
                #[expect(clippy::disallowed_methods, reason = "this thread is there to sleep")]
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                lateness.record(due.elapsed());
                due += BEAT;
            }
            lateness
        });
        Self { stop, thread }
    }

    /// How late its beats were.
    pub(crate) fn stop(self) -> Latencies {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_default()
    }
}
