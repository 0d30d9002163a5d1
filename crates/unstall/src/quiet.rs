//! For tests: nothing may stall while they run.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// So many stalls are remembered.
const STALLS_MAX: usize = 100;

/// How long a check waits for reports that are being written.
const PATIENCE: Duration = Duration::from_secs(2);

static STALLS: Mutex<Stalls> =
    Mutex::new(Stalls { seen: 0, last: VecDeque::new(), being_written: 0 });
static WRITTEN: Condvar = Condvar::new();

struct Stalls {
    seen: u64,
    last: VecDeque<String>,
    being_written: usize,
}

/// Makes a test fail, and names the culprits, if anything stalls in this process for as long
/// as the returned guard lives.
///
/// All executors of the process are meant, so tests that stall on purpose belong into another
/// test binary. What counts as a stall is [`Settings::report_after`](crate::Settings). A poll
/// that has not lasted so long when the guard is dropped is not seen.
///
/// # Examples
///
/// ```should_panic
/// let executor = unstall::Executor::start(unstall::Settings::for_this_machine(), ()).unwrap();
/// let quiet = unstall::assert_no_stalls();
/// let job = executor.spawn("Recommend", async {
///     std::thread::sleep(std::time::Duration::from_millis(300)); // blocks its thread
/// });
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// runtime.block_on(job).unwrap();
/// drop(quiet); // panics: Recommend blocked 50 ms in clock_nanosleep …
/// ```
pub fn assert_no_stalls() -> NoStalls {
    // What has stalled before may not have been told yet.
    NoStalls { seen: told().seen }
}

/// Panics when it is dropped if anything has stalled since it was made. See
/// [`assert_no_stalls`].
#[must_use = "it checks when it is dropped"]
#[derive(Debug)]
pub struct NoStalls {
    seen: u64,
}

impl Drop for NoStalls {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let stalls = told();
        let count = stalls.seen - self.seen;
        if count == 0 {
            return;
        }
        let shown = stalls.last.len().min(usize::try_from(count).unwrap_or(usize::MAX));
        let first = stalls.last.len() - shown;
        let lines: Vec<_> = stalls.last.range(first..).map(|line| format!("\n  {line}")).collect();
        drop(stalls);
        panic!("stalls: {count}, expected none:{}", lines.concat());
    }
}

/// The stalls so far, once the reports that are being written are done.
fn told() -> MutexGuard<'static, Stalls> {
    let stalls = STALLS.lock().unwrap_or_else(PoisonError::into_inner);
    WRITTEN
        .wait_timeout_while(stalls, PATIENCE, |stalls| stalls.being_written > 0)
        .unwrap_or_else(PoisonError::into_inner)
        .0
}

/// Remembers a stall.
pub(crate) fn record(stall: String) {
    let mut stalls = STALLS.lock().unwrap_or_else(PoisonError::into_inner);
    stalls.seen += 1;
    if stalls.last.len() == STALLS_MAX {
        stalls.last.pop_front();
    }
    stalls.last.push_back(stall);
}

/// A report is about to be written.
pub(crate) fn expect_one() {
    STALLS.lock().unwrap_or_else(PoisonError::into_inner).being_written += 1;
}

/// A report has been written, or given up.
pub(crate) fn came() {
    STALLS.lock().unwrap_or_else(PoisonError::into_inner).being_written -= 1;
    WRITTEN.notify_all();
}
