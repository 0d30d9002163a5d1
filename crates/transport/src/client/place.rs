//! A call's place on a connection, and how the call tells what came of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hyper::client::conn::http2::SendRequest;
use tokio::time::Instant;
use tonic::Code;

use super::common::Common;
use super::endpoint::{Endpoint, Live};
use super::request::Sending;
use crate::random;

/// A call that had less time than this tells nothing of a peer that did not answer it.
const FAIR: Duration = Duration::from_millis(10);

/// A call's place on a connection; dropping it gives the place back.
pub(super) struct Place {
    pub(super) endpoint: Arc<Endpoint>,
    live: Arc<Live>,
    common: Arc<Common>,
    since: Instant,
}

impl Place {
    pub(super) fn new(
        endpoint: Arc<Endpoint>,
        live: Arc<Live>,
        common: Arc<Common>,
        since: Instant,
    ) -> Self {
        Self { endpoint, live, common, since }
    }

    pub(super) fn sender(&self) -> SendRequest<Sending> {
        self.live.sender()
    }

    /// The peer has answered.
    pub(super) fn answered(&self) {
        self.live.has_answered.store(true, Ordering::Relaxed);
        self.endpoint.answered();
    }

    /// The peer has answered that it could not do it, or not in time.
    pub(super) fn failed(&self, now: Instant, code: Code) {
        self.live.has_answered.store(true, Ordering::Relaxed);
        let reason = match code {
            Code::DeadlineExceeded => "calls are not done before their deadlines",
            _ => "calls are answered UNAVAILABLE",
        };
        if now.duration_since(self.since) >= FAIR || code == Code::Unavailable {
            self.call_failed(now, reason);
        }
    }

    /// The call has ended at its deadline without an answer.
    pub(super) fn unanswered(&self, now: Instant) {
        let was_fair = now.duration_since(self.since) >= FAIR;
        if was_fair && self.call_failed(now, "calls are not answered") {
            // Whoever is behind it may have gone: a new connection shows it.
            self.endpoint.dismiss(&self.live);
        }
    }

    /// The connection takes no more calls.
    pub(super) fn closed(&self) {
        self.endpoint.dismiss(&self.live);
    }

    fn call_failed(&self, now: Instant, reason: &str) -> bool {
        let (limits, draw) = (&self.common.settings.ejection, random::fraction());
        let ejected = self.endpoint.call_failed(limits, now, draw, reason);
        if ejected {
            tracing::warn!(endpoint = %self.endpoint, reason, "an endpoint is ejected");
        }
        ejected
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.endpoint.leave();
        self.common.freed();
    }
}
