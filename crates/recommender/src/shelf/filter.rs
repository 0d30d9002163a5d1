//! Eligibility: which items may be shown, decided before anything is ranked.

use crate::bits::BitSet;
use crate::catalogue::Catalogue;
use crate::offer::{OfferFilter, Stock};

/// What a caller wants to see. Empty lists ask for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Items must be in at least one of these categories.
    pub any_categories: Vec<String>,
    /// Items must be in every one of these.
    pub all_categories: Vec<String>,
    /// Items must be in none of these.
    pub no_categories: Vec<String>,
    /// Items must be in one of these languages.
    pub languages: Vec<String>,
    /// Items must be offered so.
    pub offer: OfferFilter,
}

/// Writes into `eligible` the items that the shop has, the filter lets through and that
/// are no edition of a work in `settled`. `spare` is working memory.
///
/// Costs `O(items / 64)` for each named category or language at most; with a limit of price or
/// age, also a look at every item that is left.
pub fn eligible(
    catalogue: &Catalogue,
    filter: &Filter,
    settled: impl IntoIterator<Item = u32>,
    eligible: &mut BitSet,
    spare: &mut BitSet,
) {
    eligible.copy_from(match filter.offer.stock {
        Stock::Available => catalogue.in_stock(),
        Stock::Any => catalogue.available(),
    });
    if !filter.any_categories.is_empty() {
        catalogue.keep_categories(&filter.any_categories, eligible, spare);
    }
    for slug in &filter.all_categories {
        catalogue.keep_categories(std::slice::from_ref(slug), eligible, spare);
    }
    if !filter.languages.is_empty() {
        catalogue.keep_languages(&filter.languages, eligible, spare);
    }
    for slug in &filter.no_categories {
        catalogue.take_category(slug, eligible);
    }
    for item in settled {
        catalogue.take_work(item, eligible);
    }
    if filter.offer.looks_beyond_stock() {
        eligible.retain(|item| filter.offer.admits(catalogue.offer(item)));
    }
}
