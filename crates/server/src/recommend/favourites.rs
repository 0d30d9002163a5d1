//! What a reader likes most: categories, and single books to begin from.

use std::cmp::Reverse;
use std::collections::HashMap;

use recommender::model::Liked;
use recommender::{EventKind, Evidence};

use super::placed::PlacedReader;
use crate::generation::Generation;

/// How many of the books that came last are looked at for the one to begin from.
const LATEST: usize = 20;

/// The categories that a reader likes most, the best first, equals by slug.
///
/// A category counts the weights of what the reader said of its books, times the logarithm of how
/// rare it is in the shop (inverse document frequency; Spärck Jones 1972), so that a category of
/// nearly every book is nobody's favourite.
pub(crate) fn categories(
    generation: &Generation,
    judged: &[Liked],
    count: usize,
    without: &[&str],
) -> Vec<String> {
    let mut weights: HashMap<&str, f32> = HashMap::new();
    for liked in judged {
        let book = generation.book(liked.item);
        for slug in book.iter().flat_map(|book| &book.categories) {
            *weights.entry(slug).or_default() += liked.weight;
        }
    }
    let catalogue = generation.shop().catalogue;
    let books = generation.book_count() as f32 + 1.0;
    let rareness = |slug: &str| (books / catalogue.category(slug).len().max(1) as f32).ln();
    let mut liked: Vec<(&str, f32)> = weights
        .into_iter()
        .filter(|(slug, weight)| *weight > 0.0 && !without.contains(slug))
        .map(|(slug, weight)| (slug, weight * rareness(slug)))
        .collect();
    liked.sort_unstable_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(right.0)));
    liked.into_iter().take(count).map(|(slug, _)| slug.to_owned()).collect()
}

/// Books to recommend from, by index, one of each work: of the latest that the reader likes and the
/// model knows neighbours of, those that say most, the latest first among equals. One that the
/// reader only looked at comes after all others.
pub(super) fn books(generation: &Generation, reader: &PlacedReader, without: &[u32]) -> Vec<u32> {
    let Some(model) = generation.model() else { return Vec::new() };
    let mut liked: Vec<_> = reader
        .history
        .iter()
        .zip(reader.evidence.iter())
        .filter(|(liked, _)| liked.weight > 0.0)
        .filter(|(liked, _)| model.model.neighbour_count(liked.item) > 0)
        .filter(|(liked, _)| generation.book(liked.item).is_some())
        .collect();
    let is_viewed = |evidence: &Evidence| evidence.kind == EventKind::View;
    liked.sort_by_key(|(_, evidence)| (is_viewed(evidence), Reverse(evidence.time_ms)));
    liked.truncate(LATEST);
    liked.sort_by(|left, right| {
        let weight = right.0.weight.total_cmp(&left.0.weight);
        is_viewed(left.1).cmp(&is_viewed(right.1)).then(weight)
    });
    let catalogue = generation.shop().catalogue;
    let mut works: Vec<u32> = without.iter().map(|item| catalogue.work(*item)).collect();
    let mut is_new = |item: u32| {
        let work = catalogue.work(item);
        let is_new = !works.contains(&work);
        works.push(work);
        is_new
    };
    let items = liked.into_iter().map(|(liked, _)| liked.item);
    items.filter(|item| is_new(*item)).collect()
}
