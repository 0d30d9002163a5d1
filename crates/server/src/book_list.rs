//! Lists of books: those that meet a filter, in an order, a page at a time.
//!
//! A page begins after a place in the order, not after a count, so that pages do not repeat or lose a
//! book when others come and go between them.

use std::collections::HashSet;

use recommender::bits::BitSet;
use recommender::shelf::filter;

use crate::book_order::{BookOrder, Place};
use crate::generation::Generation;
use crate::recommend::{BookFilter, excluded};

/// A page of a list.
#[derive(Debug)]
pub(crate) struct Page {
    /// The books, by their indexes in the generation.
    pub(crate) books: Vec<u32>,
    /// Where the next page begins; `None` if there is none.
    pub(crate) next: Option<Place>,
    /// How many books there are on all pages.
    pub(crate) total: usize,
}

/// The books that meet a filter, of each work the edition that comes first: from the first after a
/// place, at most `limit`.
///
/// Walks the order from there past the books that do not meet it, and may have to sort all books
/// first: call it off the async threads.
pub(crate) fn page(
    generation: &Generation,
    wanted: &BookFilter,
    order: BookOrder,
    after: Option<&Place>,
    limit: usize,
) -> Page {
    let catalogue = generation.shop().catalogue;
    let (mut eligible, mut spare) = (BitSet::default(), BitSet::default());
    let left_out = excluded(generation, wanted);
    filter::eligible(catalogue, &wanted.filter, left_out, &mut eligible, &mut spare);
    let comes_before =
        |index: u32| after.is_some_and(|after| order.place(generation, index) <= *after);
    let mut works = HashSet::new();
    let is_first_edition = |index: &u32| {
        catalogue.shared_work(*index).is_none_or(|work| {
            let mut editions = catalogue.editions(*index).iter().copied();
            works.insert(work)
                && !editions.any(|other| eligible.contains(other) && comes_before(other))
        })
    };
    let books = order.books(generation);
    let rest = &books[books.partition_point(|index| comes_before(*index))..];
    let wanted = rest.iter().copied().filter(|index| eligible.contains(*index));
    let mut found: Vec<u32> = wanted.filter(is_first_edition).take(limit + 1).collect();
    let has_more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| has_more);
    let next = last.map(|index| order.place(generation, *index));
    Page { books: found, next, total: catalogue.count_works(&eligible) }
}
