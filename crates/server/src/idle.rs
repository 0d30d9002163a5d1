//! A thread that takes only what nobody else wants of the CPU.
//!
//! On Linux it has the policy `SCHED_IDLE`: beside a thread of the usual priority it gets some three
//! thousandths of a core (`sched(7)`; weights in the kernel's `sched/sched.h`). Threads that it starts
//! inherit the policy, such as those of a rayon pool, of `spawn_blocking` and of SQLite's connections,
//! and so do processes: whatever the work needs is made by the work itself. Nobody can raise the
//! priority again.

use std::fmt;
use std::io;
use std::thread;

use thread_priority::{ThreadPriority, set_current_thread_priority};
use tokio::sync::oneshot;

/// How much a thread steps back for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Priority {
    /// It runs when nobody else wants to.
    Idle,
    /// It gets less than others, but something.
    Low,
    /// It is one among others: the system refuses anything else.
    Usual,
}

impl fmt::Display for Priority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Idle => "idle",
            Self::Low => "low",
            Self::Usual => "usual",
        })
    }
}

/// Does work on a thread of its own, of the lowest priority that there is to be had. What comes back
/// is an error if the work panicked.
///
/// # Errors
///
/// If there is no thread to be had.
pub(crate) fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce(Priority) -> T + Send + 'static,
) -> io::Result<oneshot::Receiver<T>> {
    spawn_usual(name, || work(lower_priority()))
}

/// The same on a thread of the usual priority.
pub(crate) fn spawn_usual<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<oneshot::Receiver<T>> {
    let (done, receiver) = oneshot::channel();
    thread::Builder::new().name(name.to_owned()).spawn(move || {
        let result = work();
        // Nobody waits any more.
        let _ = done.send(result);
    })?;
    Ok(receiver)
}

/// Lowers the priority of this thread as far as the system lets it.
fn lower_priority() -> Priority {
    if become_idle() {
        Priority::Idle
    } else if set_current_thread_priority(ThreadPriority::Min).is_ok() {
        Priority::Low
    } else {
        Priority::Usual
    }
}

#[cfg(target_os = "linux")]
fn become_idle() -> bool {
    use thread_priority::{
        NormalThreadSchedulePolicy, ThreadSchedulePolicy, set_thread_priority_and_policy,
        thread_native_id,
    };
    let policy = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, policy).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn become_idle() -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use std::fs;

    use super::*;

    /// `SCHED_IDLE` in `sched.h`.
    const IDLE: &str = "5";

    /// The policy of the calling thread: field 41 of `proc_pid_stat(5)`.
    fn policy() -> String {
        let stat = fs::read_to_string("/proc/thread-self/stat").unwrap();
        let (_, after_name) = stat.rsplit_once(')').unwrap();
        after_name.split_whitespace().nth(38).unwrap().to_owned()
    }

    #[tokio::test]
    async fn the_thread_and_those_that_it_starts_are_idle_and_nobody_else_is() {
        let work = |priority| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let blocking = runtime.block_on(async { tokio::task::spawn_blocking(policy).await });
            (priority, [policy(), pool.install(policy), blocking.unwrap()])
        };
        let (priority, policies) = spawn("test", work).unwrap().await.unwrap();
        assert_eq!(priority, Priority::Idle);
        assert_eq!(policies, [IDLE; 3]);
        assert_ne!(policy(), IDLE);
    }

    #[tokio::test]
    async fn work_that_panics_ends_alone() {
        let work = |_| -> u32 { panic!("on purpose") };
        assert!(spawn("test", work).unwrap().await.is_err());
    }
}
