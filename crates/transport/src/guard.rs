//! The guard: what a request must look like before anybody works on it.
//!
//! tonic's server takes a GET, any content type and a malformed timeout. The answers here are
//! those of grpc-go (`internal/transport/http2_server.go`): an HTTP status that proxies
//! understand, and a gRPC status for clients.
//!
//! | request | HTTP | gRPC |
//! | --- | --- | --- |
//! | content type that is neither gRPC nor gRPC-Web, if others are not passed on | 415 | `INVALID_ARGUMENT` |
//! | gRPC, but not POST | 405 | `INTERNAL` |
//! | gRPC over HTTP/1.1 | 505 | `INTERNAL` |
//! | gRPC with a malformed `grpc-timeout` | 400 | `INTERNAL` |
//! | gRPC with binary metadata that is no base64 | 400 | `INTERNAL` |

use std::time::Duration;

use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Version, header};

use crate::settings::OtherRequests;

/// What kind of request it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// gRPC.
    Grpc,
    /// gRPC-Web with plain messages.
    GrpcWeb,
    /// gRPC-Web in base64.
    GrpcWebText,
    /// JSON over HTTP, or Connect's protobuf; see [`json`](crate::json).
    Json,
    /// Something else.
    Other,
}

/// A request that may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// What it is.
    pub kind: Kind,
    /// How long its client waits.
    pub timeout: Option<Duration>,
}

/// Why a request may not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Neither gRPC nor gRPC-Web.
    ContentType,
    /// gRPC, but not POST.
    Method,
    /// gRPC needs HTTP/2.
    Version,
    /// `grpc-timeout` is not a number of at most eight digits and a unit.
    Timeout,
    /// A header that ends in `-bin` is no base64.
    BinaryMetadata,
}

impl Refusal {
    /// The HTTP status.
    #[must_use]
    pub fn http_status(self) -> StatusCode {
        match self {
            Self::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Version => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Self::Timeout | Self::BinaryMetadata => StatusCode::BAD_REQUEST,
        }
    }

    /// The gRPC status, by its number.
    #[must_use]
    pub fn grpc_code(self) -> &'static str {
        match self {
            Self::ContentType => "3",
            Self::Method | Self::Version | Self::Timeout | Self::BinaryMetadata => "13",
        }
    }

    /// What the client reads. Nothing of the request is in it.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::ContentType => "expected content-type application/grpc",
            Self::Method => "expected the method POST",
            Self::Version => "gRPC needs HTTP/2",
            Self::Timeout => "malformed grpc-timeout: expected up to 8 digits and one of HMSmun",
            Self::BinaryMetadata => "malformed binary metadata: expected base64 in -bin headers",
        }
    }
}

/// Looks at the head of a request. Costs a look at each header.
///
/// # Errors
///
/// [`Refusal`]
pub fn check(parts: &Parts, others: OtherRequests) -> Result<Passed, Refusal> {
    let kind = kind(&parts.headers);
    match kind {
        Kind::Json | Kind::Other => {
            let is_preflight = parts.method == Method::OPTIONS
                && parts.headers.contains_key(header::ORIGIN)
                && parts.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
            if others == OtherRequests::Refuse && !is_preflight {
                return Err(Refusal::ContentType);
            }
            return Ok(Passed { kind, timeout: None });
        }
        Kind::Grpc if parts.method != Method::POST => return Err(Refusal::Method),
        Kind::Grpc if parts.version < Version::HTTP_2 => return Err(Refusal::Version),
        Kind::GrpcWeb | Kind::GrpcWebText
            if parts.method != Method::POST && parts.method != Method::OPTIONS =>
        {
            return Err(Refusal::Method);
        }
        Kind::Grpc | Kind::GrpcWeb | Kind::GrpcWebText => {}
    }
    if !has_sound_metadata(&parts.headers) {
        return Err(Refusal::BinaryMetadata);
    }
    let timeout = unstall::grpc_timeout(&parts.headers).map_err(|_| Refusal::Timeout)?;
    Ok(Passed { kind, timeout })
}

/// What kind of request it is, by its content type.
pub(crate) fn kind(headers: &HeaderMap) -> Kind {
    let value = headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let Some(rest) = strip_prefix_ignoring_case(value, b"application/grpc") else {
        let media_type = value.split(|byte| *byte == b';').next().unwrap_or_default();
        let media_type = media_type.trim_ascii().to_ascii_lowercase();
        return match &media_type[..] {
            b"application/json" | b"application/proto" => Kind::Json,
            _ => Kind::Other,
        };
    };
    let is_end = |rest: &[u8]| matches!(rest.first(), None | Some(b'+' | b';'));
    if is_end(rest) {
        return Kind::Grpc;
    }
    match strip_prefix_ignoring_case(rest, b"-web") {
        Some(rest) if is_end(rest) => Kind::GrpcWeb,
        Some(rest) => match strip_prefix_ignoring_case(rest, b"-text") {
            Some(rest) if is_end(rest) => Kind::GrpcWebText,
            _ => Kind::Other,
        },
        None => Kind::Other,
    }
}

fn strip_prefix_ignoring_case<'a>(value: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = value.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// Whether all binary metadata are what they say.
pub(crate) fn has_sound_metadata(headers: &HeaderMap) -> bool {
    headers.iter().all(|(name, value)| is_fine(name.as_str(), value))
}

/// Whether binary metadata is base64, with padding or without. Several values may be joined by
/// commas, as the specification of gRPC has it.
fn is_fine(name: &str, value: &HeaderValue) -> bool {
    !name.ends_with("-bin") || value.as_bytes().split(|byte| *byte == b',').all(is_base64)
}

fn is_base64(value: &[u8]) -> bool {
    let value = value.trim_ascii();
    let padding = value.iter().rev().take_while(|byte| **byte == b'=').count();
    let digits = &value[..value.len() - padding];
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let is_whole = padding == 0 || (padding <= 2 && value.len().is_multiple_of(4));
    is_whole && digits.len() % 4 != 1 && digits.iter().all(is_digit)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn check_one(request: http::request::Builder) -> Result<Passed, Refusal> {
        let (parts, ()) = request.body(()).unwrap().into_parts();
        check(&parts, OtherRequests::Refuse)
    }

    fn post(content_type: &str) -> http::request::Builder {
        let request = Request::post("/shop.Books/Find").version(Version::HTTP_2);
        request.header(header::CONTENT_TYPE, content_type)
    }

    #[test]
    fn content_types_are_told_apart() {
        for (content_type, kind) in [
            ("application/grpc", Kind::Grpc),
            ("Application/gRPC+proto", Kind::Grpc),
            ("application/grpc;charset=utf-8", Kind::Grpc),
            ("application/grpc-web", Kind::GrpcWeb),
            ("application/grpc-web-text+proto", Kind::GrpcWebText),
        ] {
            assert_eq!(check_one(post(content_type)).unwrap().kind, kind, "{content_type}");
        }
        for (content_type, kind) in [
            ("application/json", Kind::Json),
            ("Application/JSON ; charset=utf-8", Kind::Json),
            ("application/proto", Kind::Json),
            ("application/jsonx", Kind::Other),
            ("text/plain", Kind::Other),
        ] {
            let (parts, ()) = post(content_type).body(()).unwrap().into_parts();
            assert_eq!(check(&parts, OtherRequests::Refuse), Err(Refusal::ContentType));
            assert_eq!(check(&parts, OtherRequests::PassOn).unwrap().kind, kind, "{content_type}");
        }
        for content_type in ["text/plain", "application/grpcx", "application/grpc x", ""] {
            assert_eq!(check_one(post(content_type)), Err(Refusal::ContentType), "{content_type}");
        }
    }

    #[test]
    fn only_a_browsers_preflight_may_be_without_a_content_type() {
        let options =
            || Request::options("/shop.Books/Find").header(header::ORIGIN, "https://shop");
        assert_eq!(check_one(options()), Err(Refusal::ContentType));
        let preflight = options().header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST");
        assert_eq!(check_one(preflight).unwrap().kind, Kind::Other);
    }

    #[test]
    fn grpc_is_posted_over_http2_with_sound_headers() {
        let grpc = || post("application/grpc");
        assert_eq!(check_one(grpc().method(Method::GET)), Err(Refusal::Method));
        assert_eq!(check_one(grpc().version(Version::HTTP_11)), Err(Refusal::Version));
        assert_eq!(check_one(grpc().header("grpc-timeout", "soon")), Err(Refusal::Timeout));
        assert_eq!(check_one(grpc().header("a-bin", "%%")), Err(Refusal::BinaryMetadata));
        let passed = check_one(grpc().header("grpc-timeout", "5S").header("a-bin", "YQ, YWI="));
        assert_eq!(passed.unwrap().timeout, Some(Duration::from_secs(5)));
    }

    #[test]
    fn base64_may_be_padded_or_not() {
        for (value, expected) in [
            ("", true),
            ("YQ", true),
            ("YQ==", true),
            ("YQ=", false),
            ("Y", false),
            ("Y!==", false),
        ] {
            assert_eq!(is_base64(value.as_bytes()), expected, "{value}");
        }
    }
}
