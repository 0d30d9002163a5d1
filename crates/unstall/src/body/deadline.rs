//! A deadline in the caller's runtime.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// When an answer is due. Needs a tokio runtime with timers where it is made.
#[derive(Debug)]
pub(crate) struct Deadline(Pin<Box<Sleep>>);

impl Deadline {
    /// The deadline in so long; none if the clock does not reach so far.
    pub(crate) fn after(timeout: Duration) -> Option<Self> {
        let instant = Instant::now().checked_add(timeout)?;
        Some(Self(Box::pin(sleep_until(instant))))
    }

    pub(crate) fn instant(&self) -> Instant {
        self.0.deadline()
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}
