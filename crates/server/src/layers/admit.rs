//! Layers that let a call pass or refuse it, before anybody works on it.

use std::task::{Context, Poll};

use http::{Request, Response};
use tonic::Status;
use tower::{Layer, Service};

use super::Outcome;

/// Decides about calls.
pub trait Admit {
    /// Lets a call pass, with what those below are to know of it noted in its request.
    ///
    /// # Errors
    ///
    /// What the client is told if it may not.
    fn admit<B>(&self, request: &mut Request<B>) -> Result<(), Status>;
}

/// A [`tower` layer](Layer) that refuses what `A` does not admit.
#[derive(Clone, Debug)]
pub struct AdmitLayer<A>(pub A);

impl<A: Clone, S> Layer<S> for AdmitLayer<A> {
    type Service = Admitting<A, S>;

    fn layer(&self, inner: S) -> Admitting<A, S> {
        Admitting { admit: self.0.clone(), inner }
    }
}

/// A service that gets only what is admitted. Made by [`AdmitLayer`].
#[derive(Clone, Debug)]
pub struct Admitting<A, S> {
    admit: A,
    inner: S,
}

impl<A, S, B, R> Service<Request<B>> for Admitting<A, S>
where
    A: Admit,
    S: Service<Request<B>, Response = Response<R>>,
    R: Default,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Outcome<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        match self.admit.admit(&mut request) {
            Ok(()) => Outcome::passed(self.inner.call(request)),
            Err(status) => Outcome::refused(status),
        }
    }
}
