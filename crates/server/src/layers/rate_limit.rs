//! So many calls a second for each identity; more are refused, with the time to wait.

use std::sync::Arc;

use http::Request;
use tonic::Status;

use super::Call;
use super::admit::Admit;
use crate::grpc::status;
use crate::rates::RateLimits;
use crate::telemetry::metrics::{Metrics, Refusal};

/// Admits calls within the rate of their identity; an [`Admit`] for
/// [`AdmitLayer`](super::admit::AdmitLayer). A call without an identity passes: it goes below
/// [`Authentication`](super::authentication::Authentication).
#[derive(Clone, Debug)]
pub struct RateLimit {
    limits: RateLimits,
    metrics: Arc<Metrics>,
}

impl RateLimit {
    /// Counts against these limits, and tells how many calls it refused.
    #[must_use]
    pub fn new(limits: RateLimits, metrics: Arc<Metrics>) -> Self {
        Self { limits, metrics }
    }
}

impl Admit for RateLimit {
    fn admit<B>(&self, request: &mut Request<B>) -> Result<(), Status> {
        let call = Call::of(request);
        let Some(identity) = call.identity() else { return Ok(()) };
        self.limits.check(identity).map_err(|(rate, wait)| {
            self.metrics.refusals.count(Refusal::TooOften);
            status::rate_limited(rate, wait)
        })
    }
}
