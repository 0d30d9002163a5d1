//! What a call came to: codes out of answers and out of errors of the connection.

use std::error::Error as _;

use http::{HeaderMap, Response, StatusCode};
use tonic::Code;

use crate::http_status::code_of;

/// What the head of a response says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// The response has begun; its status comes last.
    Begun,
    /// This is all of it.
    Status(Code),
}

/// Reads the head of a response.
pub(super) fn head<B>(response: &Response<B>) -> Head {
    if let Some(code) = response.headers().get("grpc-status") {
        return Head::Status(Code::from_bytes(code.as_bytes()));
    }
    match response.status() {
        StatusCode::OK => Head::Begun,
        other => Head::Status(code_of(other)),
    }
}

/// What a server says about trying again, in `grpc-retry-pushback-ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushback {
    /// Nothing.
    None,
    /// After so many milliseconds.
    After(u64),
    /// Not at all: the value is negative, or no number.
    Never,
}

pub(super) fn pushback(headers: &HeaderMap) -> Pushback {
    let mut values = headers.get_all("grpc-retry-pushback-ms").iter();
    match (values.next(), values.next()) {
        (None, _) => Pushback::None,
        (Some(value), None) => match value.to_str().ok().and_then(|text| text.parse().ok()) {
            Some(millis) => Pushback::After(millis),
            None => Pushback::Never,
        },
        (Some(_), Some(_)) => Pushback::Never,
    }
}

/// How sure it is that a call that failed was not processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Processed {
    /// Nothing of it has left.
    Unsent,
    /// The peer has refused it before anything was done.
    Refused,
    /// Nobody knows.
    Maybe,
}

/// Whether a call whose connection or stream failed may have been processed.
///
/// RFC 9113 has two ways to say that it was not: `REFUSED_STREAM`, and a `GOAWAY` that names an
/// earlier stream as the last one. h2 gives the second to exactly the streams after that one.
pub(super) fn processed(error: &hyper::Error) -> Processed {
    match h2(error) {
        Some(error) if error.is_remote() && error.is_go_away() => Processed::Refused,
        Some(error)
            if error.is_remote()
                && error.is_reset()
                && error.reason() == Some(h2::Reason::REFUSED_STREAM) =>
        {
            Processed::Refused
        }
        _ => Processed::Maybe,
    }
}

/// Whether the peer has reset the stream.
pub(super) fn is_reset_by_peer(error: &hyper::Error) -> bool {
    h2(error).is_some_and(|error| error.is_remote() && error.is_reset())
}

/// The code for a stream that was reset, after
/// <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#errors>; `None` if it was
/// not, so that the connection must have failed.
pub(super) fn code(error: &hyper::Error) -> Option<Code> {
    let error = h2(error).filter(|error| error.is_reset())?;
    Some(match error.reason()? {
        h2::Reason::REFUSED_STREAM => Code::Unavailable,
        h2::Reason::CANCEL => Code::Cancelled,
        h2::Reason::ENHANCE_YOUR_CALM => Code::ResourceExhausted,
        h2::Reason::INADEQUATE_SECURITY => Code::PermissionDenied,
        _ => Code::Internal,
    })
}

fn h2(error: &hyper::Error) -> Option<&h2::Error> {
    error.source().and_then(|source| source.downcast_ref::<h2::Error>())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_pushback_is_a_number_or_forbids_to_try_again() {
        for (values, expected) in [
            (&[][..], Pushback::None),
            (&["0"], Pushback::After(0)),
            (&["1500"], Pushback::After(1500)),
            (&["-1"], Pushback::Never),
            (&["soon"], Pushback::Never),
            (&[""], Pushback::Never),
            (&["1.5"], Pushback::Never),
            (&["99999999999999999999"], Pushback::Never),
            (&["1", "2"], Pushback::Never),
        ] {
            let name = http::HeaderName::from_static("grpc-retry-pushback-ms");
            let values_of = values.iter().map(|value| (&name, HeaderValue::from_static(value)));
            let mut headers = HeaderMap::new();
            for (name, value) in values_of {
                headers.append(name.clone(), value);
            }
            assert_eq!(pushback(&headers), expected, "{values:?}");
        }
    }

    #[test]
    fn answers_of_proxies_have_codes() {
        let head_of = |status: u16| head(&Response::builder().status(status).body(()).unwrap());
        assert_eq!(head_of(200), Head::Begun);
        assert_eq!(head_of(503), Head::Status(Code::Unavailable));
        assert_eq!(head_of(404), Head::Status(Code::Unimplemented));
        assert_eq!(head_of(301), Head::Status(Code::Unknown));
    }
}
