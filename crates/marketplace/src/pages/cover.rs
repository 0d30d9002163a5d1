//! `/covers/{id}`: drawn covers. Their addresses change with what is on them, so browsers keep
//! them for ever.

use api::v1::{Book, GetBookRequest, GetBookResponse};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde::Deserialize;

use crate::assets::FOR_EVER;
use crate::cover;
use crate::service::Failure;
use crate::shop::Shop;
use crate::visitor::Asked;

/// What the address says.
#[derive(Default, Deserialize)]
pub(crate) struct Query {
    /// The version, in hexadecimal digits.
    #[serde(default)]
    v: String,
}

/// `GET /covers/{id}`. Pages that show a book have seen to it that it is remembered; only another
/// replica, or one that has restarted, has to ask.
pub(crate) async fn picture(
    State(shop): State<Shop>,
    id: Result<Path<String>, PathRejection>,
    Asked(query): Asked<Query>,
) -> Response {
    let Ok(Path(id)) = id else { return StatusCode::NOT_FOUND.into_response() };
    let book = match shop.remembered.book(&id) {
        Some(book) => book,
        None => {
            let request = GetBookRequest { book_id: id, ..GetBookRequest::default() };
            let book = match shop.service.get_book(request).await {
                Ok(GetBookResponse { book: Some(book), .. }) => book,
                // A plain cover stands there meanwhile.
                Err(Failure::Away(_)) => return drawn(&Book::default(), "no-store"),
                _ => return StatusCode::NOT_FOUND.into_response(),
            };
            shop.remembered.keep_books([&book]);
            book.into()
        }
    };
    let is_current = u64::from_str_radix(&query.v, 16) == Ok(cover::version(&book));
    let caching = if is_current { FOR_EVER } else { "no-cache" };
    drawn(&book, caching)
}

fn drawn(book: &Book, caching: &'static str) -> Response {
    let headers = [(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, caching)];
    (headers, cover::draw(book)).into_response()
}
