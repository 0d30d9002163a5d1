//! Joins each call to the trace of its caller, or begins one.
//!
//! Inner layers and handlers find the [`TraceContext`] in the request's extensions. Without a
//! collector it is the caller's own, if there is one, so that what a handler asks of others goes
//! on with it.

use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tonic::Code;
use tower::{Layer, Service};

use super::{Call, Done, Watched, Watching, watch};
use crate::telemetry::metrics::Metrics;
use crate::telemetry::trace_parent::TraceContext;
use crate::telemetry::traces::{CallSpan, Traces};

/// A [`tower` layer](Layer) that reads `traceparent` and makes spans. Inside [`RequestIdLayer`],
/// which makes the [`Call`].
///
/// [`RequestIdLayer`]: super::request_id::RequestIdLayer
#[derive(Clone, Debug)]
pub struct TraceContextLayer {
    traces: Traces,
    metrics: Arc<Metrics>,
}

impl TraceContextLayer {
    /// Sends spans there, with what `metrics` says of stalls meanwhile.
    #[must_use]
    pub fn new(traces: Traces, metrics: Arc<Metrics>) -> Self {
        Self { traces, metrics }
    }
}

impl<S> Layer<S> for TraceContextLayer {
    type Service = Tracing<S>;

    fn layer(&self, inner: S) -> Tracing<S> {
        Tracing { layer: self.clone(), inner }
    }
}

/// A service whose calls belong to traces. Made by [`TraceContextLayer`].
#[derive(Clone, Debug)]
pub struct Tracing<S> {
    layer: TraceContextLayer,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Tracing<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<Watched<R, Traced>>;
    type Error = S::Error;
    type Future = Watching<S::Future, Traced>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let call = Call::of(&request);
        let caller = TraceContext::of(request.headers());
        let span = self.layer.traces.begin(&call, caller.as_ref(), &self.layer.metrics);
        let context = span.as_ref().map(CallSpan::context).or(caller);
        if let Some(context) = context {
            request.extensions_mut().insert(context);
        }
        watch(call, self.inner.call(request), Traced(span))
    }
}

/// A call whose span ends with it.
#[derive(Debug)]
pub struct Traced(Option<CallSpan>);

impl Done for Traced {
    fn done(self, code: Code) {
        if let Some(span) = self.0 {
            span.end(code);
        }
    }
}
