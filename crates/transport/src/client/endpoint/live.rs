//! A connection in use.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use hyper::client::conn::http2::SendRequest;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::client::request::Sending;

/// A peer that closes a connection which nobody has used may find it idle for too long. Sooner
/// than this it cannot: it was never going to serve.
const IDLE_MIN: Duration = Duration::from_secs(1);

/// A connection in use.
pub(in crate::client) struct Live {
    sender: SendRequest<Sending>,
    streams_max: Arc<AtomicUsize>,
    in_flight: AtomicUsize,
    since: Instant,
    was_used: AtomicBool,
    has_answered: AtomicBool,
    /// Told when it is not to be used any more.
    pub(in crate::client) dismissed: Notify,
}

impl Live {
    pub(in crate::client) fn new(
        sender: SendRequest<Sending>,
        streams_max: Arc<AtomicUsize>,
    ) -> Self {
        Self {
            sender,
            streams_max,
            in_flight: AtomicUsize::new(0),
            since: Instant::now(),
            was_used: AtomicBool::new(false),
            has_answered: AtomicBool::new(false),
            dismissed: Notify::new(),
        }
    }

    pub(in crate::client) fn sender(&self) -> SendRequest<Sending> {
        self.sender.clone()
    }

    /// Whether the peer has told it to go, or it has ended.
    pub(in crate::client) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Whether it may carry one more call, if it may carry at most so many.
    pub(super) fn has_room(&self, streams_max: usize) -> bool {
        let allowed = self.streams_max.load(Ordering::Relaxed).max(1);
        self.in_flight.load(Ordering::SeqCst) < allowed.min(streams_max)
    }

    /// It carries one more call.
    pub(super) fn enter(&self) {
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        self.was_used.store(true, Ordering::Relaxed);
    }

    pub(super) fn leave(&self) {
        self.in_flight.fetch_sub(1, Ordering::SeqCst);
    }

    /// Something was answered on it.
    pub(in crate::client) fn answered(&self) {
        self.has_answered.store(true, Ordering::Relaxed);
    }

    pub(in crate::client) fn has_answered(&self) -> bool {
        self.has_answered.load(Ordering::Relaxed)
    }

    /// Whether it is no wonder that it ends now without an answer.
    pub(in crate::client) fn was_idle(&self, now: Instant) -> bool {
        !self.was_used.load(Ordering::Relaxed) && now.duration_since(self.since) >= IDLE_MIN
    }
}
