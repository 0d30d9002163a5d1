//! What went wrong, said with what to do next and the status that fits.

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use crate::frame::{self, Frame};
use crate::language::fill;
use crate::shelves;
use crate::view::ShelfView;
use crate::visitor::Visitor;

/// Longer texts of others say nothing more.
const PROBLEM_CHARACTERS_MAX: usize = 200;

/// What went wrong.
#[derive(Debug)]
pub(crate) enum Wrong {
    /// No such page or book.
    NotFound,
    /// The address is not asked in this way.
    Method,
    /// A form lacks something, or it is not what was expected.
    Form(String),
    /// The form is not of this session.
    Expired,
    /// The page is for the bookseller.
    NotBookseller,
    /// The single sign-on's header proves nothing.
    SignOn,
    TooLarge,
    /// The service is away, and nothing is remembered.
    Away,
    /// What is stored of a reader cannot be handed out.
    DownloadAway,
    /// A file cannot be handed on.
    ImportAway,
    Broken,
}

#[derive(Template)]
#[template(path = "wrong.html")]
struct Page {
    frame: Frame,
    heading: String,
    text: String,
    asks_to_sign_in: bool,
    shelves: Vec<ShelfView>,
}

/// A page that says so.
pub(crate) fn page(mut visitor: Visitor, wrong: &Wrong) -> Response {
    let words = &visitor.words().wrong;
    let (status, heading, text) = match wrong {
        Wrong::NotFound => (StatusCode::NOT_FOUND, &words.not_found, words.not_found_text.clone()),
        Wrong::Method => (StatusCode::METHOD_NOT_ALLOWED, &words.method, words.method_text.clone()),
        Wrong::Form(problem) => {
            let problem: String = problem.chars().take(PROBLEM_CHARACTERS_MAX).collect();
            let text = fill(&words.form_text, &[("problem", &problem)]);
            (StatusCode::BAD_REQUEST, &words.form, text)
        }
        Wrong::Expired => (StatusCode::FORBIDDEN, &words.expired, words.expired_text.clone()),
        Wrong::NotBookseller => {
            let console = &visitor.words().console;
            (StatusCode::FORBIDDEN, &console.forbidden, console.forbidden_text.clone())
        }
        Wrong::SignOn => (StatusCode::FORBIDDEN, &words.sign_on, words.sign_on_text.clone()),
        Wrong::TooLarge => {
            (StatusCode::PAYLOAD_TOO_LARGE, &words.too_large, words.too_large_text.clone())
        }
        Wrong::Away => (StatusCode::SERVICE_UNAVAILABLE, &words.away, words.away_text.clone()),
        Wrong::DownloadAway => {
            (StatusCode::SERVICE_UNAVAILABLE, &words.download, words.download_text.clone())
        }
        Wrong::ImportAway => {
            (StatusCode::SERVICE_UNAVAILABLE, &words.import, words.import_text.clone())
        }
        Wrong::Broken => {
            (StatusCode::SERVICE_UNAVAILABLE, &words.broken, words.broken_text.clone())
        }
    };
    let frame = Frame::of(&mut visitor, heading);
    let shelves = match wrong {
        Wrong::NotFound | Wrong::Away => shelves::plain(&visitor),
        _ => Vec::new(),
    };
    let asks_to_sign_in = matches!(wrong, Wrong::NotBookseller);
    let page = Page { heading: heading.clone(), text, shelves, asks_to_sign_in, frame };
    frame::show(visitor, status, &page)
}

/// Any address that there is not.
pub(crate) async fn nothing_here(visitor: Visitor) -> Response {
    page(visitor, &Wrong::NotFound)
}

/// An address that is asked in another way than it answers.
pub(crate) async fn another_method(visitor: Visitor) -> Response {
    page(visitor, &Wrong::Method)
}
