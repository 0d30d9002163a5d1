//! Failures as gRPC statuses: what the client is told.

use http::{HeaderMap, HeaderValue, Response, header};

use crate::body::Body;
use crate::layer::LayerError;

/// A status that may be sent.
#[derive(Clone, Copy)]
struct Status {
    code: &'static str,
    /// Plain ASCII without a percent sign, so that there is nothing to encode.
    message: &'static str,
    /// A `google.rpc.Status` in base64.
    details: Option<&'static str>,
}

const DEADLINE_EXCEEDED: Status = plain("4", "the deadline has passed");
const RESOURCE_EXHAUSTED: Status =
    Status { details: Some(RETRY_SOON), ..plain("8", "too busy; try again later") };
const INTERNAL: Status = plain("13", "internal error");
const MALFORMED_TIMEOUT: Status = plain("13", "malformed grpc-timeout");
const UNAVAILABLE: Status = plain("14", "the server is stopping");

/// The code and message of [`RESOURCE_EXHAUSTED`], and a `google.rpc.RetryInfo` of 100 ms.
const RETRY_SOON: &str = "CAgSGXRvbyBidXN5OyB0cnkgYWdhaW4gbGF0ZXIaMwoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIHCgUQgMLXLw";

const fn plain(code: &'static str, message: &'static str) -> Status {
    Status { code, message, details: None }
}

/// The whole response to a request that failed.
pub(super) fn failure(error: &LayerError) -> Response<Body> {
    trailers_only(status(error).unwrap_or(INTERNAL))
}

/// The whole response to a request whose `grpc-timeout` is malformed. The specification does
/// not say what to answer; grpc-go answers INTERNAL, and the others are asked to do so in
/// <https://github.com/grpc/grpc/issues/26401>.
pub(super) fn malformed_timeout() -> Response<Body> {
    trailers_only(MALFORMED_TIMEOUT)
}

/// The end of a response that failed on its way. An error of the wrapped body is none of ours:
/// it is passed on, and resets the stream.
pub(super) fn trailers(error: &LayerError) -> Option<HeaderMap> {
    status(error).map(|status| {
        let mut trailers = HeaderMap::with_capacity(3);
        insert(&mut trailers, status);
        trailers
    })
}

fn status(error: &LayerError) -> Option<Status> {
    match error {
        LayerError::DeadlinePassed => Some(DEADLINE_EXCEEDED),
        LayerError::Shed(_) => Some(RESOURCE_EXHAUSTED),
        LayerError::Panicked { .. } => Some(INTERNAL),
        LayerError::Stopping => Some(UNAVAILABLE),
        LayerError::Inner(_) => None,
    }
}

fn trailers_only(status: Status) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    insert(headers, status);
    response
}

fn insert(headers: &mut HeaderMap, status: Status) {
    headers.insert("grpc-status", HeaderValue::from_static(status.code));
    headers.insert("grpc-message", HeaderValue::from_static(status.message));
    if let Some(details) = status.details {
        headers.insert("grpc-status-details-bin", HeaderValue::from_static(details));
    }
}
