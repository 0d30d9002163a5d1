//! Integration tests of `unstall`: jobs, stalls, and the layers as clients see them.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod body;
mod deadlines;
mod differential;
mod executor;
mod grpc;
mod layer;
mod names;
mod stalls;
mod streams;
mod support;

use std::future::Future;
use std::time::Duration;

/// Waits for a future, as a plain caller would.
fn wait_for<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Blocks the thread: what handlers must not do, and do.
#[inline(never)]
#[expect(clippy::disallowed_methods, reason = "blocking is what is tested")]
fn block_for(duration: Duration) {
    std::thread::sleep(duration);
    std::hint::black_box(());
}
