//! What an anonymous visitor did: it makes their shelves, stays with them, and becomes theirs
//! when they sign in. Foreword keeps nothing of it before.

use api::v1::{EventKind, HistoryItem};
use serde::{Deserialize, Serialize};

/// More says little more, and would not fit into a cookie.
const BOOKS_MAX: usize = 30;

/// What was done, the latest first: each book once for each kind.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(transparent)]
pub(crate) struct Visit(Vec<Item>);

/// A book, what was done to it, as the number of its kind, and the stars of a rating.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
struct Item(String, i32, f64);

impl Visit {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds what was done; `true` if it says something new.
    pub(crate) fn add(&mut self, book: &str, kind: EventKind, rating: f64) -> bool {
        let item = Item(book.to_owned(), kind.into(), rating);
        if self.0.contains(&item) {
            return false;
        }
        self.take_back(book, kind);
        self.0.insert(0, item);
        self.0.truncate(BOOKS_MAX);
        true
    }

    /// Takes back what was done.
    pub(crate) fn take_back(&mut self, book: &str, kind: EventKind) {
        self.0.retain(|Item(of, what, _)| (of.as_str(), *what) != (book, kind.into()));
    }

    /// Makes room; `false` if there is nothing left.
    pub(crate) fn forget_oldest(&mut self) -> bool {
        self.0.pop().is_some()
    }

    /// The books, the latest first.
    pub(crate) fn books(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|Item(book, ..)| book.as_str())
    }

    /// The stars that were given to a book.
    pub(crate) fn has(&self, book: &str, kind: EventKind) -> Option<f64> {
        let found = self.0.iter().find(|Item(of, what, _)| of == book && *what == i32::from(kind));
        found.map(|Item(.., rating)| *rating)
    }

    /// As the service takes it.
    pub(crate) fn history(&self) -> Vec<HistoryItem> {
        let item = |Item(book, kind, rating): &Item| HistoryItem {
            book_id: book.clone(),
            kind: *kind,
            rating: *rating,
        };
        self.0.iter().map(item).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_comes_first_and_each_kind_once() {
        let mut visit = Visit::default();
        assert!(visit.add("dune", EventKind::View, 0.0));
        assert!(visit.add("emma", EventKind::View, 0.0));
        assert!(!visit.add("dune", EventKind::View, 0.0));
        assert!(visit.add("dune", EventKind::Rating, 4.0));
        assert!(visit.add("dune", EventKind::Rating, 5.0));
        assert_eq!(visit.books().collect::<Vec<_>>(), ["dune", "emma", "dune"]);
        assert_eq!(visit.has("dune", EventKind::Rating), Some(5.0));
        visit.take_back("dune", EventKind::Rating);
        assert_eq!(visit.has("dune", EventKind::Rating), None);
        assert_eq!(visit.history().len(), 2);
    }

    #[test]
    fn the_oldest_make_room() {
        let mut visit = Visit::default();
        for number in 0..BOOKS_MAX + 5 {
            visit.add(&number.to_string(), EventKind::View, 0.0);
        }
        assert_eq!(visit.books().count(), BOOKS_MAX);
        assert_eq!(visit.books().last(), Some("5"));
    }
}
