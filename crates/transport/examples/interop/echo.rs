//! Metadata that clients want back: one entry ahead of the messages, one after them.
//!
//! This is a layer because tonic's handlers cannot add trailers to a call that ends well.

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderName};
use http_body::Frame;
use http_body_util::BodyExt as _;

const INITIAL: HeaderName = HeaderName::from_static("x-grpc-test-echo-initial");
const TRAILING: HeaderName = HeaderName::from_static("x-grpc-test-echo-trailing-bin");

/// Calls the service, and sends both entries back as they came.
pub(crate) async fn metadata(request: Request, next: Next) -> Response {
    let initial = request.headers().get(INITIAL).cloned();
    let trailing = request.headers().get(TRAILING).cloned();

    let mut response = next.run(request).await;
    if let Some(initial) = initial {
        response.headers_mut().insert(INITIAL, initial);
    }
    let Some(trailing) = trailing else { return response };
    if has_ended(response.headers()) {
        response.headers_mut().insert(TRAILING, trailing);
        return response;
    }
    response.map(|body| {
        Body::new(body.map_frame(move |frame| match frame.into_trailers() {
            Ok(mut trailers) => {
                trailers.insert(TRAILING, trailing.clone());
                Frame::trailers(trailers)
            }
            Err(frame) => frame,
        }))
    })
}

/// Whether a response has no body, so that its headers are its trailers too.
fn has_ended(headers: &HeaderMap) -> bool {
    headers.contains_key("grpc-status")
}
