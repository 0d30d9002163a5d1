//! The watchdog: one thread that looks at what the workers publish, and acts.
//!
//! It adds workers to a lane of which too few are able to run while jobs wait (`compensate.rs`),
//! keeps one method from taking them all (`bulkhead.rs`), moves what computes for long to the
//! slow lane (`slow.rs`), and has stalls reported (`stalls.rs`). Its eyes are `poll.rs`: a poll
//! that is still going on at the next look is timed from the first, and its thread is looked at
//! through the kernel. `crowd.rs` counts what one look has found. At each look it also does what
//! loops have put off and not done since (`loops.rs`).
//!
//! It sleeps without a timer while nothing is in flight, looks every 5 ms while something is,
//! and every millisecond or two while jobs wait and nobody is free.

mod bulkhead;
mod clock;
mod compensate;
mod crowd;
mod gauges;
mod poll;
mod slow;
mod stalls;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering, fence};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use self::clock::Clock;
use self::crowd::Crowd;
use self::gauges::Gauges;
use self::poll::Watched;
use self::slow::SlowMethods;
use self::stalls::Stalls;
use crate::executor::Shared;
use crate::kernel::Sight;
use crate::method::Lane;
use crate::seat::{Arrivals, Kind, Seat};

/// So many looks without anything in flight, and the watchdog sleeps.
const QUIET_LOOKS: u32 = 4;

/// How often the watchdog looks. A higher one may interrupt a lower one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Pace {
    /// Not at all: nothing is in flight.
    Asleep = 0,
    /// Something is in flight.
    Steady = 1,
    /// Jobs wait and nobody is free.
    Quick = 2,
    /// As before, but workers come and go: there is nothing to add yet. Above the quick pace, so
    /// that the next job that finds nobody free does not undo it.
    Patient = 3,
}

impl Pace {
    fn interval(self) -> Duration {
        match self {
            Self::Asleep => Duration::MAX,
            Self::Steady => Duration::from_millis(5),
            Self::Quick => Duration::from_millis(1),
            Self::Patient => Duration::from_millis(2),
        }
    }

    fn from_number(number: u8) -> Self {
        [Self::Asleep, Self::Steady, Self::Quick, Self::Patient][usize::from(number.min(3))]
    }
}

/// How others reach the watchdog.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    pace: AtomicU8,
    ended: AtomicBool,
    thread: OnceLock<Thread>,
    arrivals: Arrivals,
}

impl Watch {
    /// Has the watchdog look at least so often. Costs one relaxed load if it does already.
    pub(crate) fn rouse(&self, pace: Pace) {
        if self.pace.load(Ordering::Relaxed) < pace as u8
            && self.pace.fetch_max(pace as u8, Ordering::Relaxed) < pace as u8
        {
            self.wake();
        }
    }

    /// Lets the watchdog watch one more thread.
    pub(crate) fn add(&self, seat: Arc<Seat>) {
        self.arrivals.add(seat);
    }

    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Release);
        self.wake();
    }

    /// Notes that a worker's thread could not be had.
    pub(crate) fn thread_failed(&self, error: &io::Error) {
        static TOLD: AtomicBool = AtomicBool::new(false);
        if !TOLD.swap(true, Ordering::Relaxed) {
            tracing::error!(
                %error,
                "cannot start a worker thread; going on with those there are (raise pids.max or RLIMIT_NPROC); said once"
            );
        }
    }

    fn wake(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    fn pace(&self) -> Pace {
        Pace::from_number(self.pace.load(Ordering::Relaxed))
    }
}

/// Says at the start what cannot be seen of threads on this system.
pub(crate) fn say_what_is_seen(sight: Sight) {
    match sight {
        Sight::Full => {}
        Sight::CpuClock => tracing::warn!(
            "this process may not read /proc/self/task/*/syscall (a sandbox, or not dumpable): stalls are told by the threads' CPU clocks, without system calls and stacks, and a thread that waits for a CPU may be taken for a blocked one"
        ),
        Sight::NamesOnly => tracing::warn!(
            "this system does not say what a thread does: stalls are reported by name and duration, and no workers are added for stuck ones"
        ),
    }
}

/// Starts the watchdog of an executor. It ends with [`Watch::end`].
pub(crate) fn start(shared: &Arc<Shared>) -> io::Result<()> {
    let stalls = Stalls::start(&shared.observer, shared.settings.report_interval)?;
    let shared = Arc::clone(shared);
    let started = Arc::clone(&shared);
    let handle = thread::Builder::new().name("unstall-watchdog".to_owned()).spawn(move || {
        let clock = Clock::new(Instant::now());
        let watchdog = Watchdog {
            shared,
            clock,
            lag: Duration::ZERO,
            seats: Vec::new(),
            slow: SlowMethods::default(),
            stalls,
            gauges: Gauges::default(),
            quiet_looks: 0,
        };
        watchdog.run();
    })?;
    // The only place that sets it.
    let _ = started.watch.thread.set(handle.thread().clone());
    // Whoever called before the thread was known could not wake it.
    started.watch.wake();
    Ok(())
}

struct Watchdog {
    shared: Arc<Shared>,
    clock: Clock,
    /// How much later than planned it woke.
    lag: Duration,
    seats: Vec<Watched>,
    slow: SlowMethods,
    stalls: Stalls,
    gauges: Gauges,
    quiet_looks: u32,
}

impl Watchdog {
    fn run(mut self) {
        while self.wait() {
            // A defect here must not leave the service without its watchdog.
            if catch_unwind(AssertUnwindSafe(|| self.look())).is_err() {
                tracing::error!("the watchdog panicked in a look and goes on with the next");
            }
        }
    }

    /// Waits until it is time for the next look. False when it is time to end.
    fn wait(&mut self) -> bool {
        let watch = Arc::clone(&self.shared.watch);
        let mut slept = false;
        loop {
            if watch.ended.load(Ordering::Acquire) {
                return false;
            }
            let pace = watch.pace();
            if pace == Pace::Asleep {
                slept = true;
                thread::park();
                continue;
            }
            let now = Instant::now();
            if slept {
                self.clock.restart(now);
                self.lag = Duration::ZERO;
                return true;
            }
            let early = self.clock.due(pace.interval()).saturating_duration_since(now);
            if early.is_zero() {
                self.lag = self.clock.tick(now, pace.interval());
                return true;
            }
            thread::park_timeout(early);
        }
    }

    fn look(&mut self) {
        let now = self.clock.now();
        self.shared.observer.watchdog_lag(self.lag);
        if self.lag >= self.shared.settings.report_after {
            self.stalls.host_starved(self.lag, now);
        }
        self.receive();
        let mut crowd = Crowd::count(&self.shared);
        for watched in &mut self.seats {
            watched.observe(&self.clock, &crowd, &self.shared);
            crowd.add(watched, &self.clock, self.shared.settings.report_after);
        }
        self.seats.retain_mut(|watched| {
            let stays = !watched.seat.has_left();
            if !stays {
                self.stalls.left(watched, &crowd, now);
            }
            stays
        });
        self.make_up_for_loops();
        bulkhead::review(&crowd, &self.shared);
        self.stalls.tell_of_shedding(&crowd, now, &self.shared);
        self.slow.review(&mut self.seats, &crowd, &self.shared, now);
        let growing = compensate::compensate(&crowd, &self.shared);
        self.stalls.review(&mut self.seats, &crowd, &self.clock, &self.shared);
        self.gauges.show(&crowd, &self.stalls, &self.clock, &self.shared);
        self.set_pace(&crowd, growing);
    }

    /// Seats the threads that have come since the last look.
    fn receive(&mut self) {
        let arrived = self.shared.watch.arrivals.take();
        self.seats.extend(arrived.into_iter().map(Watched::new));
    }

    /// Does what loops have put off and not done since, or did not come for.
    fn make_up_for_loops(&self) {
        for lane in [Lane::Express, Lane::Slow] {
            self.shared.lane(lane).remind();
        }
        self.shared.loops.look();
    }

    fn set_pace(&mut self, crowd: &Crowd, pressed: Option<Pace>) {
        let watch = &self.shared.watch;
        if let Some(pace) = pressed {
            self.quiet_looks = 0;
            watch.pace.store(pace as u8, Ordering::Relaxed);
            return;
        }
        self.quiet_looks = if crowd.is_quiet() { self.quiet_looks + 1 } else { 0 };
        if self.quiet_looks < QUIET_LOOKS {
            watch.pace.store(Pace::Steady as u8, Ordering::Relaxed);
            return;
        }
        // First say so, then look once more: whoever came before that look is seen by it, and
        // whoever came after it sees that the watchdog sleeps. The lanes' locks order the two
        // for workers, the fences for the threads of runtimes.
        watch.pace.store(Pace::Asleep as u8, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        let mut lanes = [Lane::Express, Lane::Slow].into_iter();
        let quiet = lanes.all(|lane| self.shared.lane(lane).backlog().is_quiet())
            && self.shared.held.load(Ordering::SeqCst) == 0
            && self.shared.loops.are_quiet();
        let runtimes_quiet = self.seats.iter().all(|watched| {
            watched.seat.kind == Kind::Worker || watched.seat.word().method_number().is_none()
        });
        if !(quiet && runtimes_quiet) {
            watch.rouse(Pace::Steady);
        }
    }
}
