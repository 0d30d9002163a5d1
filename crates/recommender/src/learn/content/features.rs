//! Features: what the catalogue says about items, as sparse vectors of unit length.
//!
//! A bag of values for each kind (authors, series, categories …). Within a kind, rare values
//! count more (inverse document frequency, Spärck Jones 1972) and each item's values have
//! unit length together, so that an anthology of thirty authors says no more than a novel
//! of one. Kinds are weighted against each other, and the whole has unit length: the inner
//! product of two items is a kernel, 1 for equals and 0 for items with nothing in common.

use std::collections::HashMap;

/// What the catalogue says about one item. What is not known stays empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct Description<'a> {
    /// Who wrote it.
    pub authors: &'a [String],
    /// The series it is part of.
    pub series: Option<&'a str>,
    /// Its categories.
    pub categories: &'a [String],
    /// Its language.
    pub language: Option<&'a str>,
    /// Who publishes it.
    pub publisher: Option<&'a str>,
    /// Its title, whose words count.
    pub title: &'a str,
}

/// How much each kind of feature counts, against the others; 0 leaves it out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KindWeights {
    /// Of authors.
    pub authors: f32,
    /// Of the series.
    pub series: f32,
    /// Of categories.
    pub categories: f32,
    /// Of the language.
    pub language: f32,
    /// Of the publisher.
    pub publisher: f32,
    /// Of the words of the title.
    pub title: f32,
}

/// Items × features, sparse, by item.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    offsets: Vec<usize>,
    features: Vec<u32>,
    values: Vec<f32>,
    feature_count: usize,
}

/// The number of kinds.
const KINDS: usize = 6;

impl Features {
    /// Makes the vectors of all items.
    ///
    /// Upper and lower case are the same. A value that only one item has joins nothing and
    /// is left out. Costs `O(values)` time, 8 bytes a value and 8 an item.
    #[must_use]
    pub fn new<'a>(
        items: impl IntoIterator<Item = Description<'a>>,
        weights: &KindWeights,
    ) -> Self {
        let mut bags = Bags::default();
        for item in items {
            bags.push(&item);
        }
        bags.weigh(&[
            weights.authors,
            weights.series,
            weights.categories,
            weights.language,
            weights.publisher,
            weights.title,
        ])
    }

    /// The number of items.
    #[must_use]
    pub fn item_count(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The number of different features.
    pub(super) fn feature_count(&self) -> usize {
        self.feature_count
    }

    /// The features of an item, ascending, with their values.
    pub(super) fn of(&self, item: u32) -> impl Iterator<Item = (u32, f32)> {
        let range = self.offsets[item as usize]..self.offsets[item as usize + 1];
        self.features[range.clone()].iter().copied().zip(self.values[range].iter().copied())
    }

    /// The kernel of two items, 0 to 1.
    pub(super) fn kernel(&self, left: u32, right: u32) -> f32 {
        let (mut left, mut right) = (self.of(left).peekable(), self.of(right).peekable());
        let mut sum = 0.0;
        while let (Some(one), Some(other)) = (left.peek(), right.peek()) {
            match one.0.cmp(&other.0) {
                std::cmp::Ordering::Less => drop(left.next()),
                std::cmp::Ordering::Greater => drop(right.next()),
                std::cmp::Ordering::Equal => {
                    sum += one.1 * other.1;
                    left.next();
                    right.next();
                }
            }
        }
        sum
    }
}

/// Values by item, numbered in the order they are first seen.
#[derive(Default)]
struct Bags {
    numbers: [HashMap<String, u32>; KINDS],
    /// Kind of each feature.
    kinds: Vec<u8>,
    /// Number of items with each feature.
    items: Vec<u32>,
    /// Features of all items, ascending and without repeats within an item.
    features: Vec<u32>,
    ends: Vec<usize>,
}

impl Bags {
    fn push(&mut self, item: &Description<'_>) {
        let start = self.features.len();
        let mut put = |kind, value: &str| self.put(kind, value);
        item.authors.iter().for_each(|author| put(0, author));
        item.series.into_iter().for_each(|series| put(1, series));
        item.categories.iter().for_each(|slug| put(2, slug));
        item.language.into_iter().for_each(|tag| put(3, tag));
        item.publisher.into_iter().for_each(|publisher| put(4, publisher));
        words(item.title, |word| put(5, word));
        let mut own = self.features.split_off(start);
        own.sort_unstable();
        own.dedup();
        own.iter().for_each(|feature| self.items[*feature as usize] += 1);
        self.features.extend(own);
        self.ends.push(self.features.len());
    }

    fn put(&mut self, kind: u8, value: &str) {
        let value = value.trim().to_lowercase();
        if value.is_empty() {
            return;
        }
        let next = self.items.len() as u32;
        let feature = *self.numbers[usize::from(kind)].entry(value).or_insert(next);
        if feature == next {
            self.kinds.push(kind);
            self.items.push(0);
        }
        self.features.push(feature);
    }

    fn weigh(self, weights: &[f32; KINDS]) -> Features {
        let count = self.ends.len() as f32;
        let rarity = |feature: u32| (1.0 + count / self.items[feature as usize] as f32).ln();
        let kind = |feature: u32| usize::from(self.kinds[feature as usize]);
        let mut result = Features {
            offsets: vec![0],
            features: Vec::with_capacity(self.features.len()),
            values: Vec::with_capacity(self.features.len()),
            feature_count: self.items.len(),
        };
        let mut start = 0;
        for &end in &self.ends {
            // Squares are of all values, shared or not: an item by an author of its own is
            // not like others that merely lack an author.
            let mut squares = [0.0_f32; KINDS];
            for &feature in &self.features[start..end] {
                squares[kind(feature)] += rarity(feature).powi(2);
            }
            let whole: f32 =
                (0..KINDS).filter(|kind| squares[*kind] > 0.0).map(|kind| weights[kind]).sum();
            for &feature in &self.features[start..end] {
                let share = weights[kind(feature)] / (squares[kind(feature)] * whole);
                if self.items[feature as usize] > 1 && share > 0.0 {
                    result.features.push(feature);
                    result.values.push(rarity(feature) * share.sqrt());
                }
            }
            result.offsets.push(result.features.len());
            start = end;
        }
        result
    }
}

/// Hands over the words of a title. Scripts without spaces have no words that could be seen:
/// two neighbouring characters stand for one.
fn words(title: &str, mut put: impl FnMut(&str)) {
    for run in title.split(|letter: char| !letter.is_alphanumeric()) {
        if !run.chars().any(is_unspaced) {
            put(run);
            continue;
        }
        let places: Vec<usize> = run.char_indices().map(|(place, _)| place).collect();
        if places.len() < 2 {
            put(run);
        }
        for (place, start) in places.iter().enumerate().take(places.len().saturating_sub(1)) {
            put(&run[*start..places.get(place + 2).copied().unwrap_or(run.len())]);
        }
    }
}

/// Han, Hiragana, Katakana and Thai.
fn is_unspaced(letter: char) -> bool {
    matches!(letter, '\u{e00}'..='\u{e7f}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVEN: KindWeights = KindWeights {
        authors: 1.0,
        series: 1.0,
        categories: 1.0,
        language: 1.0,
        publisher: 1.0,
        title: 1.0,
    };

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn kernels_worked_out_by_hand() {
        let (herbert, austen) = (names(&["Frank Herbert"]), names(&["Jane Austen"]));
        let item =
            |authors, series, title| Description { authors, series, title, ..<_>::default() };
        let features = Features::new(
            [
                item(&herbert, Some("Dune"), ""),
                item(&herbert, Some("dune "), ""),
                item(&herbert, None, ""),
                item(&austen, None, "Emma"),
            ],
            &EVEN,
        );
        let check = |left, right, expected: f32| {
            let found = features.kernel(left, right);
            assert!((found - expected).abs() < 1e-6, "{left} {right}: {found} {expected}");
            assert_eq!(features.kernel(right, left), found);
        };
        // Two kinds of one value each, in common; then one of two against the only one.
        check(0, 1, 1.0);
        check(0, 2, 0.5_f32.sqrt());
        check(2, 2, 1.0);
        check(0, 3, 0.0);
        // Austen and Emma are with nobody else.
        check(3, 3, 0.0);
    }

    #[test]
    fn words_of_titles_with_and_without_spaces() {
        let of = |title: &str| {
            let mut found = Vec::new();
            words(title, |word| found.push(word.to_owned()));
            found.retain(|word| !word.is_empty());
            found
        };
        assert_eq!(of("The Hobbit, or There"), ["The", "Hobbit", "or", "There"]);
        assert_eq!(of("三体 II"), ["三体", "II"]);
        assert_eq!(of("红楼梦"), ["红楼", "楼梦"]);
        assert_eq!(of("书"), ["书"]);
        assert!(of(" – ").is_empty());
    }
}
