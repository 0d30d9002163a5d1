//! What a call and the body of its request tell each other: the body, that it has ended; the
//! call, that it is over.
//!
//! hyper sends a body by a task of its own. Once a response has begun, that task no longer ends
//! with the call: it would wait for a quiet body, and hold its stream open, for as long as the
//! connection is there. So the body itself fails when the call is over, which resets the stream.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;

use futures_util::task::AtomicWaker;
use tonic::Status;

/// What a call and the body of its request tell each other.
#[derive(Debug, Default)]
pub(super) struct Upload {
    has_ended: AtomicBool,
    is_over: AtomicBool,
    body: AtomicWaker,
}

impl Upload {
    /// The body has ended.
    pub(super) fn ended(&self) {
        self.has_ended.store(true, Ordering::Relaxed);
    }

    /// Whether the body has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Relaxed)
    }

    /// The call is over.
    pub(super) fn call_is_over(&self) {
        self.is_over.store(true, Ordering::Release);
        self.body.wake();
    }

    /// Fails if the call is over; else the body is woken when it is.
    pub(super) fn go_on(&self, body: &Waker) -> Result<(), Status> {
        self.body.register(body);
        if !self.is_over.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut status = Status::cancelled("the call is over");
        // hyper takes the reason of the reset from here.
        status.set_source(Arc::new(h2::Error::from(h2::Reason::CANCEL)));
        Err(status)
    }
}
