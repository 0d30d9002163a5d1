//! The headers of every answer: what a browser may do with a page, which is nothing that the page
//! does not do itself.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue};

use crate::settings::Settings;

/// The headers, made once.
#[derive(Clone)]
pub(crate) struct Headers(HeaderMap);

impl Headers {
    /// By what the shop is set to load.
    pub(crate) fn new(settings: &Settings) -> Self {
        let fixed = HeaderValue::from_static;
        let mut headers = HeaderMap::new();
        // What is checked when settings are read cannot end the policy, nor a header.
        let policy = HeaderValue::from_str(&policy(settings))
            .unwrap_or_else(|_| fixed("default-src 'none'"));
        headers.insert(CONTENT_SECURITY_POLICY, policy);
        headers.insert(X_CONTENT_TYPE_OPTIONS, fixed("nosniff"));
        headers.insert(X_FRAME_OPTIONS, fixed("DENY"));
        headers.insert(REFERRER_POLICY, fixed("same-origin"));
        let name = HeaderName::from_static;
        headers.insert(name("cross-origin-opener-policy"), fixed("same-origin"));
        headers.insert(name("cross-origin-resource-policy"), fixed("same-origin"));
        let nothing = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";
        headers.insert(name("permissions-policy"), fixed(nothing));
        // What a page says is one visitor's; what may be kept says so itself.
        headers.insert(CACHE_CONTROL, fixed("no-store"));
        if settings.is_secure() {
            headers.insert(STRICT_TRANSPORT_SECURITY, fixed("max-age=31536000"));
        }
        Self(headers)
    }
}

fn policy(settings: &Settings) -> String {
    let pictures = settings.cover_origins.iter().map(|origin| format!(" {origin}"));
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'{}; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        pictures.collect::<String>()
    )
}

/// What a proxy in front is told of an answer that comes bit by bit, as nginx understands it.
pub(crate) const UNBUFFERED: (HeaderName, &str) =
    (HeaderName::from_static("x-accel-buffering"), "no");

/// Puts the headers on an answer, but for those that it has.
pub(crate) async fn add(State(headers): State<Headers>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let kind = response.headers().get(CONTENT_TYPE);
    if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream")) {
        let (name, value) = UNBUFFERED;
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    for (name, value) in &headers.0 {
        response.headers_mut().entry(name).or_insert_with(|| value.clone());
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_loaded_from_elsewhere_unless_it_is_set() {
        let mut settings = Settings::reference();
        let before = policy(&settings);
        assert!(!before.contains("unsafe") && !before.contains("http"), "{before}");
        settings.cover_origins = vec!["https://covers.example.com".to_owned()];
        let after = policy(&settings);
        assert!(after.contains("img-src 'self' https://covers.example.com;"), "{after}");
    }

    #[test]
    fn browsers_are_kept_to_tls_only_where_there_is_tls() {
        let mut settings = Settings::reference();
        assert!(!Headers::new(&settings).0.contains_key(STRICT_TRANSPORT_SECURITY));
        settings.behind_tls = true;
        assert!(Headers::new(&settings).0.contains_key(STRICT_TRANSPORT_SECURITY));
    }
}
