//! A book as cards and pages show it.

use api::v1::Book;

use super::price;
use crate::cover;
use crate::language::{Words, fill};
use crate::links;
use crate::shop::Shop;

/// Fewer units than this are told by their number.
const FEW_UNITS: u32 = 5;

/// How books are named without a title.
const UNTITLED: &str = "—";

/// A book.
#[derive(Clone)]
pub(crate) struct BookView {
    pub(crate) id: String,
    pub(crate) title: String,
    /// The language of its title, for those who hear it; empty if unknown.
    pub(crate) language: String,
    pub(crate) authors: String,
    pub(crate) href: String,
    pub(crate) cover: String,
    pub(crate) price: Option<String>,
    stock: Stock,
}

/// Whether it can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stock {
    /// There is enough, or it is not counted.
    Enough,
    Few(u32),
    Nothing,
}

impl BookView {
    /// A book, reached from a shelf.
    pub(crate) fn new(shop: &Shop, words: &Words, book: &Book, from: &str) -> Self {
        let title = if book.title.is_empty() { UNTITLED } else { &book.title };
        Self {
            id: book.id.clone(),
            title: title.to_owned(),
            language: book.language.clone(),
            authors: words.list(&book.authors),
            href: links::book(&book.id, from),
            cover: picture(shop, book),
            price: book.price.as_ref().map(price),
            stock: Stock::of(book),
        }
    }

    /// The stock in words; `None` if there is enough.
    pub(crate) fn scarce(&self, words: &Words) -> Option<String> {
        match self.stock {
            Stock::Enough => None,
            Stock::Few(units) => {
                Some(fill(&words.book.stock_few, &[("stock", &units.to_string())]))
            }
            Stock::Nothing => Some(words.book.stock_none.clone()),
        }
    }

    pub(crate) fn is_sold_out(&self) -> bool {
        self.stock == Stock::Nothing
    }

    /// An act on this book, for those who do not see where its button stands.
    pub(crate) fn named(&self, words: &Words, act: &str) -> String {
        fill(&words.book.of_book, &[("act", act), ("title", &self.title)])
    }
}

impl Stock {
    fn of(book: &Book) -> Self {
        match book.stock {
            Some(0) => Self::Nothing,
            Some(units) if units < FEW_UNITS => Self::Few(units),
            _ => Self::Enough,
        }
    }
}

/// The picture of a cover: the catalogue's, where it may be loaded, else a drawn one.
fn picture(shop: &Shop, book: &Book) -> String {
    let is_of = |origin: &String| {
        let rest = book.cover_uri.strip_prefix(origin.as_str());
        rest.is_some_and(|path| path.starts_with('/'))
    };
    if shop.settings.cover_origins.iter().any(is_of) {
        return book.cover_uri.clone();
    }
    links::cover(&book.id, cover::version(book))
}

/// Stars as a text: `★★★★½`.
pub(crate) fn stars(rating: f64) -> String {
    let halves = (rating * 2.0).round().clamp(0.0, 10.0) as usize;
    let mut text = "★".repeat(halves / 2);
    if halves % 2 == 1 {
        text.push('½');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_have_halves() {
        assert_eq!(stars(5.0), "★★★★★");
        assert_eq!(stars(3.5), "★★★½");
        assert_eq!(stars(0.0), "");
    }

    #[test]
    fn few_units_are_counted_and_others_are_not() {
        let check = |stock, expected| {
            assert_eq!(Stock::of(&Book { stock, ..Book::default() }), expected);
        };
        check(None, Stock::Enough);
        check(Some(5), Stock::Enough);
        check(Some(4), Stock::Few(4));
        check(Some(0), Stock::Nothing);
    }
}
