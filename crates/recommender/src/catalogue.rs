//! The catalogue as the engine sees it: which items there are and what they are filtered by.
//!
//! Indexes are the model's, followed by the items that the model does not know yet. So
//! scores need no translation, and an item that left the shop since the training is
//! merely not available.

mod lists;
mod series;

use std::collections::HashMap;

use crate::bits::BitSet;
use crate::id::ItemNumber;
use crate::model::Model;
use crate::offer::Offer;

use self::lists::{Groups, Lists};
use self::series::SeriesIndex;

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

/// Items by index, with their works, categories, languages, authors and series.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    numbers: Vec<ItemNumber>,
    available: BitSet,
    in_stock: BitSet,
    offers: Vec<Offer>,
    works: Vec<u32>,
    editions: Lists,
    categories: Groups,
    categories_of: Lists,
    languages: Groups,
    authors: Groups,
    authors_of: Lists,
    series: SeriesIndex,
    by_popularity: Vec<u32>,
    popularity: f64,
    popularity_of_categories: Vec<f64>,
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
        assert!(entries.is_sorted_by(|left, right| left.number < right.number), "numbers ascend");
        let known = model.map_or(0, Model::item_count);
        let mut numbers: Vec<ItemNumber> = model
            .map_or_else(Vec::new, |model| (0..known).map(|index| model.item(index)).collect());
        let mut indexes = Vec::with_capacity(entries.len());
        for entry in entries {
            let index = model.and_then(|model| model.index_of(entry.number));
            indexes.push(index.unwrap_or(numbers.len() as u32));
            if index.is_none() {
                numbers.push(entry.number);
            }
        }
        let mut available = BitSet::new(numbers.len());
        indexes.iter().for_each(|index| available.insert(*index));
        let indexed = || indexes.iter().copied().zip(entries);
        let categories = indexed()
            .flat_map(|(index, entry)| entry.categories.iter().map(move |slug| (&**slug, index)));
        let (mut categories, categories_of) = Groups::with_items(numbers.len(), categories);
        let by_popularity = order_by_popularity(&numbers, model);
        let ranks = invert(&by_popularity);
        categories.sort(|item| ranks[item as usize]);
        let authors = indexed()
            .flat_map(|(index, entry)| distinct(entry.authors).map(move |name| (name, index)));
        let (authors, authors_of) = Groups::with_items(numbers.len(), authors);
        let languages = indexed().flat_map(|(index, entry)| {
            ranges(entry.language.unwrap_or_default()).map(move |range| (range, index))
        });
        let (works, work_count) = number_works(numbers.len(), indexed());
        let editions: Vec<(u32, u32)> = works.iter().copied().zip(0..).collect();
        let mut catalogue = Self {
            available,
            in_stock: BitSet::new(numbers.len()),
            offers: vec![Offer::default(); numbers.len()],
            editions: Lists::new(work_count, &editions),
            works,
            popularity: total_popularity(model, &by_popularity),
            popularity_of_categories: (0..categories.count() as u32)
                .map(|category| total_popularity(model, categories.members_of(category)))
                .collect(),
            categories,
            categories_of,
            authors,
            authors_of,
            series: SeriesIndex::new(numbers.len(), indexed()),
            languages: Groups::new(numbers.len(), languages),
            by_popularity,
            numbers,
        };
        indexed().for_each(|(index, entry)| catalogue.offer_as(index, entry.offer));
        catalogue
    }

    /// The same items, some of them offered otherwise: by index. Costs a copy of the arrays, which
    /// is a fraction of [`Catalogue::new`].
    ///
    /// # Panics
    ///
    /// If there is no such index.
    #[must_use]
    pub fn with_offers(&self, offers: impl IntoIterator<Item = (u32, Offer)>) -> Self {
        let mut catalogue = self.clone();
        offers.into_iter().for_each(|(index, offer)| catalogue.offer_as(index, offer));
        catalogue
    }

    fn offer_as(&mut self, index: u32, offer: Offer) {
        self.offers[index as usize] = offer;
        match offer.stock {
            Some(0) => self.in_stock.remove(index),
            _ => self.in_stock.insert(index),
        }
    }

    /// The number of indexes: items of the shop and of the model together.
    #[must_use]
    pub fn item_count(&self) -> usize {
        self.numbers.len()
    }

    /// The number of the item at an index.
    ///
    /// # Panics
    ///
    /// If there is no such index.
    #[must_use]
    pub fn number(&self, index: u32) -> ItemNumber {
        self.numbers[index as usize]
    }

    /// The index of an item. Costs `O(log items)` for those of the model.
    #[must_use]
    pub fn index_of(&self, model: Option<&Model>, item: ItemNumber) -> Option<u32> {
        let known = model.map_or(0, Model::item_count);
        model.and_then(|model| model.index_of(item)).or_else(|| {
            let place = self.numbers[known..].binary_search(&item).ok()?;
            Some((known + place) as u32)
        })
    }

    /// The items that the shop has.
    #[must_use]
    pub fn available(&self) -> &BitSet {
        &self.available
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
        &self.offers[index as usize]
    }

    /// The work that the item at an index is an edition of.
    ///
    /// # Panics
    ///
    /// If there is no such index.
    #[must_use]
    pub fn work(&self, index: u32) -> u32 {
        self.works[index as usize]
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
        (self.editions.get(work).len() > 1).then_some(work)
    }

    /// All editions of the work that the item at an index is one of.
    ///
    /// # Panics
    ///
    /// If there is no such index.
    #[must_use]
    pub fn editions(&self, index: u32) -> &[u32] {
        self.editions.get(self.works[index as usize])
    }

    /// The items of a category, the most popular first, equals by number; none if there is no
    /// such category.
    #[must_use]
    pub fn category(&self, slug: &str) -> &[u32] {
        self.categories.members(slug)
    }

    /// Every category with its items, in no particular order.
    pub fn categories(&self) -> impl Iterator<Item = (&str, &[u32])> {
        self.categories.iter()
    }

    /// Keeps of a set the items that are in at least one of the categories. `spare` is working
    /// memory. Costs the items of the categories, or, where they are many, `O(items / 64)`.
    pub fn keep_categories(&self, slugs: &[String], items: &mut BitSet, spare: &mut BitSet) {
        self.categories.keep_any(slugs, items, spare);
    }

    /// Takes the items of a category out of a set; costs as much.
    pub fn take_category(&self, slug: &str, items: &mut BitSet) {
        self.categories.take_from(slug, items);
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
        self.languages.keep_any(ranges, items, spare);
    }

    /// The number of a category, or `None` if no item has it.
    #[must_use]
    pub fn category_number(&self, slug: &str) -> Option<u32> {
        self.categories.number(slug)
    }

    /// The items of a category by its number, the most popular first, equals by number.
    ///
    /// # Panics
    ///
    /// If there is no category of that number.
    #[must_use]
    pub fn in_category(&self, category: u32) -> &[u32] {
        self.categories.members_of(category)
    }

    /// The numbers of an item's categories; none for one that left the shop.
    ///
    /// # Panics
    ///
    /// If there is no such index.
    #[must_use]
    pub fn categories_of(&self, index: u32) -> &[u32] {
        self.categories_of.get(index)
    }

    /// The number of an author by name, or `None` if no item is by them.
    #[must_use]
    pub fn author_number(&self, name: &str) -> Option<u32> {
        self.authors.number(name)
    }

    /// The items by an author.
    ///
    /// # Panics
    ///
    /// If there is no author of that number.
    #[must_use]
    pub fn by_author(&self, author: u32) -> &[u32] {
        self.authors.members_of(author)
    }

    /// The numbers of an item's authors, most important first; none for one that left the shop.
    ///
    /// # Panics
    ///
    /// If there is no such index.
    #[must_use]
    pub fn authors_of(&self, index: u32) -> &[u32] {
        self.authors_of.get(index)
    }

    /// The number of a series by name, or `None` if no item is part of it.
    #[must_use]
    pub fn series_number(&self, name: &str) -> Option<u32> {
        self.series.number(name)
    }

    /// The number of the series that an item is part of, with or without a place in it.
    ///
    /// # Panics
    ///
    /// If there is no such index.
    #[must_use]
    pub fn series_of(&self, index: u32) -> Option<u32> {
        self.series.series(index)
    }

    /// An item's place in a series; `None` if it has no place in one.
    ///
    /// # Panics
    ///
    /// If there is no such index.
    #[must_use]
    pub fn volume(&self, index: u32) -> Option<Volume> {
        self.series.volume(index)
    }

    /// All items of a series, with or without a place in it.
    ///
    /// # Panics
    ///
    /// If there is no series of that number.
    #[must_use]
    pub fn in_series(&self, series: u32) -> &[u32] {
        self.series.members(series)
    }

    /// The items that have a place in a series, by place, equals by index.
    ///
    /// # Panics
    ///
    /// If there is no series of that number.
    #[must_use]
    pub fn volumes(&self, series: u32) -> &[u32] {
        self.series.volumes(series)
    }

    /// The items in a language, by a range in lower case: `en` covers `en-us` (RFC 4647,
    /// 3.3.1). None if there is no such language.
    #[must_use]
    pub fn language(&self, range: &str) -> &[u32] {
        self.languages.members(range)
    }

    /// All indexes, the most popular first, equals by number.
    #[must_use]
    pub fn by_popularity(&self) -> &[u32] {
        &self.by_popularity
    }

    /// The popularity of all items together, in units of the model's.
    #[must_use]
    pub fn total_popularity(&self) -> f64 {
        self.popularity
    }

    /// The popularity of a category's items together, in units of the model's.
    ///
    /// # Panics
    ///
    /// If there is no category of that number.
    #[must_use]
    pub fn popularity_in_category(&self, category: u32) -> f64 {
        self.popularity_of_categories[category as usize]
    }
}

/// The names of a list, each once.
fn distinct(names: &[String]) -> impl Iterator<Item = &str> {
    let is_first = |(place, name): &(usize, &String)| !names[..*place].contains(name);
    names.iter().enumerate().filter(is_first).map(|(_, name)| &**name)
}

/// The ranges that cover a language tag: the tag itself, and what is left when subtags are
/// taken off its end.
fn ranges(tag: &str) -> impl Iterator<Item = &str> {
    let longest = (!tag.is_empty()).then_some(tag);
    std::iter::successors(longest, |range| Some(range.rsplit_once('-')?.0))
}

/// Gives each index the number of its work; an item without a named work is its own.
fn number_works<'a>(
    item_count: usize,
    indexed: impl Iterator<Item = (u32, &'a Entry<'a>)>,
) -> (Vec<u32>, usize) {
    let mut works: Vec<u32> = vec![u32::MAX; item_count];
    let mut named: HashMap<&str, u32> = HashMap::new();
    let mut work_count = 0;
    let mut next = || {
        work_count += 1;
        work_count - 1
    };
    for (index, entry) in indexed {
        works[index as usize] = match entry.work {
            Some(work) => *named.entry(work).or_insert_with(&mut next),
            None => next(),
        };
    }
    for work in works.iter_mut().filter(|work| **work == u32::MAX) {
        *work = next();
    }
    (works, work_count as usize)
}

fn order_by_popularity(numbers: &[ItemNumber], model: Option<&Model>) -> Vec<u32> {
    let popularity = model.map_or(&[][..], Model::popularity);
    let of = |index: u32| popularity.get(index as usize).copied().unwrap_or(0.0);
    let mut order: Vec<u32> = (0..numbers.len() as u32).collect();
    order.sort_unstable_by(|left, right| {
        of(*right)
            .total_cmp(&of(*left))
            .then_with(|| numbers[*left as usize].cmp(&numbers[*right as usize]))
    });
    order
}

/// The place of each index in an order of all of them.
fn invert(order: &[u32]) -> Vec<u32> {
    let mut places = vec![0; order.len()];
    for (place, index) in (0..).zip(order) {
        places[*index as usize] = place;
    }
    places
}

fn total_popularity(model: Option<&Model>, items: &[u32]) -> f64 {
    let popularity = model.map_or(&[][..], Model::popularity);
    items.iter().filter_map(|item| popularity.get(*item as usize)).map(|one| f64::from(*one)).sum()
}
