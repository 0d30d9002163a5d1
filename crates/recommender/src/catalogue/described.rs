//! What a catalogue says of its items but for their offers: made once, shared by all that follow.

use std::collections::HashMap;

use crate::bits::BitSet;
use crate::id::ItemNumber;
use crate::model::Model;

use super::Entry;
use super::lists::{Groups, Lists};
use super::series::SeriesIndex;

/// Items by index, with their works, categories, languages, authors and series.
#[derive(Debug, Default)]
pub(super) struct Described {
    pub(super) numbers: Vec<ItemNumber>,
    pub(super) available: BitSet,
    pub(super) works: Vec<u32>,
    pub(super) editions: Lists,
    /// The works that have more than one edition.
    pub(super) shared_works: Vec<u32>,
    pub(super) categories: Groups,
    pub(super) categories_of: Lists,
    pub(super) languages: Groups,
    pub(super) authors: Groups,
    pub(super) authors_of: Lists,
    pub(super) series: SeriesIndex,
    pub(super) by_popularity: Vec<u32>,
    pub(super) popularity: f64,
    pub(super) popularity_of_categories: Vec<f64>,
}

impl Described {
    /// Puts the items of the shop in the order of a model's items, or of their numbers; and the
    /// index of each entry. Panics if entries do not ascend by number.
    pub(super) fn new(model: Option<&Model>, entries: &[Entry<'_>]) -> (Self, Vec<u32>) {
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
        let editions = Lists::new(work_count, &editions);
        let is_shared = |work: &u32| editions.get(*work).len() > 1;
        let described = Self {
            available,
            shared_works: (0..work_count as u32).filter(is_shared).collect(),
            editions,
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
        (described, indexes)
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
