//! The gRPC adapter: what has gone wrong becomes a status that gRPC clients know.
//!
//! It knows the protocol by its headers only, so that it goes with tonic and with anything
//! else that serves gRPC over HTTP.

mod status;
mod timeout;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::request::Parts;
use http::{Request, Response, header};
use tower_layer::Layer;
use tower_service::Service;

use self::status::{failure, malformed_timeout, trailers};
pub use self::timeout::{MalformedTimeout, grpc_timeout};
use crate::body::Body;
use crate::executor::Executor;
use crate::layer::{BoxError, Call, Runner};

/// tonic's server times the same header outside of this layer and answers `CANCELLED`. What is
/// known here is answered so much earlier, so that the client reads `DEADLINE_EXCEEDED`.
const AHEAD: Duration = Duration::from_millis(1);

/// A [`tower` layer](Layer) that runs each RPC as a job of an [`Executor`], so that a handler
/// that blocks stalls neither its connection nor other RPCs.
///
/// Jobs are named by path, such as `/shop.Books/Recommend`. What does not come to an answer of
/// the handler becomes a gRPC status:
///
/// | what happened | status |
/// | --- | --- |
/// | the time in `grpc-timeout` is up, even if the handler's thread is stuck | `DEADLINE_EXCEEDED` |
/// | the request was shed | `RESOURCE_EXHAUSTED`, with a `google.rpc.RetryInfo` |
/// | the handler panicked; the text is logged, not sent | `INTERNAL` |
/// | the executor is stopping | `UNAVAILABLE` |
/// | `grpc-timeout` is malformed | `INTERNAL`, as grpc-go has it |
///
/// All but the last hold for streams too, whose bodies are polled on the executor. Errors of
/// the wrapped service are passed on. Requests that are not gRPC get the HTTP status of
/// [`LayerError::http_status`](crate::LayerError::http_status) instead.
///
/// Like [`Unstall`](crate::Unstall), on which it is built, it is always ready.
///
/// # Examples
///
/// ```
/// # use tonic::service::Routes;
/// use unstall::{Executor, GrpcLayer, Settings};
///
/// # fn routes() -> Routes { Routes::default() }
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let executor = Executor::start(Settings::for_this_machine(), ())?;
/// let server = tonic::transport::Server::builder()
///     .layer(GrpcLayer::new(executor))
///     .add_routes(routes());
/// # let _ = server;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct GrpcLayer {
    runner: Runner,
}

impl GrpcLayer {
    /// A layer whose RPCs are jobs of an executor.
    #[must_use]
    pub fn new(executor: Executor) -> Self {
        Self { runner: Runner::new(executor) }
    }
}

impl fmt::Debug for GrpcLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrpcLayer").finish_non_exhaustive()
    }
}

impl<S> Layer<S> for GrpcLayer {
    type Service = GrpcService<S>;

    fn layer(&self, inner: S) -> GrpcService<S> {
        GrpcService { layer: self.clone(), inner }
    }
}

/// A gRPC service whose RPCs are jobs. Made by [`GrpcLayer`].
///
/// Calls with a `grpc-timeout` must come from a tokio runtime with timers.
#[derive(Clone, Debug)]
pub struct GrpcService<S> {
    layer: GrpcLayer,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for GrpcService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send + 'static,
    B: Send + 'static,
    R: http_body::Body + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = GrpcFuture<R, S::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (parts, body) = request.into_parts();
        if !is_grpc(&parts) {
            let call = self.layer.runner.run(self.inner.clone(), parts, body, None);
            return GrpcFuture(State::Http(call));
        }
        match grpc_timeout(&parts.headers) {
            Ok(timeout) => {
                let timeout = timeout.map(ahead);
                let call = self.layer.runner.run(self.inner.clone(), parts, body, timeout);
                GrpcFuture(State::Grpc(call))
            }
            Err(_) => GrpcFuture(State::Malformed),
        }
    }
}

/// The response of a [`GrpcService`] on its way. Dropping it cancels the RPC.
#[derive(Debug)]
pub struct GrpcFuture<R, E>(State<R, E>);

#[derive(Debug)]
enum State<R, E> {
    Grpc(Call<R, E>),
    Http(Call<R, E>),
    Malformed,
}

impl<R, E> Future for GrpcFuture<R, E>
where
    R: http_body::Body + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Output = Result<Response<Body>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Malformed => Poll::Ready(Ok(malformed_timeout())),
            State::Http(call) => call.poll(cx).map(|answer| {
                answer.unwrap_or_else(|error| {
                    let mut response = Response::new(Body::empty());
                    *response.status_mut() = error.http_status();
                    Ok(response)
                })
            }),
            State::Grpc(call) => call.poll(cx).map(|answer| match answer {
                Ok(answer) => Ok(answer?.map(|body| body.with_trailers_of(trailers))),
                Err(error) => Ok(failure(&error)),
            }),
        }
    }
}

const GRPC: &[u8] = b"application/grpc";

fn is_grpc(parts: &Parts) -> bool {
    let content_type = parts.headers.get(header::CONTENT_TYPE);
    content_type
        .and_then(|value| value.as_bytes().split_at_checked(GRPC.len()))
        .filter(|(start, _)| start.eq_ignore_ascii_case(GRPC))
        // `application/grpc-web` is another protocol.
        .is_some_and(|(_, rest)| matches!(rest.first(), None | Some(b'+' | b';')))
}

/// The time until this layer answers by itself. Within the last two milliseconds there is no
/// earlier: tonic then asks this layer before it looks at its own clock.
fn ahead(timeout: Duration) -> Duration {
    if timeout > 2 * AHEAD { timeout - AHEAD } else { timeout }
}
