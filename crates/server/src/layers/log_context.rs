//! Lines that a handler logs carry the name of its call.

use std::task::{Context, Poll};

use http::Request;
use tower::{Layer, Service};
use tracing::Instrument;
use tracing::instrument::Instrumented;

use super::Call;

/// A [`tower` layer](Layer) around handlers: what they log is logged within a span `call` that
/// has the method and the request id. Costs nothing where spans of level INFO are off.
#[derive(Clone, Copy, Debug)]
pub struct LogContextLayer;

impl<S> Layer<S> for LogContextLayer {
    type Service = LogContext<S>;

    fn layer(&self, inner: S) -> LogContext<S> {
        LogContext { inner }
    }
}

/// A service whose log lines name the call. Made by [`LogContextLayer`].
#[derive(Clone, Debug)]
pub struct LogContext<S> {
    inner: S,
}

impl<S, B> Service<Request<B>> for LogContext<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Instrumented<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let span = match request.extensions().get::<Call>() {
            Some(call) => {
                let (method, request_id) = (call.method_name(), call.request_id());
                tracing::info_span!("call", method, request_id)
            }
            None => tracing::Span::none(),
        };
        self.inner.call(request).instrument(span)
    }
}
