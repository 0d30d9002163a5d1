//! Encodings of gRPC-Web: bytes as they are, or base64 for what can carry text only.

use http::{HeaderMap, HeaderValue, header};

const PREFIX: &str = "application/grpc-web";

/// How bodies are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Binary,
    Text,
}

/// What a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Anything else, plain gRPC first of all.
    Other,
    Web(Encoding),
    /// gRPC-Web with messages other than protobuf.
    UnknownWeb,
}

impl Protocol {
    /// What a request is, by its `Content-Type`.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let Some(value) = value.filter(|value| starts_with(value, PREFIX)) else {
            return Self::Other;
        };
        Encoding::named(value).map_or(Self::UnknownWeb, Self::Web)
    }
}

impl Encoding {
    /// The encoding that the answer to a request in this encoding is to have: what `Accept`
    /// says, and the same if it does not speak of gRPC-Web (browsers send `*/*`).
    pub(super) fn of_answer(self, headers: &HeaderMap) -> Self {
        let accepted = headers.get_all(header::ACCEPT).iter();
        let mut accepted = accepted.filter_map(|value| value.to_str().ok());
        accepted.find_map(|value| value.split(',').find_map(Self::named)).unwrap_or(self)
    }

    pub(super) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Binary => "application/grpc-web+proto",
            Self::Text => "application/grpc-web-text+proto",
        })
    }

    /// The encoding that a media type stands for.
    fn named(media_type: &str) -> Option<Self> {
        let name = media_type.split(';').next().unwrap_or_default().trim();
        let rest = name.get(PREFIX.len()..).filter(|_| starts_with(name, PREFIX))?;
        match rest.to_ascii_lowercase().as_str() {
            "" | "+proto" => Some(Self::Binary),
            "-text" | "-text+proto" => Some(Self::Text),
            _ => None,
        }
    }
}

fn starts_with(value: &str, prefix: &str) -> bool {
    value.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_known_by_its_content_type() {
        for (content_type, protocol) in [
            ("application/grpc", Protocol::Other),
            ("application/grpc+proto", Protocol::Other),
            ("text/plain", Protocol::Other),
            ("application/grpc-web", Protocol::Web(Encoding::Binary)),
            ("Application/gRPC-Web+Proto; charset=utf-8", Protocol::Web(Encoding::Binary)),
            ("application/grpc-web-text", Protocol::Web(Encoding::Text)),
            ("application/grpc-web-text+proto", Protocol::Web(Encoding::Text)),
            ("application/grpc-web+json", Protocol::UnknownWeb),
            ("application/grpc-webs", Protocol::UnknownWeb),
        ] {
            let headers = headers(header::CONTENT_TYPE, content_type);
            assert_eq!(Protocol::of(&headers), protocol, "{content_type}");
        }
        assert_eq!(Protocol::of(&HeaderMap::new()), Protocol::Other);
    }

    #[test]
    fn an_answer_is_as_accept_asks_and_else_as_the_request() {
        for (request, accept, answer) in [
            (Encoding::Text, "*/*", Encoding::Text),
            (Encoding::Binary, "*/*", Encoding::Binary),
            (Encoding::Text, "application/grpc-web+proto", Encoding::Binary),
            (Encoding::Binary, "application/json, application/grpc-web-text", Encoding::Text),
        ] {
            let headers = headers(header::ACCEPT, accept);
            assert_eq!(request.of_answer(&headers), answer, "{accept}");
        }
        assert_eq!(Encoding::Text.of_answer(&HeaderMap::new()), Encoding::Text);
    }

    fn headers(name: header::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }
}
