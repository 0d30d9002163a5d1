//! A call's place on a connection, and how the call tells what came of it.

use std::sync::Arc;
use std::time::Duration;

use hyper::client::conn::http2::SendRequest;
use tokio::time::Instant;
use tonic::Code;

use super::common::Common;
use super::endpoint::{Endpoint, Seat};
use super::health::Evidence;
use super::request::Sending;
use super::upload::Upload;
use crate::random;

/// A call that had less time than this tells nothing of a peer that did not answer it.
const FAIR: Duration = Duration::from_millis(10);

/// The same of a call that its caller gave up, perhaps since another one was faster.
const PATIENT: Duration = Duration::from_millis(100);

/// What is said of a peer that leaves calls open.
const UNANSWERED: &str = "calls are not answered";

/// A call's place on a connection; dropping it gives the place back, and ends the call.
pub(super) struct Place {
    pub(super) endpoint: Arc<Endpoint>,
    seat: Seat,
    common: Arc<Common>,
    since: Instant,
    asking: Asking,
    /// The request, as long as it is still being written.
    upload: Option<Arc<Upload>>,
}

/// How far the call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asking {
    NotYet,
    Now,
    /// What came of it was told.
    Told,
}

impl Place {
    pub(super) fn new(
        endpoint: Arc<Endpoint>,
        seat: Seat,
        common: Arc<Common>,
        since: Instant,
    ) -> Self {
        Self { endpoint, seat, common, since, asking: Asking::NotYet, upload: None }
    }

    /// What sends a call with this body.
    pub(super) fn sender(&mut self, body: &Sending) -> SendRequest<Sending> {
        self.asking = Asking::Now;
        self.upload = body.upload();
        self.seat.live.sender()
    }

    /// The peer has answered.
    pub(super) fn answered(&mut self) {
        self.told();
        self.endpoint.answered();
    }

    /// The peer has answered that it could not do it, or not in time.
    pub(super) fn failed(&mut self, now: Instant, code: Code) {
        self.told();
        match code {
            Code::DeadlineExceeded if self.was_given(FAIR, now) => {
                self.count(Evidence::Full, now, "calls are not done before their deadlines");
            }
            Code::DeadlineExceeded => {}
            _ => {
                self.count(Evidence::Full, now, "calls are answered UNAVAILABLE");
            }
        }
    }

    /// The peer has reset the stream.
    pub(super) fn reset(&mut self, now: Instant) {
        self.asking = Asking::Told;
        self.count(Evidence::Full, now, "calls are reset");
    }

    /// The connection has failed, whose own task tells of it.
    pub(super) fn broken(&mut self) {
        self.asking = Asking::Told;
    }

    /// The connection takes no more calls.
    pub(super) fn closed(&mut self) {
        self.asking = Asking::Told;
        self.endpoint.dismiss(&self.seat.live);
    }

    /// The call has ended at its deadline without an answer.
    pub(super) fn unanswered(&mut self, now: Instant) {
        self.asking = Asking::Told;
        if self.was_given(FAIR, now) {
            self.left_open(Evidence::Full, now);
        }
    }

    fn told(&mut self) {
        self.asking = Asking::Told;
        self.seat.live.answered();
    }

    /// Whether the peer had the whole request, and so long to answer.
    fn was_given(&self, least: Duration, now: Instant) -> bool {
        let has_it = self.upload.as_ref().is_none_or(|upload| upload.has_ended());
        has_it && now.duration_since(self.since) >= least
    }

    fn left_open(&self, evidence: Evidence, now: Instant) {
        if self.count(evidence, now, UNANSWERED) {
            // Whoever is behind it may have gone: a new connection shows it.
            self.endpoint.dismiss(&self.seat.live);
        }
    }

    /// Counts a failure; whether it ejects the endpoint.
    fn count(&self, evidence: Evidence, now: Instant, reason: &str) -> bool {
        let (limits, draw) = (&self.common.settings.ejection, random::fraction());
        let ejected = self.endpoint.call_failed(&self.seat, evidence, limits, now, draw, reason);
        if ejected {
            tracing::warn!(endpoint = %self.endpoint, reason, "an endpoint is ejected");
        }
        ejected
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(upload) = &self.upload {
            upload.call_is_over();
        }
        let now = Instant::now();
        if self.asking == Asking::Now && self.was_given(PATIENT, now) {
            self.left_open(Evidence::Half, now);
        }
        self.endpoint.leave(&self.seat);
        self.common.freed();
    }
}
