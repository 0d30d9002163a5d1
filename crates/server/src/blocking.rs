//! Work that blocks, off the async threads.

use std::panic::resume_unwind;

/// Does work that blocks on a thread of its own. A panic in it goes on in the caller.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(failed) => match failed.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The runtime drops what has not begun when the process ends: nobody waits.
            Err(_) => std::future::pending().await,
        },
    }
}
