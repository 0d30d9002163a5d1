//! Answers of gRPC as HTTP's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header, response};
use tonic::{Code, Status};

use super::error::Error;
use super::{Codec, frame};
use crate::BoxError;
use crate::http_status::code_of;

const GRPC_STATUS: &str = "grpc-status";
const DETAILS: &str = "grpc-status-details-bin";

/// Before the names of trailers.
const TRAILER: &str = "trailer-";

/// The answer to a call, once all of it is there.
pub(super) fn answer(
    codec: Codec,
    head: response::Parts,
    data: &Bytes,
    trailers: Option<HeaderMap>,
    end: Result<(), BoxError>,
) -> Response<Bytes> {
    let mut leading = head.headers;
    let failed = |error: BoxError| {
        tracing::error!(%error, "a service failed");
        Status::internal("internal error")
    };
    let told = match &trailers {
        Some(trailers) => told(trailers),
        // Nothing but a head: its headers are trailers.
        None if leading.contains_key(GRPC_STATUS) => told(&leading),
        None => Told::not_grpc(head.status),
    };
    let told = end.map_or_else(|error| Told::from(failed(error)), |()| told);
    let mut response = match told.status.code() {
        Code::Ok => match frame::open(data) {
            Ok(message) => success(codec, message),
            Err(status) => Error::new(Code::Internal, status.message()).into_response(),
        },
        code => Error::new(code, told.status.message()).with_details(&told.details).into_response(),
    };
    let headers = response.headers_mut();
    keep(&mut leading);
    headers.extend(leading);
    if let Some(mut trailers) = trailers {
        keep(&mut trailers);
        append_trailers(headers, &trailers);
    }
    response
}

fn success(codec: Codec, message: Bytes) -> Response<Bytes> {
    let mut response = Response::new(message);
    response.headers_mut().insert(header::CONTENT_TYPE, codec.content_type());
    response
}

/// gRPC's status, and its details.
struct Told {
    status: Status,
    details: Vec<u8>,
}

impl Told {
    /// An HTTP status of a layer in between.
    fn not_grpc(status: StatusCode) -> Self {
        Status::new(code_of(status), "").into()
    }
}

impl From<Status> for Told {
    fn from(status: Status) -> Self {
        Self { status, details: Vec::new() }
    }
}

fn told(headers: &HeaderMap) -> Told {
    let mut headers = headers.clone();
    // tonic panics at details that are no base64.
    let details = headers.remove(DETAILS);
    let details = details.and_then(|details| {
        let digits = details.as_bytes().trim_ascii_end();
        let digits = digits.strip_suffix(b"==").or(digits.strip_suffix(b"=")).unwrap_or(digits);
        STANDARD_NO_PAD.decode(digits).ok()
    });
    let status = Status::from_header_map(&headers);
    let status = status.unwrap_or_else(|| Status::unknown("the answer has no status"));
    Told { status, details: details.unwrap_or_default() }
}

/// Leaves what is the method's own.
fn keep(headers: &mut HeaderMap) {
    for name in [
        header::CONTENT_TYPE,
        header::CONTENT_LENGTH,
        header::CONNECTION,
        header::TRANSFER_ENCODING,
        header::TRAILER,
    ] {
        headers.remove(name);
    }
    let grpc = headers.keys().filter(|name| name.as_str().starts_with("grpc-"));
    for name in grpc.cloned().collect::<Vec<_>>() {
        headers.remove(name);
    }
}

fn append_trailers(headers: &mut HeaderMap, trailers: &HeaderMap<HeaderValue>) {
    for (name, value) in trailers {
        // A name that is too long with the prefix is no name.
        if let Ok(name) = HeaderName::try_from(format!("{TRAILER}{name}")) {
            headers.append(name, value.clone());
        }
    }
}
