//! The tower layer: each request is a job of an executor.
//!
//! Invariants:
//! - The wrapped service is only touched inside jobs, its readiness and its response bodies
//!   included: what blocks there blocks no task of the caller.
//! - Time is kept in the caller's runtime: an answer that is due is given while the handler's
//!   thread is still stuck.
//! - Whoever drops the response, or the future of it, cancels the job.

mod call;
mod error;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::request::Parts;
use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

pub(crate) use self::call::{Call, Runner, explain};
pub(crate) use self::error::BoxError;
pub use self::error::LayerError;
use crate::body::Body;
use crate::executor::Executor;

/// Finds how long a request may take.
type Timeout = dyn Fn(&Parts) -> Option<Duration> + Send + Sync;

/// A [`tower` layer](Layer) that runs each request as a job of an [`Executor`], so that a
/// handler that blocks stalls neither the connection nor other requests.
///
/// Jobs are named by [`Unstall::name_by`], by default the request's path. What does not come
/// to an answer of the wrapped service is a [`LayerError`]. Response bodies are polled on the
/// executor as well and arrive as a [`Body`].
///
/// The layer is always ready: each request gets a clone of the wrapped service, and that clone
/// is made ready inside the job. What limits the number of requests is
/// [`Settings::jobs_max`](crate::Settings::jobs_max).
///
/// For gRPC use [`GrpcLayer`](crate::GrpcLayer). For axum put its `HandleErrorLayer` outside:
///
/// ```
/// use axum::error_handling::HandleErrorLayer;
/// use axum::{Router, routing::get};
/// use tower::ServiceBuilder;
/// use unstall::{Executor, LayerError, Settings, Unstall};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let executor = Executor::start(Settings::for_this_machine(), ())?;
/// let router: Router = Router::new().route("/price", get(|| async { "12.99" })).layer(
///     ServiceBuilder::new()
///         .layer(HandleErrorLayer::new(|error: LayerError| async move { error.http_status() }))
///         .layer(Unstall::new(executor)),
/// );
/// # Ok(())
/// # }
/// ```
///
/// # Examples
///
/// ```
/// use std::convert::Infallible;
/// use std::time::Duration;
///
/// use http::{Request, Response};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
/// use unstall::{Executor, LayerError, Settings, Unstall};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let executor = Executor::start(Settings::for_this_machine(), ())?;
/// let service = ServiceBuilder::new()
///     .layer(Unstall::new(executor).timeout(Duration::from_millis(100)))
///     .service(service_fn(|_: Request<String>| async {
///         std::thread::sleep(Duration::from_millis(300)); // blocks its thread
///         Ok::<_, Infallible>(Response::new(String::new()))
///     }));
///
/// let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
/// let answer = runtime.block_on(service.oneshot(Request::new(String::new())));
/// assert!(matches!(answer, Err(LayerError::DeadlinePassed)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Unstall {
    runner: Runner,
    timeout: Arc<Timeout>,
}

impl Unstall {
    /// A layer without a time limit.
    #[must_use]
    pub fn new(executor: Executor) -> Self {
        Self { runner: Runner::new(executor), timeout: Arc::new(|_| None) }
    }

    /// Names jobs by something else than the path, such as the route that axum matched.
    ///
    /// Names the service has not answered with success yet are forgotten when they are not in
    /// use, so that a flood of invented ones does no harm; the executor keeps up to 1,000 and
    /// counts what is beyond under one name. Where paths hold numbers of things, name by route.
    #[must_use]
    pub fn name_by(mut self, name: impl Fn(&Parts) -> &str + Send + Sync + 'static) -> Self {
        self.runner.name = Arc::new(name);
        self
    }

    /// Limits the time from the request's arrival to the end of the response body.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        self.timeout_by(move |_| Some(timeout))
    }

    /// [`Unstall::timeout`] for each request by itself.
    #[must_use]
    pub fn timeout_by(
        mut self,
        timeout: impl Fn(&Parts) -> Option<Duration> + Send + Sync + 'static,
    ) -> Self {
        self.timeout = Arc::new(timeout);
        self
    }
}

impl fmt::Debug for Unstall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unstall").finish_non_exhaustive()
    }
}

impl<S> Layer<S> for Unstall {
    type Service = UnstallService<S>;

    fn layer(&self, inner: S) -> UnstallService<S> {
        UnstallService { layer: self.clone(), inner }
    }
}

/// A service whose requests are jobs. Made by [`Unstall`].
///
/// Calls that have a time limit must come from a tokio runtime with timers.
#[derive(Clone, Debug)]
pub struct UnstallService<S> {
    layer: Unstall,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for UnstallService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError> + Send + 'static,
    B: Send + 'static,
    R: http_body::Body + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = LayerError;
    type Future = UnstallFuture<R, S::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), LayerError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let timeout = (self.layer.timeout)(&parts);
        UnstallFuture(self.layer.runner.run(self.inner.clone(), parts, body, timeout))
    }
}

/// The response of an [`UnstallService`] on its way. Dropping it cancels the request.
#[derive(Debug)]
pub struct UnstallFuture<R, E>(Call<R, E>);

impl<R, E> Future for UnstallFuture<R, E>
where
    R: http_body::Body + Send + 'static,
    R::Error: Into<BoxError>,
    E: Into<BoxError>,
{
    type Output = Result<Response<Body>, LayerError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(cx).map(|answer| answer?.map_err(|error| LayerError::Inner(error.into())))
    }
}
