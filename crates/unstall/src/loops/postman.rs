//! The postman: the task of a loop that is woken in place of the others.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::runtime::{Handle, RuntimeFlavor};

use super::Place;
use super::here::{Here, with_here};
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

    /// Lets the calling thread know that it runs the loop.
    fn arrive(&self, bell: &Waker) {
        let here = |here: &mut Here| here.is_at(&self.0) && here.bell.will_wake(bell);
        if with_here(here) == Some(true) {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        if runtime.runtime_flavor() != RuntimeFlavor::CurrentThread {
            // Its tasks go from thread to thread, and so would the postman.
            return;
        }
        self.0.mailbox.attend(bell.clone());
        let here = Here {
            place: Arc::clone(&self.0),
            runtime: runtime.id(),
            bell: bell.clone(),
            put_off: Vec::new(),
            pushes: 0,
            letters: Vec::new(),
        };
        // Dropped after the thread's own variable is free again.
        let _before = HERE.try_with(|place| place.replace(Some(here)));
    }
}

impl Future for Postman {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.arrive(cx.waker());
        self.0.come_by();
        Poll::Pending
    }
}

impl Drop for Postman {
    fn drop(&mut self) {
        let mut letters = self.0.loops.post.close(&self.0.mailbox);
        let _left = HERE.try_with(|here| here.borrow_mut().take_if(|here| here.is_at(&self.0)));
        deliver(&mut letters);
    }
}
