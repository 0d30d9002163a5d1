//! Orders of books: each is found once, when it is first asked for, and kept as long as nothing that
//! it goes by changes.

use std::sync::{Arc, OnceLock};

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use crate::generation::Generation;

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

/// The orders that were asked for so far; that of popularity is the catalogue's own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Orders {
    title: Arc<OnceLock<Vec<u32>>>,
    newest: Arc<OnceLock<Vec<u32>>>,
    cheapest: Arc<OnceLock<Vec<u32>>>,
}

impl Orders {
    /// Those that stay when prices change.
    pub(crate) fn with_other_prices(&self) -> Self {
        Self { cheapest: Arc::default(), ..self.clone() }
    }
}

impl BookOrder {
    /// The books of a generation in this order, by their indexes; some may have left the shop. The
    /// first who asks sorts all of them, and others wait for it: call it off the async threads.
    pub(crate) fn books(self, generation: &Generation) -> &[u32] {
        let (catalogue, orders) = (generation.shop().catalogue, generation.orders());
        let kept = match self {
            Self::Popular => return catalogue.by_popularity(),
            Self::Title => &orders.title,
            Self::Newest => &orders.newest,
            Self::Cheapest => &orders.cheapest,
        };
        kept.get_or_init(|| {
            let mut books: Vec<u32> = catalogue.available().iter().collect();
            books.sort_by_cached_key(|index| self.place(generation, *index));
            books
        })
    }

    /// Where the book at an index stands.
    pub(crate) fn place(self, generation: &Generation, index: u32) -> Place {
        let (catalogue, book) = (generation.shop().catalogue, generation.book(index));
        let (text, rank) = match self {
            Self::Popular => (String::new(), by_popularity(generation, index)),
            Self::Title => (book.map_or_else(String::new, |book| folded(&book.title)), 0),
            Self::Newest => (String::new(), by_year(book.and_then(|book| book.published_year))),
            Self::Cheapest => match catalogue.offer(index).price {
                Some(price) => (price.currency.to_string(), price.minor_units),
                // After every code of letters.
                None => ("~".to_owned(), 0),
            },
        };
        Place { text, rank, number: catalogue.number(index).0 }
    }
}

/// Ascends as popularity falls, in the order of [`f32::total_cmp`], which is the catalogue's.
fn by_popularity(generation: &Generation, index: u32) -> u64 {
    const SIGN: u32 = 1 << 31;
    let popularity = generation.shop().model.map_or(&[][..], |model| model.popularity());
    let bits = popularity.get(index as usize).copied().unwrap_or(0.0).to_bits();
    if bits & SIGN == 0 { u64::from(u32::MAX - bits) } else { u64::from(SIGN) + u64::from(bits) }
}

fn by_year(year: Option<i32>) -> u64 {
    year.map_or(u64::MAX, |year| (i64::from(i32::MAX) - i64::from(year)).unsigned_abs())
}

/// A title as it is ordered by.
fn folded(title: &str) -> String {
    let letters = title.nfkd().filter(|letter| !is_combining_mark(*letter));
    letters.flat_map(char::to_lowercase).collect()
}
