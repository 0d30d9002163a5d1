//! A shelf as pages show it.

use api::v1::{Book, EventKind, RecommendedBook, Shelf, ShelfKind};

use super::{BookView, reason, stars};
use crate::language::{Words, fill};
use crate::shop::Shop;

/// A shelf: a heading, and books.
pub(crate) struct ShelfView {
    pub(crate) heading: String,
    pub(crate) note: Option<String>,
    pub(crate) style: Style,
    /// It is seen without scrolling: its covers are not waited with.
    pub(crate) is_first: bool,
    /// Names it in events that come of it.
    pub(crate) token: String,
    pub(crate) cards: Vec<Card>,
}

/// How it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Covers side by side.
    Row,
    /// A few books, each with its reason beside the cover.
    Wide,
}

/// A book on a shelf.
pub(crate) struct Card {
    pub(crate) book: BookView,
    pub(crate) reason: Option<String>,
}

impl ShelfView {
    /// A shelf that the service filled, for a reader or for somebody who is not known.
    pub(crate) fn new(shop: &Shop, words: &Words, shelf: &Shelf, is_reader: bool) -> Self {
        let token = shelf.attribution_token.clone();
        let kind = shelf.kind();
        let is_less = shelf.fallback != 0 && kind == ShelfKind::PickedForYou && is_reader;
        Self {
            heading: heading(shelf, words, is_reader),
            note: is_less.then(|| words.shelf.fallback.clone()),
            style: if kind == ShelfKind::Category { Style::Wide } else { Style::Row },
            is_first: false,
            cards: shelf.books.iter().filter_map(|one| card(shop, words, one, &token)).collect(),
            token,
        }
    }

    /// Books of the catalogue, for when there is nothing better.
    pub(crate) fn plain(shop: &Shop, words: &Words, books: &[Book]) -> Self {
        Self::of_books(shop, words, words.shelf.plain.clone(), books)
    }

    /// Some books, without reasons.
    pub(crate) fn of_books<'a>(
        shop: &Shop,
        words: &Words,
        heading: String,
        books: impl IntoIterator<Item = &'a Book>,
    ) -> Self {
        let card = |book| Card { book: BookView::new(shop, words, book, ""), reason: None };
        Self {
            heading,
            note: None,
            style: Style::Row,
            is_first: false,
            token: String::new(),
            cards: books.into_iter().map(card).collect(),
        }
    }

    /// Whether each book comes with its reason beside the cover.
    pub(crate) fn is_wide(&self) -> bool {
        self.style == Style::Wide
    }
}

fn card(shop: &Shop, words: &Words, one: &RecommendedBook, token: &str) -> Option<Card> {
    let book = BookView::new(shop, words, one.book.as_ref()?, token);
    let reason = one.reasons.first().and_then(|first| reason(first, words));
    Some(Card { book, reason })
}

fn heading(shelf: &Shelf, words: &Words, is_reader: bool) -> String {
    let texts = &words.shelf;
    match shelf.kind() {
        ShelfKind::PickedForYou if is_reader => texts.picked.clone(),
        ShelfKind::PickedForYou => texts.picked_visit.clone(),
        ShelfKind::Category => {
            let category = shelf.category.clone().unwrap_or_default();
            let name = words.category(&category.slug, &category.title);
            fill(&texts.category, &[("category", name)])
        }
        ShelfKind::BecauseYouRead => {
            let title = shelf.book.as_ref().map_or("", |book| book.title.as_str());
            let text = match shelf.event_kind() {
                EventKind::View => &texts.because_viewed,
                EventKind::WantToRead => &texts.because_wanted,
                EventKind::Purchase => &texts.because_bought,
                EventKind::Finish => &texts.because_finished,
                EventKind::Rating => &texts.because_rated,
                EventKind::Unspecified
                | EventKind::Impression
                | EventKind::Cart
                | EventKind::Dismiss
                | EventKind::Abandon
                | EventKind::Return => &texts.because,
            };
            fill(text, &[("title", title), ("stars", &stars(shelf.rating))])
        }
        ShelfKind::Trending => texts.trending.clone(),
        ShelfKind::NextInSeries => texts.series.clone(),
        ShelfKind::SimilarTo => texts.similar.clone(),
        ShelfKind::Popular | ShelfKind::Unspecified => texts.popular.clone(),
    }
}
