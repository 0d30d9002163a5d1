//! Counts and times every call by method and status.

use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tonic::Code;
use tower::{Layer, Service};

use super::{Call, Done, Watched, Watching, watch};
use crate::telemetry::metrics::Metrics;

/// A [`tower` layer](Layer) that counts calls. Inside [`RequestIdLayer`], which makes their
/// [`Call`].
///
/// [`RequestIdLayer`]: super::request_id::RequestIdLayer
#[derive(Clone, Debug)]
pub struct MetricsLayer {
    metrics: Arc<Metrics>,
}

impl MetricsLayer {
    /// Counts there.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics }
    }
}

impl<S> Layer<S> for MetricsLayer {
    type Service = Counting<S>;

    fn layer(&self, inner: S) -> Counting<S> {
        Counting { metrics: Arc::clone(&self.metrics), inner }
    }
}

/// A service whose calls are counted. Made by [`MetricsLayer`].
#[derive(Clone, Debug)]
pub struct Counting<S> {
    metrics: Arc<Metrics>,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Counting<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<Watched<R, Counted>>;
    type Error = S::Error;
    type Future = Watching<S::Future, Counted>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let call = Call::of(&request);
        let counted = Counted { call: call.clone(), metrics: Arc::clone(&self.metrics) };
        self.metrics.calls.begun(call.method());
        watch(call, self.inner.call(request), counted)
    }
}

/// A call that counts when it has ended.
#[derive(Debug)]
pub struct Counted {
    call: Call,
    metrics: Arc<Metrics>,
}

impl Done for Counted {
    fn done(self, code: Code) {
        self.metrics.calls.ended(self.call.method(), code, self.call.started().elapsed());
    }
}
