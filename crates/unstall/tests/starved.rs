//! Threads that the system does not give, in a process of its own, because it is the process that
//! is kept short.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::future::Future;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use unstall::{Executor, JobError, Settings, Shed};

/// Less than a thread's stack, enough for all else.
const LEFT: u64 = 1 << 20;

fn wait_for<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(60), future).await.expect("it does not hang")
    })
}

/// How much address space the process has taken.
fn taken() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split(' ').next().unwrap().parse().unwrap();
    pages * rustix::param::page_size() as u64
}

/// Waits until no thread takes or gives back any more.
fn settle() {
    let (mut before, mut same) = (taken(), 0);
    while same < 100 {
        pause();
        let now = taken();
        same = if now == before { same + 1 } else { 0 };
        before = now;
    }
}

#[expect(clippy::disallowed_methods, reason = "nobody else runs on this thread")]
fn pause() {
    std::thread::sleep(Duration::from_millis(2));
}

#[test]
fn work_that_blocks_is_refused_while_there_is_no_thread_to_be_had() {
    let executor = Executor::start(Settings::for_this_machine(), ()).unwrap();
    assert_eq!(wait_for(executor.spawn("before", async { 1 })), Ok(1));
    let before = getrlimit(Resource::As);
    settle();
    setrlimit(Resource::As, Rlimit { current: Some(taken() + LEFT), ..before }).unwrap();
    let refused = executor.block(|| 1);
    let others = executor.spawn("meanwhile", async { 1 });
    let (refused, others) = (wait_for(refused), wait_for(others));
    setrlimit(Resource::As, before).unwrap();
    assert_eq!(refused, Err(JobError::Shed(Shed::NoThread)));
    assert_eq!(others, Ok(1));
    assert_eq!(wait_for(executor.block(|| 1)), Ok(1));
}
