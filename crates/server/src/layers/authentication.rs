//! Finds out whose call it is, and whether they may.
//!
//! Invariant: a call that gets past this layer has an [`Identity`] in its [`Call`] and in its
//! request's extensions, its method has a row in the table of methods, and the identity has the
//! role of that row. Its `authorization` is gone: what cannot be read below cannot be logged
//! there. A call that is refused although its caller is known has the identity in its [`Call`],
//! for the layers above.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{SystemTime, UNIX_EPOCH};

use http::header::AUTHORIZATION;
use http::{Request, Response};
use tonic::Status;
use tower::{Layer, Service};
use transport::Peer;

use super::{Call, Outcome};
use crate::access::{Access, Identity, Refusal};
use crate::grpc::status;
use crate::telemetry::metrics::{self, Metrics};

/// A [`tower` layer](Layer) that refuses calls of strangers, and of those who may not.
#[derive(Clone, Debug)]
pub struct AuthenticationLayer {
    access: Arc<Access>,
    metrics: Arc<Metrics>,
}

impl AuthenticationLayer {
    /// A layer that asks as `access` has it, and counts whom it refuses.
    #[must_use]
    pub fn new(access: Arc<Access>, metrics: Arc<Metrics>) -> Self {
        Self { access, metrics }
    }
}

impl<S> Layer<S> for AuthenticationLayer {
    type Service = Authentication<S>;

    fn layer(&self, inner: S) -> Authentication<S> {
        Authentication { layer: self.clone(), inner }
    }
}

/// A service that knows its callers. Made by [`AuthenticationLayer`].
#[derive(Clone, Debug)]
pub struct Authentication<S> {
    layer: AuthenticationLayer,
    inner: S,
}

impl AuthenticationLayer {
    /// Whose call it is, if they may make it. A stranger is refused whatever the method
    /// is, though not to hide which there are: the contract is public.
    fn admit<B>(&self, request: &Request<B>) -> Result<Identity, Status> {
        let (call, extensions) = (Call::of(request), request.extensions());
        let identity = self
            .access
            .identify(request.headers(), extensions.get::<Peer>(), now_ms())
            .map_err(|refusal| {
                self.metrics.refusals.count(refusal.into());
                status::unauthenticated(refusal, self.access.expected())
            })?;
        call.identify(identity.clone());
        let method = call.method().ok_or_else(status::unknown_method)?;
        if !identity.roles.contains(method.role) {
            self.metrics.refusals.count(metrics::Refusal::WrongRole);
            return Err(status::role_missing(method.role));
        }
        Ok(identity)
    }
}

impl<S, B, R> Service<Request<B>> for Authentication<S>
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

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        match self.layer.admit(&request) {
            Ok(identity) => {
                request.headers_mut().remove(AUTHORIZATION);
                request.extensions_mut().insert(identity);
                Outcome::passed(self.inner.call(request))
            }
            Err(status) => Outcome::refused(status),
        }
    }
}

impl From<Refusal> for metrics::Refusal {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Missing => Self::NoCredentials,
            Refusal::Invalid => Self::WrongCredentials,
            Refusal::Expired => Self::ExpiredCredentials,
            Refusal::TooMany(_) => Self::NewTokens,
        }
    }
}

fn now_ms() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX)
}
