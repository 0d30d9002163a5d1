//! The closed loop: clients that each wait for an answer before they ask again.
//!
//! It finds out how much a server can do, not how long its users wait: a stall of the
//! server stops the clients from asking, and so from noticing.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tonic::transport::Channel;

use crate::load::Outcome;
use crate::load::course::Course;

/// Starts the clients; they end by themselves after the window.
pub(crate) fn start<C, A>(
    runtime: &Runtime,
    course: &Arc<Course<C>>,
    in_flight: usize,
) -> Vec<JoinHandle<()>>
where
    C: Fn(Channel, u64) -> A + Send + Sync + 'static,
    A: Future<Output = Outcome> + Send + 'static,
{
    let numbers = Arc::new(AtomicU64::new(0));
    let client = |connection| {
        let (course, numbers) = (Arc::clone(course), Arc::clone(&numbers));
        runtime.spawn(async move {
            while Instant::now() < course.window.to && !course.is_cancelled() {
                let number = numbers.fetch_add(1, Ordering::Relaxed);
                course.ask(connection, number, None).await;
            }
        })
    };
    (0..in_flight).map(client).collect()
}
