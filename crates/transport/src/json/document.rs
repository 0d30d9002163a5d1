//! Plain documents, such as the description of the contract.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

/// A document that is served as it is, to whoever asks.
#[derive(Clone, Debug)]
pub struct Document {
    path: &'static str,
    content_type: HeaderValue,
    bytes: Bytes,
    etag: HeaderValue,
}

impl Document {
    /// A document at a path such as `/openapi.json`.
    ///
    /// # Panics
    ///
    /// If the content type cannot stand in a header.
    #[must_use]
    pub fn new(path: &'static str, content_type: &'static str, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        let etag = format!("\"{:016x}\"", hasher.finish());
        let etag = HeaderValue::try_from(etag).expect("hexadecimal digits fit a header");
        Self { path, content_type: HeaderValue::from_static(content_type), bytes, etag }
    }

    pub(super) fn path(&self) -> &str {
        self.path
    }

    /// The answer to a request for it by GET.
    pub(super) fn answer(&self, asked: &HeaderMap) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        let headers = response.headers_mut();
        headers.insert(header::ETAG, self.etag.clone());
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if self.is_known(asked) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        headers.insert(header::CONTENT_TYPE, self.content_type.clone());
        *response.body_mut() = self.bytes.clone();
        response
    }

    /// Whether the client has it as it is.
    fn is_known(&self, asked: &HeaderMap) -> bool {
        let etag = self.etag.as_bytes();
        let values = asked.get_all(header::IF_NONE_MATCH).iter();
        let mut tags = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
        tags.any(|tag| {
            let tag = tag.trim_ascii();
            tag == b"*" || tag.strip_prefix(b"W/").unwrap_or(tag) == etag
        })
    }
}
