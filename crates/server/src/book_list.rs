//! Lists of books: those that meet a filter, in an order, a page at a time.
//!
//! A page begins after a place in the order, not after a count, so that pages do not repeat or lose a
//! book when others come and go between them.

use std::collections::BinaryHeap;

use recommender::bits::BitSet;
use recommender::shelf::filter;
use storage::Book;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use crate::generation::Generation;
use crate::recommend::{BookFilter, excluded};

/// An order of books; equals come by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BookOrder {
    /// What is liked most first.
    Popular,
    /// By title, without case and accents.
    Title,
    /// What was published last first; unknown years last.
    Newest,
    /// What costs least first, by currency; unknown prices last.
    Cheapest,
}

/// Where a book stands in an order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Counts first.
    pub(crate) text: String,
    /// Counts among equals of `text`.
    pub(crate) rank: u64,
    /// The book's number.
    pub(crate) number: u32,
}

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
/// Looks at every book that meets it: call it off the async threads.
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
    let place = |index: u32| {
        let book = generation.book(index)?;
        Some(order.place(generation, index, book))
    };
    let mut total = 0;
    // The first places of those that follow, the last of them on top.
    let mut first: BinaryHeap<(Place, u32)> = BinaryHeap::with_capacity(limit + 2);
    for index in eligible.iter() {
        let Some(own) = place(index) else { continue };
        let others = catalogue.editions(index).iter().copied();
        let mut others = others.filter(|other| *other != index && eligible.contains(*other));
        if others.any(|other| place(other).is_some_and(|other| other < own)) {
            continue;
        }
        total += 1;
        if after.is_none_or(|after| own > *after) {
            first.push((own, index));
            if first.len() > limit + 1 {
                first.pop();
            }
        }
    }
    let mut found = first.into_sorted_vec();
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| has_more).map(|(place, _)| place.clone());
    Page { books: found.into_iter().map(|(_, index)| index).collect(), next, total }
}

impl BookOrder {
    fn place(self, generation: &Generation, index: u32, book: &Book) -> Place {
        let (text, rank) = match self {
            Self::Popular => (String::new(), by_popularity(generation, index)),
            Self::Title => (folded(&book.title), 0),
            Self::Newest => (String::new(), by_year(book.published_year)),
            Self::Cheapest => match book.offer.price {
                Some(price) => (price.currency.to_string(), price.minor_units),
                // After every code of letters.
                None => ("~".to_owned(), 0),
            },
        };
        Place { text, rank, number: book.number.0 }
    }
}

fn by_popularity(generation: &Generation, index: u32) -> u64 {
    let popularity = generation.shop().model.map_or(&[][..], |model| model.popularity());
    let own = popularity.get(index as usize).copied().unwrap_or(0.0).max(0.0);
    // The bits of numbers that are not negative ascend with them.
    u64::from(u32::MAX - own.to_bits())
}

fn by_year(year: Option<i32>) -> u64 {
    year.map_or(u64::MAX, |year| (i64::from(i32::MAX) - i64::from(year)).unsigned_abs())
}

/// A title as it is ordered by.
fn folded(title: &str) -> String {
    let letters = title.nfkd().filter(|letter| !is_combining_mark(*letter));
    letters.flat_map(char::to_lowercase).collect()
}
