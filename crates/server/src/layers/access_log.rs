//! One line in the log for each call, under a target of its own.
//!
//! With the levels `access=warn` there are lines only for calls that the service failed.

use std::task::{Context, Poll};

use http::{Request, Response};
use tonic::Code;
use tower::{Layer, Service};
use transport::Peer;

use super::{Call, Done, Watched, Watching, watch};
use crate::telemetry::log::ACCESS;
use crate::telemetry::metrics::{code_name, is_servers_fault};
use crate::telemetry::trace_parent::TraceContext;

/// A [`tower` layer](Layer) that logs calls. Inside [`RequestIdLayer`], which makes their
/// [`Call`], and [`TraceContextLayer`], for the trace's id.
///
/// [`RequestIdLayer`]: super::request_id::RequestIdLayer
/// [`TraceContextLayer`]: super::trace_context::TraceContextLayer
#[derive(Clone, Copy, Debug, Default)]
pub struct AccessLogLayer;

impl<S> Layer<S> for AccessLogLayer {
    type Service = AccessLog<S>;

    fn layer(&self, inner: S) -> AccessLog<S> {
        AccessLog { inner }
    }
}

/// A service whose calls are logged. Made by [`AccessLogLayer`].
#[derive(Clone, Debug)]
pub struct AccessLog<S> {
    inner: S,
}

impl<S, B, R> Service<Request<B>> for AccessLog<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<Watched<R, Logged>>;
    type Error = S::Error;
    type Future = Watching<S::Future, Logged>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let call = Call::of(&request);
        // Where not even failures are logged, nothing is kept for them.
        let noted = tracing::enabled!(target: ACCESS, tracing::Level::WARN).then(|| Noted {
            call: call.clone(),
            peer: request.extensions().get::<Peer>().cloned(),
            trace: request.extensions().get::<TraceContext>().cloned(),
        });
        watch(call, self.inner.call(request), Logged(noted))
    }
}

/// A call that is logged when it has ended.
#[derive(Debug)]
pub struct Logged(Option<Noted>);

#[derive(Debug)]
struct Noted {
    call: Call,
    peer: Option<Peer>,
    trace: Option<TraceContext>,
}

impl Done for Logged {
    fn done(self, code: Code) {
        let Some(Noted { call, peer, trace }) = self.0 else { return };
        // The levels of the log are those of the end.
        macro_rules! log {
            ($level:expr) => {
                if tracing::enabled!(target: ACCESS, $level) {
                    tracing::event!(
                        target: ACCESS,
                        $level,
                        method = call.method_name(),
                        code = code_name(code),
                        duration_ms = call.started().elapsed().as_micros() as f64 / 1e3,
                        identity = call.identity().map(tracing::field::display),
                        peer = peer.as_ref().and_then(Peer::address).map(tracing::field::display),
                        request_id = call.request_id(),
                        trace_id =
                            trace.as_ref().map(|trace| tracing::field::display(trace.shown_trace_id())),
                        "call"
                    );
                }
            };
        }
        if is_servers_fault(code) {
            log!(tracing::Level::WARN);
        } else {
            log!(tracing::Level::INFO);
        }
    }
}
