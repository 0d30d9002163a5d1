//! So many calls a second for each identity; more are refused, with the time to wait.

use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower::{Layer, Service};

use super::{Call, Outcome};
use crate::grpc::status;
use crate::rates::RateLimits;
use crate::telemetry::metrics::{Metrics, Refusal};

/// A [`tower` layer](Layer) that refuses calls of an identity beyond its rate. A call without an
/// identity passes: it goes below [`AuthenticationLayer`](super::authentication::AuthenticationLayer).
#[derive(Clone, Debug)]
pub struct RateLimitLayer {
    limits: RateLimits,
    metrics: Arc<Metrics>,
}

impl RateLimitLayer {
    /// A layer that counts against these limits, and tells how many calls it refused.
    #[must_use]
    pub fn new(limits: RateLimits, metrics: Arc<Metrics>) -> Self {
        Self { limits, metrics }
    }
}

impl<S> Layer<S> for RateLimitLayer {
    type Service = RateLimited<S>;

    fn layer(&self, inner: S) -> RateLimited<S> {
        RateLimited { layer: self.clone(), inner }
    }
}

/// A service that is called so often and no more. Made by [`RateLimitLayer`].
#[derive(Clone, Debug)]
pub struct RateLimited<S> {
    layer: RateLimitLayer,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for RateLimited<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Default,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Outcome<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let call = Call::of(&request);
        match call.identity().map_or(Ok(()), |identity| self.layer.limits.check(identity)) {
            Ok(()) => Outcome::passed(self.inner.call(request)),
            Err((rate, wait)) => {
                self.layer.metrics.refusals.count(Refusal::TooOften);
                Outcome::refused(status::rate_limited(rate, wait))
            }
        }
    }
}
