//! A layer of a shop's own: the header `x-model` chooses the version of the model.
//!
//! A shop compares a new model with the one before by sending part of its visitors with the
//! header. The layer sits around the handlers: it gets calls that were admitted, and it runs on
//! the executor.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::Either;
use http::{HeaderMap, HeaderName, Request, Response};
use std::future::{Ready, ready};
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};
use tower::{Layer, Service};

/// The header that names a version, such as `12`.
pub(crate) const MODEL: HeaderName = HeaderName::from_static("x-model");

/// Hands calls with the header to the routes of that version, and all others on.
#[derive(Clone)]
pub(crate) struct ChooseModelLayer<S> {
    versions: Arc<BTreeMap<u64, S>>,
}

impl<S> ChooseModelLayer<S> {
    /// A layer that knows these versions, each with what answers for it.
    pub(crate) fn new(versions: BTreeMap<u64, S>) -> Self {
        Self { versions: Arc::new(versions) }
    }
}

impl<S> Layer<S> for ChooseModelLayer<S> {
    type Service = ChooseModel<S>;

    fn layer(&self, active: S) -> ChooseModel<S> {
        ChooseModel { versions: Arc::clone(&self.versions), active }
    }
}

/// A service that answers from the model that a header chooses.
#[derive(Clone)]
pub(crate) struct ChooseModel<S> {
    versions: Arc<BTreeMap<u64, S>>,
    active: S,
}

impl<S> Service<Request<Body>> for ChooseModel<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<S::Future, Ready<Result<Response<Body>, S::Error>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.active.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match self.chosen(request.headers()) {
            // Routes are ready at any time.
            Ok(Some(chosen)) => Either::Left(chosen.clone().call(request)),
            Ok(None) => Either::Left(self.active.call(request)),
            Err(status) => Either::Right(ready(Ok(status.into_http()))),
        }
    }
}

impl<S> ChooseModel<S> {
    fn chosen(&self, headers: &HeaderMap) -> Result<Option<&S>, Box<Status>> {
        let Some(value) = headers.get(MODEL) else { return Ok(None) };
        let version = value.to_str().ok().and_then(|text| text.parse().ok());
        match version.and_then(|version: u64| self.versions.get(&version)) {
            Some(chosen) => Ok(Some(chosen)),
            None => Err(Box::new(self.unknown(value.as_bytes()))),
        }
    }

    fn unknown(&self, found: &[u8]) -> Status {
        let versions: Vec<String> = self.versions.keys().map(u64::to_string).collect();
        let shown: String = found.escape_ascii().take(32).map(char::from).collect();
        let description = format!("found {shown}, expected one of {}", versions.join(", "));
        let message = format!("x-model: {description}");
        let details = ErrorDetails::with_bad_request_violation("x-model", description);
        Status::with_error_details(Code::InvalidArgument, message, details)
    }
}
