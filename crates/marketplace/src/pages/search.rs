//! `/search`: books by title, author, series or ISBN, as one types.

use api::v1::SearchBooksRequest;
use askama::Template;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;

use crate::frame::{self, Frame};
use crate::language::{Words, counted, fill};
use crate::links;
use crate::service::Failure;
use crate::shelves;
use crate::view::{BookView, ShelfView};
use crate::visitor::{Asked, Visitor};

/// The service takes no longer query.
const QUERY_BYTES_MAX: usize = 200;

/// What the address says.
#[derive(Default, Deserialize)]
pub(crate) struct Query {
    #[serde(default)]
    q: String,
    /// Asks for the next page.
    #[serde(default)]
    after: String,
}

#[derive(Template)]
#[template(path = "search.html")]
struct Page {
    frame: Frame,
    heading: String,
    nothing: Option<String>,
    books: Vec<BookView>,
    first: Option<String>,
    next: Option<String>,
    shelves: Vec<ShelfView>,
}

/// `GET /search`.
pub(crate) async fn page(
    mut visitor: Visitor,
    Asked(asked): Asked<Query>,
    headers: HeaderMap,
) -> Response {
    let words = visitor.words();
    let query = shortened(asked.q.trim()).to_owned();
    let shop = visitor.shop.clone();
    let found = match query.as_str() {
        "" => None,
        _ => Some(
            shop.service
                .search_books(SearchBooksRequest {
                    query: query.clone(),
                    page_size: shop.settings.page_size(),
                    page_token: asked.after.clone(),
                })
                .await,
        ),
    };
    let mut frame = Frame::of(&mut visitor, &words.search.title);
    frame.query.clone_from(&query);
    let mut page = Page {
        heading: match &found {
            Some(_) => fill(&words.search.heading, &[("query", &query)]),
            None => words.search.title.clone(),
        },
        nothing: found.is_none().then(|| words.search.prompt.clone()),
        books: Vec::new(),
        first: (!asked.after.is_empty()).then(|| address(&query, "")),
        next: None,
        shelves: Vec::new(),
        frame,
    };
    match found {
        None => {}
        Some(Ok(found)) => {
            shop.remembered.keep_books(&found.books);
            page.books =
                found.books.iter().map(|book| BookView::new(&shop, words, book, "")).collect();
            let token = found.next_page_token;
            page.next = (!token.is_empty()).then(|| address(&query, &token));
            page.nothing = page.books.is_empty().then(|| nothing(&query, &visitor));
        }
        Some(Err(Failure::Away(_))) => {
            page.frame.is_away = true;
            page.shelves = shelves::plain(&visitor);
        }
        // Nothing is found by signs that are no words, or after a page that there is not.
        Some(Err(_)) => page.nothing = Some(nothing(&query, &visitor)),
    }
    page.frame.told = told(&page, visitor.words());
    let response = frame::show(visitor, StatusCode::OK, &page);
    (address_of_the_page(&headers, &query, &asked.after), response).into_response()
}

/// While somebody types, the browser's address follows: one step of its history for each search,
/// not for each letter.
fn address_of_the_page(headers: &HeaderMap, query: &str, after: &str) -> HeaderMap {
    let mut told = HeaderMap::new();
    if !headers.contains_key("hx-request") {
        return told;
    }
    let current = headers.get("hx-current-url").and_then(|url| url.to_str().ok());
    let path = current.and_then(|url| url.parse::<http::Uri>().ok());
    let is_search = path.is_some_and(|url| url.path() == "/search");
    let name = if is_search { "hx-replace-url" } else { "hx-push-url" };
    if let Ok(value) = HeaderValue::try_from(address(query, after)) {
        told.insert(HeaderName::from_static(name), value);
    }
    told
}

fn address(query: &str, after: &str) -> String {
    links::with_query("/search".to_owned(), &[("q", query), ("after", after)])
}

/// What became of the search, in one sentence.
fn told(page: &Page, words: &Words) -> String {
    match (&page.nothing, page.books.len()) {
        (Some(nothing), _) => nothing.clone(),
        (None, 0) => words.shop.away.clone(),
        (None, count) => counted(count, &words.search.found_one, &words.search.found_many),
    }
}

fn nothing(query: &str, visitor: &Visitor) -> String {
    fill(&visitor.words().search.nothing, &[("query", query)])
}

/// As much of a query as is taken.
fn shortened(query: &str) -> &str {
    let ends = query.char_indices().map(|(start, character)| start + character.len_utf8());
    let end = ends.take_while(|end| *end <= QUERY_BYTES_MAX).last().unwrap_or_default();
    &query[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_queries_are_cut_between_letters() {
        assert_eq!(shortened("dune"), "dune");
        assert_eq!(shortened(""), "");
        assert_eq!(shortened(&"三".repeat(100)).len(), 198);
    }
}
