//! CORS: what browsers are told before and with an answer.
//!
//! Pages of a listed origin may send every request header and read every header of the answer:
//! gRPC metadata are part of the call, and the origin was named by whoever runs the server.
//! Wildcards say that, which browsers take as long as no cookies are involved. Cookies never
//! are: `Access-Control-Allow-Credentials` is not sent. The names that old browsers, which
//! know no wildcards, need for gRPC itself come first.

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};

const ALLOW_HEADERS: HeaderValue = HeaderValue::from_static(
    "content-type, x-grpc-web, x-user-agent, grpc-timeout, authorization, *",
);
const EXPOSE_HEADERS: HeaderValue = HeaderValue::from_static(
    "grpc-status, grpc-message, grpc-status-details-bin, grpc-encoding, *",
);

/// Two hours, in seconds: as long as Chromium keeps it. An origin that is struck off the list
/// is refused at once all the same, since every call is looked at.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

/// Whether a browser asks if a page may call.
pub(super) fn is_preflight<B>(request: &Request<B>) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// Answers that the page may POST.
pub(super) fn preflight(grant: HeaderValue) -> Response<()> {
    let mut response = empty(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    allow(headers, grant);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOW_HEADERS);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    response
}

/// Answers that the page may not call.
pub(super) fn forbidden() -> Response<()> {
    let mut response = empty(StatusCode::FORBIDDEN);
    response.headers_mut().insert(header::VARY, vary());
    response
}

/// Lets the page read an answer.
pub(super) fn expose(headers: &mut HeaderMap, grant: HeaderValue) {
    allow(headers, grant);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSE_HEADERS);
}

pub(super) fn empty(status: StatusCode) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = status;
    response
}

fn allow(headers: &mut HeaderMap, grant: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, grant);
    headers.append(header::VARY, vary());
}

fn vary() -> HeaderValue {
    header::ORIGIN.into()
}
