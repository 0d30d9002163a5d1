//! The catalogue as the engine sees it: which items there are and what they are filtered by.
//!
//! Indexes are the model's, followed by the items that the model does not know yet. So
//! scores need no translation, and an item that left the shop since the training is
//! merely not available.

mod described;
mod lists;
mod series;

use std::sync::Arc;

use crate::bits::BitSet;
use crate::chunks::Chunks;
use crate::id::ItemNumber;
use crate::model::Model;
use crate::offer::Offer;

use self::described::Described;

pub use self::series::Volume;

/// What the engine needs to know of one item.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Entry<'a> {
    /// Its number.
    pub number: ItemNumber,
    /// What all editions of one work have in common; an item without it is its own work.
    pub work: Option<&'a str>,
    /// Category slugs.
    pub categories: &'a [String],
    /// Language tag in lower case, such as `en-us`.
    pub language: Option<&'a str>,
    /// Names of its authors, most important first.
    pub authors: &'a [String],
    /// The name of the series that it is part of.
    pub series: Option<&'a str>,
    /// Its place in the series.
    pub volume: Option<f64>,
    /// Whether it can be had, for how much, and from which age.
    pub offer: Offer,
}

/// Items by index, with their works, categories, languages, authors and series, and how they are
/// offered. Copies share what does not change.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    described: Arc<Described>,
    offers: Chunks<Offer>,
    in_stock: BitSet,
}

impl Catalogue {
    /// Puts the items of the shop in the order of a model's items, or of their numbers.
    ///
    /// Entries must ascend by number.
    ///
    /// # Panics
    ///
    /// If they do not.
    #[must_use]
    pub fn new(model: Option<&Model>, entries: &[Entry<'_>]) -> Self {
        let (described, indexes) = Described::new(model, entries);
        let mut offers = vec![Offer::default(); described.numbers.len()];
        for (index, entry) in indexes.iter().zip(entries) {
            offers[*index as usize] = entry.offer;
        }
        let mut in_stock = described.available.clone();
        in_stock.retain(|index| offers[index as usize].stock != Some(0));
        Self { described: Arc::new(described), offers: offers.into(), in_stock }
    }

    /// The same items, some of them offered otherwise: by index. Copies a bit for each item, and a
    /// chunk of the offers for each that changes; all else is shared.
    ///
    /// # Panics
    ///
    /// If there is no such index.
    #[must_use]
    pub fn with_offers(&self, offers: impl IntoIterator<Item = (u32, Offer)>) -> Self {
        let mut catalogue = self.clone();
        for (index, offer) in offers {
            catalogue.offers.set(index, offer);
            match offer.stock {
                Some(0) => catalogue.in_stock.remove(index),
                _ => catalogue.in_stock.insert(index),
            }
        }
        catalogue
    }

    /// Whether two catalogues are the same but for their offers, one being made from the other.
    #[must_use]
    pub fn is_described_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.described, &other.described)
    }

    /// The number of indexes: items of the shop and of the model together.
    #[must_use]
    pub fn item_count(&self) -> usize {
        self.described.numbers.len()
    }

    /// The number of the item at an index.
    ///
    /// # Panics
    ///
    /// If there is no such index.
    #[must_use]
    pub fn number(&self, index: u32) -> ItemNumber {
        self.described.numbers[index as usize]
    }

    /// The index of an item. Costs `O(log items)` for those of the model.
    #[must_use]
    pub fn index_of(&self, model: Option<&Model>, item: ItemNumber) -> Option<u32> {
        let known = model.map_or(0, Model::item_count);
        model.and_then(|model| model.index_of(item)).or_else(|| {
            let place = self.described.numbers[known..].binary_search(&item).ok()?;
            Some((known + place) as u32)
        })
    }

    /// The items that the shop has.
    #[must_use]
    pub fn available(&self) -> &BitSet {
        &self.described.available
    }

    /// Those of them that are not sold out.
    #[must_use]
    pub fn in_stock(&self) -> &BitSet {
        &self.in_stock
    }

    /// How the item at an index is offered.
    ///
    /// # Panics
    ///
    /// If there is no such index.
    #[must_use]
    pub fn offer(&self, index: u32) -> &Offer {
        &self.offers[index]
    }

    /// The work that the item at an index is an edition of.
    ///
    /// # Panics
    ///
    /// If there is no such index.
    #[must_use]
    pub fn work(&self, index: u32) -> u32 {
        self.described.works[index as usize]
    }

    /// The work of the item at an index, if it has other editions: most have none, and need not be
    /// compared.
    ///
    /// # Panics
    ///
    /// If there is no such index.
    #[must_use]
    pub fn shared_work(&self, index: u32) -> Option<u32> {
        let work = self.work(index);
        (self.described.editions.get(work).len() > 1).then_some(work)
    }

    /// All editions of the work that the item at an index is one of.
    ///
    /// # Panics
    ///
    /// If there is no such index.
    #[must_use]
    pub fn editions(&self, index: u32) -> &[u32] {
        self.described.editions.get(self.described.works[index as usize])
    }

    /// How many works the items of a set are editions of. Costs `O(items / 64)`, and a look at each
    /// edition of the works that have several.
    #[must_use]
    pub fn count_works(&self, items: &BitSet) -> usize {
        let repeated = |work: &u32| {
            let editions = self.described.editions.get(*work).iter();
            editions.filter(|edition| items.contains(**edition)).count().saturating_sub(1)
        };
        items.count() - self.described.shared_works.iter().map(repeated).sum::<usize>()
    }

    /// The items of a category, the most popular first, equals by number; none if there is no
    /// such category.
    #[must_use]
    pub fn category(&self, slug: &str) -> &[u32] {
        self.described.categories.members(slug)
    }

    /// Every category with its items, in no particular order.
    pub fn categories(&self) -> impl Iterator<Item = (&str, &[u32])> {
        self.described.categories.iter()
    }

    /// Keeps of a set the items that are in at least one of the categories. `spare` is working
    /// memory. Costs the items of the categories, or, where they are many, `O(items / 64)`.
    pub fn keep_categories(&self, slugs: &[String], items: &mut BitSet, spare: &mut BitSet) {
        self.described.categories.keep_any(slugs, items, spare);
    }

    /// Takes the items of a category out of a set; costs as much.
    pub fn take_category(&self, slug: &str, items: &mut BitSet) {
        self.described.categories.take_from(slug, items);
    }

    /// Takes all editions of the work that the item at an index is one of out of a set.
    ///
    /// # Panics
    ///
    /// If there is no such index.
    pub fn take_work(&self, index: u32, items: &mut BitSet) {
        self.editions(index).iter().for_each(|edition| items.remove(*edition));
    }

    /// Keeps of a set the items that are in at least one of the languages; costs as much.
    pub fn keep_languages(&self, ranges: &[String], items: &mut BitSet, spare: &mut BitSet) {
        self.described.languages.keep_any(ranges, items, spare);
    }

    /// The number of a category, or `None` if no item has it.
    #[must_use]
    pub fn category_number(&self, slug: &str) -> Option<u32> {
        self.described.categories.number(slug)
    }

    /// The items of a category by its number, the most popular first, equals by number.
    ///
    /// # Panics
    ///
    /// If there is no category of that number.
    #[must_use]
    pub fn in_category(&self, category: u32) -> &[u32] {
        self.described.categories.members_of(category)
    }

    /// The numbers of an item's categories; none for one that left the shop.
    ///
    /// # Panics
    ///
    /// If there is no such index.
    #[must_use]
    pub fn categories_of(&self, index: u32) -> &[u32] {
        self.described.categories_of.get(index)
    }

    /// The number of an author by name, or `None` if no item is by them.
    #[must_use]
    pub fn author_number(&self, name: &str) -> Option<u32> {
        self.described.authors.number(name)
    }

    /// The items by an author.
    ///
    /// # Panics
    ///
    /// If there is no author of that number.
    #[must_use]
    pub fn by_author(&self, author: u32) -> &[u32] {
        self.described.authors.members_of(author)
    }

    /// The numbers of an item's authors, most important first; none for one that left the shop.
    ///
    /// # Panics
    ///
    /// If there is no such index.
    #[must_use]
    pub fn authors_of(&self, index: u32) -> &[u32] {
        self.described.authors_of.get(index)
    }

    /// The number of a series by name, or `None` if no item is part of it.
    #[must_use]
    pub fn series_number(&self, name: &str) -> Option<u32> {
        self.described.series.number(name)
    }

    /// The number of the series that an item is part of, with or without a place in it.
    ///
    /// # Panics
    ///
    /// If there is no such index.
    #[must_use]
    pub fn series_of(&self, index: u32) -> Option<u32> {
        self.described.series.series(index)
    }

    /// An item's place in a series; `None` if it has no place in one.
    ///
    /// # Panics
    ///
    /// If there is no such index.
    #[must_use]
    pub fn volume(&self, index: u32) -> Option<Volume> {
        self.described.series.volume(index)
    }

    /// All items of a series, with or without a place in it.
    ///
    /// # Panics
    ///
    /// If there is no series of that number.
    #[must_use]
    pub fn in_series(&self, series: u32) -> &[u32] {
        self.described.series.members(series)
    }

    /// The items that have a place in a series, by place, equals by index.
    ///
    /// # Panics
    ///
    /// If there is no series of that number.
    #[must_use]
    pub fn volumes(&self, series: u32) -> &[u32] {
        self.described.series.volumes(series)
    }

    /// The items in a language, by a range in lower case: `en` covers `en-us` (RFC 4647,
    /// 3.3.1). None if there is no such language.
    #[must_use]
    pub fn language(&self, range: &str) -> &[u32] {
        self.described.languages.members(range)
    }

    /// All indexes, the most popular first, equals by number.
    #[must_use]
    pub fn by_popularity(&self) -> &[u32] {
        &self.described.by_popularity
    }

    /// The popularity of all items together, in units of the model's.
    #[must_use]
    pub fn total_popularity(&self) -> f64 {
        self.described.popularity
    }

    /// The popularity of a category's items together, in units of the model's.
    ///
    /// # Panics
    ///
    /// If there is no category of that number.
    #[must_use]
    pub fn popularity_in_category(&self, category: u32) -> f64 {
        self.described.popularity_of_categories[category as usize]
    }
}
