//! Compression of answers: as the request was.

use http::{HeaderMap, HeaderValue, Request};

const ASKED: &str = "grpc-encoding";
const ACCEPTED: &str = "grpc-accept-encoding";

/// Lets answers be compressed only if the request was, and in the same way.
///
/// tonic compresses every answer for a client that says it could unpack it, and most clients
/// say so in every call; for answers of a few hundred bytes that is a waste on both sides.
/// grpc-go mirrors the request too. To be put around routes whose services have
/// `accept_compressed` and `send_compressed`.
pub fn mirror_compression<B>(mut request: Request<B>) -> Request<B> {
    let headers = request.headers_mut();
    let asked = headers.get(ASKED).cloned();
    mirror(headers, asked);
    request
}

fn mirror(headers: &mut HeaderMap, asked: Option<HeaderValue>) {
    let Some(accepted) = headers.get(ACCEPTED) else { return };
    let same = asked.filter(|asked| {
        let asked = asked.as_bytes();
        accepted.as_bytes().split(|byte| *byte == b',').any(|one| one.trim_ascii() == asked)
    });
    match same {
        Some(same) => headers.insert(ACCEPTED, same),
        None => headers.remove(ACCEPTED),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(asked: Option<&'static str>, accepted: &'static str, left: Option<&str>) {
        let mut request = Request::new(());
        request.headers_mut().insert(ACCEPTED, HeaderValue::from_static(accepted));
        if let Some(asked) = asked {
            request.headers_mut().insert(ASKED, HeaderValue::from_static(asked));
        }
        let request = mirror_compression(request);
        let found = request.headers().get(ACCEPTED).map(|value| value.to_str().unwrap());
        assert_eq!(found, left, "asked {asked:?}, accepted {accepted:?}");
    }

    #[test]
    fn answers_are_compressed_as_requests_are() {
        check(None, "identity, deflate, gzip", None);
        check(Some("gzip"), "identity, deflate, gzip", Some("gzip"));
        check(Some("zstd"), "gzip,zstd", Some("zstd"));
        check(Some("gzip"), "zstd", None);
        check(Some("identity"), "gzip", None);
    }
}
