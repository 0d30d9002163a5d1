//! Two recommenders side by side: what a shop has now, and what would take its place.
//!
//! 1. [`Asking`] and [`ask()`]: a service is asked for each user once, in an open loop;
//! 2. [`read_table`]: lists from a file, such as a nightly job writes;
//! 3. [`Likeness`]: how alike two lists are;
//! 4. [`Comparison`]: both sides, and how alike they are over all users; [`page()`] shows it.
//!
//! Two lists that are unlike say nothing about which is better: readers decide that.

mod ask;
mod comparison;
mod likeness;
mod page;
mod table;

pub use ask::{Asking, CategoryError, Contract, ContractError, ask, list_users};
pub use comparison::{Comparison, Mean, Options, Pair, SPREAD, SideSummary};
pub use likeness::Likeness;
pub use page::page;
pub use table::{Table, TableError, read_table};

use crate::load::Report;

/// What one side has for one user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Ids of books, the best first, none twice.
    pub books: Vec<String>,
    /// Whether the service called it a fallback.
    pub fallback: bool,
}

/// Everything that one side has.
#[derive(Clone, Debug)]
pub struct Side {
    /// Where it is from: an address, or a file.
    pub source: String,
    /// One for each user, in their order; `None` if there was no good one.
    pub answers: Vec<Option<Answer>>,
    /// Whether answers tell of fallbacks.
    pub tells_fallbacks: bool,
    /// How the calls went; `None` of a file.
    pub load: Option<Report>,
}
