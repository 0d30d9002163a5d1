//! What all tries of a call have in common: the head of its request.

use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version, header};
use tokio::time::Instant;

use super::endpoint::Endpoint;
use super::request::Sending;
use crate::deadline::timeout_value;

const TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
const TRIES_BEFORE: HeaderName = HeaderName::from_static("grpc-previous-rpc-attempts");
const USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("transport/", env!("CARGO_PKG_VERSION")));

/// The head of a call's requests.
pub(super) struct Template {
    method: Method,
    path: PathAndQuery,
    headers: HeaderMap,
}

impl Template {
    pub(super) fn new(mut parts: Parts) -> Self {
        parts.headers.remove(TIMEOUT);
        parts.headers.entry(header::USER_AGENT).or_insert(USER_AGENT);
        let path = parts.uri.path_and_query().cloned();
        let path = path.unwrap_or_else(|| PathAndQuery::from_static("/"));
        Self { method: parts.method, path, headers: parts.headers }
    }

    /// The request of a try at an endpoint.
    pub(super) fn request(
        &self,
        endpoint: &Endpoint,
        by: Instant,
        tries_before: u32,
        body: Sending,
    ) -> Request<Sending> {
        let mut uri = http::uri::Parts::default();
        uri.scheme = Some(endpoint.scheme.clone());
        uri.authority = Some(endpoint.authority.clone());
        uri.path_and_query = Some(self.path.clone());
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = Uri::from_parts(uri).expect("all parts of it are there");
        *request.version_mut() = Version::HTTP_2;
        *request.headers_mut() = self.headers.clone();
        let left = by.saturating_duration_since(Instant::now());
        request.headers_mut().insert(TIMEOUT, timeout_value(left));
        if tries_before > 0 {
            request.headers_mut().insert(TRIES_BEFORE, tries_before.into());
        }
        request
    }
}
