//! One line in the log for each call, under a target of its own.
//!
//! With the levels `access=warn` there are lines only for calls that the service failed: not for
//! methods that there are not, nor for time limits that were the client's own. In one second they
//! are a hundred at most, whatever clients do; how many had none is logged and counted.

use std::task::{Context, Poll};
use std::time::Duration;

use api::code_name;
use http::{Request, Response};
use tonic::Code;
use tower::{Layer, Service};
use transport::Peer;
use unstall::grpc_timeout;

use super::{Call, Done, Watched, Watching, watch};
use crate::telemetry::log::{ACCESS, FAILED_CALLS, FAILED_CALLS_PER_SECOND};
use crate::telemetry::metrics::is_servers_fault;
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
            // As the client has sent it: the layer that changes it is further in.
            timeout: grpc_timeout(request.headers()).ok().flatten(),
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
    timeout: Option<Duration>,
}

impl Noted {
    /// Whether the service has failed the call, as far as it can tell.
    fn is_failed(&self, code: Code) -> bool {
        let is_clients = self.call.method().is_none()
            || code == Code::DeadlineExceeded && self.has_clients_deadline();
        is_servers_fault(code) && !is_clients
    }

    /// Whether the call had the time that its client asked for, neither shortened nor by default.
    fn has_clients_deadline(&self) -> bool {
        let given = self.call.deadline().map(|deadline| deadline - self.call.started());
        self.timeout.is_some_and(|asked| given.is_none_or(|given| given >= asked))
    }
}

impl Done for Logged {
    fn done(self, code: Code) {
        let Some(noted) = self.0 else { return };
        let is_failed = noted.is_failed(code);
        let Noted { call, peer, trace, .. } = noted;
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
        if !is_failed {
            log!(tracing::Level::INFO);
        } else if FAILED_CALLS.admits() {
            let calls = FAILED_CALLS.newly_refused();
            if calls > 0 {
                tracing::warn!(
                    target: ACCESS,
                    calls,
                    "calls that failed had no line: there are {FAILED_CALLS_PER_SECOND} a second at most"
                );
            }
            log!(tracing::Level::WARN);
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "no service runs on a test's thread")]
mod tests {
    use std::convert::Infallible;
    use std::future::{Ready, ready};
    use std::task::Waker;
    use std::time::Instant;

    use super::*;
    use crate::layers::request_id::RequestIdLayer;
    use crate::settings::LogFormat;
    use crate::telemetry::log::captured;

    const KNOWN: &str = "/foreword.v1.RecommendationService/Recommend";

    /// Ends each call so, after it was given so many milliseconds.
    fn ending(
        code: Code,
        given: Option<u64>,
    ) -> impl Fn(Request<()>) -> Ready<Result<Response<()>, Infallible>> {
        move |request| {
            if let Some(given) = given {
                let call = Call::of(&request);
                call.must_end(call.started() + Duration::from_millis(given));
            }
            let response = Response::builder().header("grpc-status", code as i32);
            ready(Ok(response.body(()).unwrap()))
        }
    }

    fn call(path: &str, timeout: Option<&str>, code: Code, given: Option<u64>) {
        let layers = (RequestIdLayer::new(), AccessLogLayer);
        let inner = tower::service_fn(ending(code, given));
        let mut service = layers.0.layer(layers.1.layer(inner));
        let mut request = Request::get(path).body(()).unwrap();
        if let Some(timeout) = timeout {
            request.headers_mut().insert("grpc-timeout", timeout.parse().unwrap());
        }
        let answer = std::pin::pin!(service.call(request));
        assert!(answer.poll(&mut Context::from_waker(Waker::noop())).is_ready());
    }

    fn lines(logging: impl FnOnce()) -> Vec<serde_json::Value> {
        let log = captured(LogFormat::Json, logging);
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_line_warns_only_of_what_the_service_failed() {
        let check = |path, timeout, code, given, level: &str| {
            // The other test may have used up this second's.
            for _ in 0..1000 {
                let lines = lines(|| call(path, timeout, code, given));
                if let Some(line) = lines.last() {
                    assert_eq!(line["level"], level, "{path} {timeout:?} {code:?} {given:?}");
                    return;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            panic!("no line: {path} {timeout:?} {code:?} {given:?}");
        };
        check(KNOWN, None, Code::Ok, None, "INFO");
        check(KNOWN, None, Code::InvalidArgument, None, "INFO");
        check(KNOWN, None, Code::Internal, None, "WARN");
        check(KNOWN, None, Code::Unimplemented, None, "WARN");
        check("/no/such", None, Code::Unimplemented, None, "INFO");
        // The default, the client's own, the client's shortened by the service, a stream's.
        check(KNOWN, None, Code::DeadlineExceeded, Some(10_000), "WARN");
        check(KNOWN, Some("1m"), Code::DeadlineExceeded, Some(1), "INFO");
        check(KNOWN, Some("99H"), Code::DeadlineExceeded, Some(300_000), "WARN");
        check(KNOWN, Some("1m"), Code::DeadlineExceeded, None, "INFO");
        check(KNOWN, Some("1m"), Code::Internal, Some(1), "WARN");
    }

    #[test]
    fn failed_calls_without_end_have_some_lines_a_second_and_the_others_are_counted() {
        let failed = || call(KNOWN, None, Code::Internal, None);
        let (began, before) = (Instant::now(), FAILED_CALLS.refused());
        let lines = lines(|| (0..5000).for_each(|_| failed()));
        // The first second and the last are not whole.
        let most = usize::try_from(began.elapsed().as_secs() + 2).unwrap() * 100;
        let calls = lines.iter().filter(|line| line["message"] == "call").count();
        assert!((1..=most).contains(&calls), "{calls} lines, expected {most} at most");
        let refused = FAILED_CALLS.refused() - before;
        assert!(refused + calls as u64 >= 5000, "{refused} {calls}");
        // In a later second, the next line is preceded by how many had none.
        let told = std::iter::repeat_with(|| {
            std::thread::sleep(Duration::from_millis(50));
            self::lines(failed)
        });
        let lines = told.take(1000).find(|lines| !lines.is_empty()).unwrap();
        let told = lines.iter().filter_map(|line| line["calls"].as_u64()).sum::<u64>();
        assert!(told > 0 || FAILED_CALLS.newly_refused() == 0, "{lines:?}");
    }
}
