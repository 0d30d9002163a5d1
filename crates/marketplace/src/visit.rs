//! What an anonymous visitor did: it makes their shelves, stays with them, and becomes theirs
//! when they sign in. Foreword keeps nothing of it before.

use api::v1::{Event, EventKind, HistoryItem};
use serde::{Deserialize, Serialize};

/// More says little more, and would not fit into a cookie.
const BOOKS_MAX: usize = 30;

/// What was done, the latest first: each book once for each kind.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(transparent)]
pub(crate) struct Visit(Vec<Item>);

/// A book, what was done to it, as the number of its kind, the stars of a rating, and the id of a
/// purchase: that it is in a signed cookie proves that a unit was taken.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
struct Item(String, i32, f64, #[serde(default, skip_serializing_if = "String::is_empty")] String);

/// What is known of one thing that was done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Did {
    /// The stars of a rating, else 0.
    pub(crate) rating: f64,
    /// The event of a purchase, else empty.
    pub(crate) event: String,
}

impl Visit {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds what was done, with the event if it is a purchase; `true` if it says something new.
    pub(crate) fn add(&mut self, book: &str, kind: EventKind, rating: f64, event: &str) -> bool {
        let item = Item(book.to_owned(), kind.into(), rating, event.to_owned());
        if self.0.contains(&item) {
            return false;
        }
        self.take_back(book, kind);
        self.0.insert(0, item);
        self.0.truncate(BOOKS_MAX);
        true
    }

    /// Takes back what was done; `None` if it was not.
    pub(crate) fn take_back(&mut self, book: &str, kind: EventKind) -> Option<Did> {
        let place = self.place(book, kind)?;
        let Item(.., rating, event) = self.0.remove(place);
        Some(Did { rating, event })
    }

    /// Makes room; `false` if there is nothing left.
    pub(crate) fn forget_oldest(&mut self) -> bool {
        self.0.pop().is_some()
    }

    /// What was done to a book, if it was.
    pub(crate) fn did(&self, book: &str, kind: EventKind) -> Option<Did> {
        let Item(.., rating, event) = &self.0[self.place(book, kind)?];
        Some(Did { rating: *rating, event: event.clone() })
    }

    fn place(&self, book: &str, kind: EventKind) -> Option<usize> {
        self.0.iter().position(|Item(of, what, ..)| of == book && *what == i32::from(kind))
    }

    /// As the service takes it with a question.
    pub(crate) fn history(&self) -> Vec<HistoryItem> {
        let item = |Item(book, kind, rating, _): &Item| HistoryItem {
            book_id: book.clone(),
            kind: *kind,
            rating: *rating,
        };
        self.0.iter().map(item).collect()
    }

    /// As it becomes a reader's, in the order in which it was done; `name` gives an event that has
    /// none its id, from the number of its kind and the book.
    pub(crate) fn events(&self, reader: &str, name: impl Fn(i32, &str) -> String) -> Vec<Event> {
        let event = |Item(book, kind, rating, event): &Item| Event {
            event_id: if event.is_empty() { name(*kind, book) } else { event.clone() },
            user_id: reader.to_owned(),
            book_id: book.clone(),
            kind: *kind,
            rating: *rating,
            event_time: None,
            attribution_token: String::new(),
        };
        self.0.iter().rev().map(event).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn books(visit: &Visit) -> Vec<String> {
        visit.history().into_iter().map(|item| item.book_id).collect()
    }

    #[test]
    fn the_latest_comes_first_and_each_kind_once() {
        let mut visit = Visit::default();
        assert!(visit.add("dune", EventKind::View, 0.0, ""));
        assert!(visit.add("emma", EventKind::View, 0.0, ""));
        assert!(!visit.add("dune", EventKind::View, 0.0, ""));
        assert!(visit.add("dune", EventKind::Rating, 4.0, ""));
        assert!(visit.add("dune", EventKind::Rating, 5.0, ""));
        assert_eq!(books(&visit), ["dune", "emma", "dune"]);
        assert_eq!(visit.did("dune", EventKind::Rating).unwrap().rating, 5.0);
        assert_eq!(visit.take_back("dune", EventKind::Rating).unwrap().rating, 5.0);
        assert_eq!(visit.take_back("dune", EventKind::Rating), None);
        assert_eq!(visit.history().len(), 2);
    }

    #[test]
    fn the_oldest_make_room() {
        let mut visit = Visit::default();
        for number in 0..BOOKS_MAX + 5 {
            visit.add(&number.to_string(), EventKind::View, 0.0, "");
        }
        assert_eq!(books(&visit).len(), BOOKS_MAX);
        assert_eq!(books(&visit).last().unwrap(), "5");
    }

    #[test]
    fn a_purchase_keeps_its_event_and_comes_back_as_it_went() {
        let mut visit = Visit::default();
        visit.add("dune", EventKind::View, 0.0, "");
        visit.add("dune", EventKind::Purchase, 0.0, "buy-1");
        let json = serde_json::to_string(&visit).unwrap();
        assert_eq!(json, r#"[["dune",4,0.0,"buy-1"],["dune",1,0.0]]"#);
        assert_eq!(serde_json::from_str::<Visit>(&json).unwrap(), visit);
        let events = visit.events("ann", |kind, book| format!("visit{kind}-{book}"));
        let ids: Vec<&str> = events.iter().map(|event| event.event_id.as_str()).collect();
        assert_eq!(ids, ["visit1-dune", "buy-1"]);
        assert_eq!(visit.take_back("dune", EventKind::Purchase).unwrap().event, "buy-1");
    }
}
