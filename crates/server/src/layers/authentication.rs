//! Finds out whose call it is, and whether they may.
//!
//! Invariant: a call that gets past this layer has an [`Identity`](crate::access::Identity) in its
//! [`Call`] and in its request's extensions, its method has a row in the table of methods, and
//! the identity has the role of that row. Its `authorization` is gone: what cannot be read below
//! cannot be logged there; a stream has a permit for it, which shows nothing. A call that is
//! refused although its caller is known has the identity in its [`Call`], for the layers above.

use std::sync::Arc;

use http::Request;
use http::header::AUTHORIZATION;
use tonic::Status;
use transport::Peer;

use super::admit::Admit;
use super::{Call, Permit};
use crate::access::{Access, Refusal};
use crate::clock::now_ms;
use crate::grpc::status;
use crate::methods::MethodKind;
use crate::telemetry::metrics::{self, Metrics};

/// Admits calls of those who are known and may; an [`Admit`] for
/// [`AdmitLayer`](super::admit::AdmitLayer).
#[derive(Clone, Debug)]
pub struct Authentication {
    access: Arc<Access>,
    metrics: Arc<Metrics>,
}

impl Authentication {
    /// Asks as `access` has it, and counts whom it refuses.
    #[must_use]
    pub fn new(access: Arc<Access>, metrics: Arc<Metrics>) -> Self {
        Self { access, metrics }
    }
}

impl Admit for Authentication {
    /// A stranger is refused whatever the method is, though not to hide which there are: the
    /// contract is public.
    fn admit<B>(&self, request: &mut Request<B>) -> Result<(), Status> {
        let call = Call::of(request);
        let peer = request.extensions().get::<Peer>();
        let standing = self.access.identify(request.headers(), peer, now_ms());
        let identity = standing.map(|standing| standing.identity).map_err(|refusal| {
            self.metrics.refusals.count(refusal.into());
            status::unauthenticated(refusal, self.access.expected())
        })?;
        call.identify(identity.clone());
        let method = call.method().ok_or_else(status::unknown_method)?;
        if !identity.roles.contains(method.role) {
            self.metrics.refusals.count(metrics::Refusal::WrongRole);
            return Err(status::role_missing(method.role));
        }
        let shown = request.headers_mut().remove(AUTHORIZATION);
        if method.kind == MethodKind::Streaming && self.access.asks() {
            let peer = request.extensions().get::<Peer>().cloned();
            let (access, metrics) = (Arc::clone(&self.access), Arc::clone(&self.metrics));
            let permit = Permit::new(access, metrics, shown, peer, method.role);
            request.extensions_mut().insert(permit);
        }
        request.extensions_mut().insert(identity);
        Ok(())
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
