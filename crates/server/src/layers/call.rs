//! A call, as the layers know it.

use std::sync::{Arc, OnceLock};

use http::{HeaderValue, Request};
use tokio::time::Instant;

use crate::access::Identity;
use crate::methods::Method;

/// What the layers share of one call; in the extensions of its request from
/// [`RequestIdLayer`](super::request_id::RequestIdLayer) on. A clone is the same call.
#[derive(Clone, Debug)]
pub struct Call(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    method: Option<&'static Method>,
    request_id: HeaderValue,
    started: Instant,
    identity: OnceLock<Identity>,
    deadline: OnceLock<Instant>,
}

impl Call {
    pub(super) fn new(method: Option<&'static Method>, request_id: HeaderValue) -> Self {
        Self(Arc::new(Inner {
            method,
            request_id,
            started: Instant::now(),
            identity: OnceLock::new(),
            deadline: OnceLock::new(),
        }))
    }

    /// The call that a request is.
    ///
    /// # Panics
    ///
    /// Outside of [`RequestIdLayer`](super::request_id::RequestIdLayer), which makes it.
    #[must_use]
    pub fn of<B>(request: &Request<B>) -> Self {
        request.extensions().get().cloned().expect("the layer that names calls is outside")
    }

    /// The method that is called; none if there is no such method.
    #[must_use]
    pub fn method(&self) -> Option<&'static Method> {
        self.0.method
    }

    /// The method's name, or `_OTHER` as the semantic conventions for RPC have it.
    #[must_use]
    pub fn method_name(&self) -> &'static str {
        self.0.method.map_or("_OTHER", Method::name)
    }

    /// The call's name: letters, digits, `.`, `_` and `-` only, at most 64.
    #[must_use]
    pub fn request_id(&self) -> &str {
        self.0.request_id.to_str().unwrap_or_default()
    }

    pub(super) fn request_id_header(&self) -> HeaderValue {
        self.0.request_id.clone()
    }

    /// When it came.
    #[must_use]
    pub fn started(&self) -> Instant {
        self.0.started
    }

    /// Whose call it is, once that is known.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        self.0.identity.get()
    }

    /// Says whose call it is; the first to say so is right.
    pub(super) fn identify(&self, identity: Identity) {
        let _ = self.0.identity.set(identity);
    }

    /// When its client ceases to wait, once that is known.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.0.deadline.get().copied()
    }

    /// Says when it must be over; the first to say so is right.
    pub(super) fn must_end(&self, deadline: Instant) {
        let _ = self.0.deadline.set(deadline);
    }
}
