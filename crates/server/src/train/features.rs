//! Features: what the catalogue says about each book, as the engine takes it.

use std::sync::Arc;

use recommender::learn::content::{Description, Features, KindWeights};
use storage::Book;

/// The features of books, in their order.
#[must_use]
pub(super) fn features(books: &[Arc<Book>], weights: &KindWeights) -> Features {
    Features::new(books.iter().map(|book| description(book)), weights)
}

fn description(book: &Book) -> Description<'_> {
    Description {
        authors: &book.authors,
        series: book.series.as_deref(),
        categories: &book.categories,
        language: book.language.as_deref(),
        publisher: book.publisher.as_deref(),
        title: &book.title,
    }
}
