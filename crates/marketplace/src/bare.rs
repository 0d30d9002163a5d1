//! A page without a shop around it: for when a visitor is not known, or the shop has no room.

use askama::Template;
use axum::response::{Html, IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};
use transport::unstall::LayerError;

use crate::language::{Language, Words};

#[derive(Template)]
#[template(path = "bare.html")]
struct Bare<'a> {
    words: &'static Words,
    heading: &'a str,
    text: &'a str,
}

/// A page that did not come to an answer: a handler failed, or there are too many.
pub(crate) fn lost(headers: &HeaderMap, error: &LayerError) -> Response {
    tracing::error!(%error, "a page has no answer");
    let words = Language::accepted(headers).words();
    page(error.http_status(), words, &words.wrong.broken, &words.wrong.broken_text)
}

/// A request for another host than this shop's.
pub(crate) fn another_host(headers: &HeaderMap) -> Response {
    let words = Language::accepted(headers).words();
    page(StatusCode::MISDIRECTED_REQUEST, words, &words.wrong.host, &words.wrong.host_text)
}

fn page(status: StatusCode, words: &'static Words, heading: &str, text: &str) -> Response {
    let html = Bare { words, heading, text }.render();
    // Only a value that cannot be written fails, and texts can.
    (status, Html(html.unwrap_or_default())).into_response()
}
