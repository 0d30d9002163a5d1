//! The postman: the task of a loop that is woken in place of the others.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::Place;
use super::here::{arrive, leave};
use super::letter::deliver;

/// Brings the answers of jobs to the tasks of a runtime, and fetches workers for the jobs that
/// they start. Made by [`Executor::serve_runtime`](crate::Executor::serve_runtime).
///
/// A future that never ends: whoever owns the runtime spawns it there before anything else. It
/// is woken once for many answers. Without it, and once it is dropped, each answer wakes its
/// task by itself, as it does for a runtime that is not served.
#[must_use = "to be spawned on the runtime before anything else"]
#[derive(Debug)]
pub struct Postman(Arc<Place>);

impl Postman {
    pub(crate) fn new(place: Arc<Place>) -> Self {
        Self(place)
    }
}

impl Future for Postman {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        arrive(&self.0, cx.waker());
        self.0.come_by();
        Poll::Pending
    }
}

impl Drop for Postman {
    fn drop(&mut self) {
        let mut letters = self.0.loops.post.close(&self.0.mailbox);
        leave(&self.0);
        deliver(&mut letters);
    }
}
