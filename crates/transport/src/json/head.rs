//! What a request is, by its head alone.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use tonic::Code;

use super::contract::Contract;
use super::document::Document;
use super::error::Error;
use super::{Codec, Method as ContractMethod};
use crate::guard::{self, Kind};

const PROTOCOL_VERSION: &str = "connect-protocol-version";
const TIMEOUT: &str = "connect-timeout-ms";
const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// The most digits of a timeout in milliseconds.
const TIMEOUT_DIGITS_MAX: usize = 10;

/// The most that gRPC's timeout can say in one unit.
const GRPC_TIMEOUT_MAX: u64 = 99_999_999;

/// What becomes of a request.
pub(super) enum Verdict {
    /// It is gRPC, and none of ours.
    Grpc,
    /// It is a call, with the time that gRPC is told.
    Call { codec: Codec, timeout: Option<HeaderValue> },
    /// It is answered.
    Answered(Response<Bytes>),
}

/// Decides what becomes of a request.
pub(super) fn judge(contract: &Contract, documents: &[Document], parts: &Parts) -> Verdict {
    match judge_as_get(contract, documents, parts) {
        Verdict::Answered(answer) if parts.method == Method::HEAD => {
            Verdict::Answered(without_body(answer))
        }
        verdict => verdict,
    }
}

/// The same, except that answers to HEAD still have their bodies.
fn judge_as_get(contract: &Contract, documents: &[Document], parts: &Parts) -> Verdict {
    if guard::kind(&parts.headers) == Kind::Grpc {
        return Verdict::Grpc;
    }
    let path = parts.uri.path();
    if let Some(document) = documents.iter().find(|document| document.path() == path) {
        return Verdict::Answered(match parts.method {
            Method::GET | Method::HEAD => document.answer(&parts.headers),
            _ => wrong_method("GET, HEAD"),
        });
    }
    match contract.method(path) {
        Some(method) => call(method, parts).map_or_else(
            |answer| Verdict::Answered(*answer),
            |(codec, timeout)| Verdict::Call { codec, timeout },
        ),
        None => Verdict::Answered(not_found(&parts.method)),
    }
}

/// The answer to a call that is not handed on. It is large, and rare.
type Refusal = Box<Response<Bytes>>;

/// What a call asks for.
fn call(method: &ContractMethod, parts: &Parts) -> Result<(Codec, Option<HeaderValue>), Refusal> {
    if parts.method != Method::POST {
        return Err(Box::new(wrong_method("POST")));
    }
    let codec = codec(&parts.headers).ok_or_else(wrong_content_type)?;
    check_encoding(&parts.headers)?;
    if parts.headers.get(PROTOCOL_VERSION).is_some_and(|version| version != "1") {
        return Err(invalid("malformed connect-protocol-version: expected 1"));
    }
    if method.streams() {
        let text = "this method streams, and JSON is for unary methods; call it by gRPC";
        return Err(Box::new(Error::new(Code::Unimplemented, text).into_response()));
    }
    if !guard::has_sound_metadata(&parts.headers) {
        return Err(invalid("malformed binary metadata: expected base64 in -bin headers"));
    }
    let timeout = parts.headers.get(TIMEOUT).map(grpc_timeout).transpose()?;
    Ok((codec, timeout))
}

/// How the message is written.
fn codec(headers: &HeaderMap) -> Option<Codec> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let mut parts = value.split(';').map(str::trim);
    let codec = match parts.next()?.to_ascii_lowercase().as_str() {
        "application/json" => Codec::Json,
        "application/proto" => Codec::Proto,
        _ => return None,
    };
    // JSON is UTF-8, whatever else is said of it.
    let is_fine = |parameter: &str| match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    };
    parts.all(is_fine).then_some(codec)
}

fn check_encoding(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    if encodings.all(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Ok(());
    }
    let text = "unsupported content-encoding: expected identity, a body that is not compressed";
    let mut response = Error::new(Code::Unimplemented, text).into_response();
    let identity = HeaderValue::from_static("identity");
    response.headers_mut().insert(header::ACCEPT_ENCODING, identity);
    Err(Box::new(response))
}

/// Connect's timeout as gRPC's. Where that has not the digits it is a little longer.
fn grpc_timeout(millis: &HeaderValue) -> Result<HeaderValue, Refusal> {
    let digits = millis.as_bytes();
    let is_number =
        (1..=TIMEOUT_DIGITS_MAX).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    let millis = std::str::from_utf8(digits).ok().filter(|_| is_number);
    let millis: Option<u64> = millis.and_then(|digits| digits.parse().ok());
    let millis = millis.ok_or_else(|| {
        invalid("malformed connect-timeout-ms: expected milliseconds in up to 10 digits")
    })?;
    let timeout = match millis {
        ..=GRPC_TIMEOUT_MAX => format!("{millis}m"),
        _ => format!("{}S", millis.div_ceil(1000)),
    };
    Ok(HeaderValue::try_from(timeout).expect("digits and a letter fit a header"))
}

/// Leaves the length of the body. HTTP/2 would carry the body, which is a protocol error.
fn without_body(mut answer: Response<Bytes>) -> Response<Bytes> {
    let body = std::mem::take(answer.body_mut());
    if answer.status() != StatusCode::NOT_MODIFIED {
        answer.headers_mut().insert(header::CONTENT_LENGTH, body.len().into());
    }
    answer
}

fn invalid(text: &str) -> Refusal {
    Box::new(Error::new(Code::InvalidArgument, text).into_response())
}

fn wrong_method(allowed: &'static str) -> Response<Bytes> {
    let error = Error::new(Code::Unimplemented, format!("expected the method {allowed}"));
    let mut response = error.with_http_status(StatusCode::METHOD_NOT_ALLOWED).into_response();
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    response
}

fn wrong_content_type() -> Refusal {
    let text = "unsupported content-type: expected application/json in UTF-8";
    let error = Error::new(Code::Unimplemented, text);
    let mut response = error.with_http_status(StatusCode::UNSUPPORTED_MEDIA_TYPE).into_response();
    let accepted = HeaderValue::from_static("application/json, application/proto");
    response.headers_mut().insert("accept-post", accepted);
    Box::new(response)
}

/// There is nothing at that path. Connect's clients take a method that is not there for one
/// that is not implemented.
fn not_found(method: &Method) -> Response<Bytes> {
    let error = match *method {
        Method::POST => Error::new(
            Code::Unimplemented,
            "no such method: expected a path such as /package.Service/Method",
        ),
        _ => Error::new(Code::NotFound, "there is nothing at this path"),
    };
    error.with_http_status(StatusCode::NOT_FOUND).into_response()
}

/// Makes the head of a call one of gRPC. What the client says in gRPC's own headers does not
/// count: it is not its protocol.
pub(super) fn make_grpc(parts: &mut Parts, codec: Codec, timeout: Option<HeaderValue>) {
    let headers = &mut parts.headers;
    let foreign = |name: &HeaderName| {
        name.as_str().starts_with("grpc-") || name.as_str().starts_with("connect-")
    };
    let foreign: Vec<_> = headers.keys().filter(|name| foreign(name)).cloned().collect();
    for name in foreign {
        headers.remove(name);
    }
    for name in [header::ACCEPT_ENCODING, header::CONTENT_ENCODING, header::CONTENT_LENGTH] {
        headers.remove(name);
    }
    headers.insert(header::CONTENT_TYPE, codec.grpc_content_type());
    headers.insert(header::TE, HeaderValue::from_static("trailers"));
    if let Some(timeout) = timeout {
        headers.insert(GRPC_TIMEOUT, timeout);
    }
    parts.extensions.insert(codec);
}
