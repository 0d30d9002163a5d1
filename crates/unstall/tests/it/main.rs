//! Integration tests of `unstall`: jobs, stalls, and the layers as clients see them.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod body;
mod crowds;
mod deadlines;
mod differential;
mod executor;
mod figures;
mod grpc;
mod layer;
mod loops;
mod names;
mod slow;
mod stalls;
mod streams;
mod support;

use std::future::Future;
use std::time::{Duration, Instant};

/// Whether the kernel says here what a thread does.
const SEES: bool =
    cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")));

/// Longer than anything here takes on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for a future, as a plain caller would.
fn wait_for<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::time::timeout(PATIENCE, future).await.expect("it takes no more than a minute")
    })
}

/// Waits until something is so.
#[track_caller]
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        block_for(Duration::from_millis(2));
    }
}

/// Blocks the thread: what handlers must not do, and do.
#[inline(never)]
#[expect(clippy::disallowed_methods, reason = "blocking is what is tested")]
fn block_for(duration: Duration) {
    std::thread::sleep(duration);
    std::hint::black_box(());
}

/// Keeps a CPU busy while something is so.
#[inline(never)]
fn compute_while(is_so: impl Fn() -> bool) {
    let mut sum = 0_u64;
    while is_so() {
        for number in 0..10_000 {
            sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(number));
        }
    }
}
