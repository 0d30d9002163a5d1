//! Health calls on a way of their own, past the wrapped service.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Either;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::Health;
use super::v1::health_server::{HealthServer, SERVICE_NAME};
use crate::BoxError;

/// A [`tower` layer](Layer) that answers health calls by itself and hands on all others. Made
/// by [`Health::layer`].
#[derive(Clone, Debug)]
pub struct HealthLayer {
    health: HealthServer<Health>,
}

impl HealthLayer {
    pub(super) fn new(health: &Health) -> Self {
        Self { health: health.service() }
    }
}

impl<S> Layer<S> for HealthLayer {
    type Service = HealthService<S>;

    fn layer(&self, inner: S) -> HealthService<S> {
        HealthService { health: self.health.clone(), inner }
    }
}

/// A service in front of which health calls are answered. Made by [`HealthLayer`]. As ready as
/// the wrapped service, which is always if that is an `unstall::GrpcService`.
#[derive(Clone, Debug)]
pub struct HealthService<S> {
    health: HealthServer<Health>,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for HealthService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    B: http_body::Body + Send + 'static,
    B::Error: Into<BoxError> + Send + 'static,
    R: http_body::Body<Data = Bytes>,
    R::Error: Into<BoxError>,
{
    type Response = Response<Either<tonic::body::Body, R>>;
    type Error = S::Error;
    type Future = HealthFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let state = if is_health(request.uri().path()) {
            State::Health { future: self.health.call(request) }
        } else {
            State::Inner { future: self.inner.call(request) }
        };
        HealthFuture { state }
    }
}

/// Whether a path is one of the methods of `grpc.health.v1.Health`.
fn is_health(path: &str) -> bool {
    let service = path.strip_prefix('/').and_then(|path| path.strip_prefix(SERVICE_NAME));
    service.is_some_and(|method| method.starts_with('/'))
}

type HealthAnswer =
    Pin<Box<dyn Future<Output = Result<Response<tonic::body::Body>, Infallible>> + Send>>;

pin_project! {
    /// The response of a [`HealthService`] on its way. Dropping it cancels the call.
    #[must_use = "futures do nothing unless polled"]
    pub struct HealthFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F> {
        Health { future: HealthAnswer },
        Inner { #[pin] future: F },
    }
}

impl<F, R, E> Future for HealthFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<Either<tonic::body::Body, R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Health { future } => future.as_mut().poll(cx).map(|answer| {
                let Ok(answer) = answer;
                Ok(answer.map(Either::Left))
            }),
            StateProjection::Inner { future } => {
                future.poll(cx).map_ok(|answer| answer.map(Either::Right))
            }
        }
    }
}
