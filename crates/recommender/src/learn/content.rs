//! Content prior: what the catalogue says about items that few users have met.
//!
//! A new book has no column in the item–item model, so nothing speaks for it. Its
//! features say which known items it is like: for each cold item `j` with its `k` nearest
//! known items `N`, kernel ridge regression writes it as a combination of them,
//! `a = (K_NN + λI)⁻¹ K_Nj`, and the item is then taken for that combination:
//!
//! - column `j` gets `Σ a_i (δ·e_i + B[·, i])`: it is liked by whoever likes these items,
//!   or is expected to;
//! - row `j` gets `Σ a_i (δ·e_i + B[i, ·])`: liking it says what liking these items says.
//!
//! The term with `e_i` is that of additive models with side information (Jeunen, Van Balen
//! and Goethals 2020, *Closed-form models for collaborative filtering with
//! side-information*); the one with `B` maps features to item space, as Gantner et al.
//! (2010, *Learning attribute-to-feature mappings for cold-start recommendations*) do for
//! factors. Both are added with the weight `n / (n + users of j)`, so they fade as events
//! arrive.
//!
//! Invariant: what an item gets depends on its own features, its neighbours' and `B`
//! before, never on what another cold item got; so items are done in parallel, and the
//! result is bit-identical for any number of threads.

mod features;
mod merge;

use rayon::prelude::*;

use crate::learn::cholesky::System;
use crate::learn::ridge::ItemWeights;
use crate::watch::{Cancelled, Stage, Watch};

pub use features::{Description, Features, KindWeights};

/// What a content prior is made with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ContentSettings {
    /// `n`: the number of users with whom the prior still counts half.
    pub half_users: f32,
    /// What all of it is multiplied by; 0 leaves it out.
    pub scale: f32,
    /// `δ`: how much the neighbours themselves count, beside what explains them.
    pub direct: f32,
    /// `k`: how many known items an item is made of.
    pub neighbours: usize,
    /// `λ`: what is added to the kernel's diagonal.
    pub regularisation: f32,
    /// How many known items of one feature are looked at, those with the most users.
    pub feature_items: usize,
    /// The most weights that a column and a row get, the strongest.
    pub entries: usize,
}

/// Weights below this are not worth having.
const WEIGHT_MIN: f32 = 0.05;

impl ContentSettings {
    /// The weight of the prior for an item with this many users; 0 where it would hardly count.
    fn weight(&self, users: u32) -> f32 {
        let weight = self.half_users / (self.half_users + users as f32);
        if weight >= WEIGHT_MIN { weight * self.scale } else { 0.0 }
    }
}

/// Adds to a model what the catalogue says about its cold items, on the current rayon pool.
///
/// `users` is the number of users of each item. Costs `O(cold items × (features of one ×
/// feature_items + k³/3 + k × length of a column))` time and up to `16·entries` bytes a cold
/// item.
///
/// # Errors
///
/// [`Cancelled`] if `watch` says so.
///
/// # Panics
///
/// If `weights`, `users` and `features` are not of the same items.
pub fn add_content(
    weights: ItemWeights,
    users: &[u32],
    features: &Features,
    settings: &ContentSettings,
    watch: &Watch<'_>,
) -> Result<ItemWeights, Cancelled> {
    let items = weights.offsets.len() - 1;
    assert_eq!([users.len(), features.item_count()], [items; 2], "one value an item");
    let cold: Vec<u32> =
        (0..items as u32).filter(|item| settings.weight(users[*item as usize]) > 0.0).collect();
    if cold.is_empty() {
        return Ok(weights);
    }
    let known = Known {
        users,
        features,
        settings,
        by_feature: by_feature(users, features, settings.feature_items),
        by_target: merge::transpose(&weights),
        by_source: &weights,
    };
    let progress = watch.stage(Stage::Content, cold.len());
    let priors: Vec<Prior> = cold
        .par_iter()
        .map_init(
            || Mixture::new(items),
            |mixture, &item| {
                let prior = mixture.prior(&known, item);
                progress.step().map(|()| prior)
            },
        )
        .collect::<Result<_, _>>()?;
    drop(known);
    Ok(merge::add(&weights, &cold, &priors, settings.entries))
}

/// What one cold item gets: other items and weights, by item.
struct Prior {
    /// What liking the other adds to its score.
    column: Vec<(u32, f32)>,
    /// What liking it adds to the other's score.
    row: Vec<(u32, f32)>,
}

/// All that a prior is made from.
struct Known<'a> {
    users: &'a [u32],
    features: &'a Features,
    settings: &'a ContentSettings,
    /// The known items of each feature with the most users.
    by_feature: Vec<Vec<u32>>,
    by_target: ItemWeights,
    by_source: &'a ItemWeights,
}

/// The items with users that have each feature: at most `most`, those with the most users.
fn by_feature(users: &[u32], features: &Features, most: usize) -> Vec<Vec<u32>> {
    let mut order: Vec<u32> =
        (0..users.len() as u32).filter(|item| users[*item as usize] > 0).collect();
    order.sort_by_key(|item| std::cmp::Reverse(users[*item as usize]));
    let mut lists = vec![Vec::new(); features.feature_count()];
    for item in order {
        for (feature, _) in features.of(item) {
            let list = &mut lists[feature as usize];
            if list.len() < most {
                list.push(item);
            }
        }
    }
    lists
}

/// A cold item as a mixture of known ones, under construction; memory is used again.
struct Mixture {
    system: System,
    sums: Vec<f32>,
    touched: Vec<u32>,
    ranked: Vec<(u32, f32)>,
}

impl Mixture {
    fn new(items: usize) -> Self {
        let (touched, ranked) = (Vec::new(), Vec::new());
        Self { system: System::new(), sums: vec![0.0; items], touched, ranked }
    }

    fn prior(&mut self, known: &Known<'_>, item: u32) -> Prior {
        self.find_neighbours(known, item);
        let parts = self.solve(known);
        let weight = known.settings.weight(known.users[item as usize]);
        let mut take = |lists: &ItemWeights| {
            for &(part, share) in &parts {
                self.add(part, share * known.settings.direct);
                for (other, value) in merge::row(lists, part) {
                    self.add(other, share * value);
                }
            }
            self.take_strongest(known.settings.entries, item, weight)
        };
        Prior { column: take(&known.by_target), row: take(known.by_source) }
    }

    /// Leaves the nearest known items in `ranked`, with their kernels.
    ///
    /// Features with many items contribute only some of them, so the sums over features
    /// choose candidates, twice as many as are wanted, and these are measured exactly.
    fn find_neighbours(&mut self, known: &Known<'_>, item: u32) {
        for (feature, value) in known.features.of(item) {
            for &other in &known.by_feature[feature as usize] {
                // The square of a value is its part of the kernel of an item with itself.
                self.add(other, value * value);
            }
        }
        let wanted = known.settings.neighbours.max(1);
        self.rank(item);
        keep_strongest(&mut self.ranked, 2 * wanted);
        for (other, kernel) in &mut self.ranked {
            *kernel = known.features.kernel(item, *other);
        }
        keep_strongest(&mut self.ranked, wanted);
    }

    /// Writes the item as a combination of the nearest: items and their shares.
    fn solve(&mut self, known: &Known<'_>) -> Vec<(u32, f32)> {
        let ridge = known.settings.regularisation;
        self.system.clear(self.ranked.len(), ridge);
        for (place, &(item, kernel)) in self.ranked.iter().enumerate() {
            self.system.set_right(place, kernel);
            self.system.set(place, place, known.features.kernel(item, item) + ridge);
            for (other_place, &(other, _)) in self.ranked[..place].iter().enumerate() {
                self.system.set(place, other_place, known.features.kernel(item, other));
            }
        }
        let items = self.ranked.iter().map(|(item, _)| *item);
        items.zip(self.system.solve().iter().copied()).collect()
    }

    fn add(&mut self, item: u32, value: f32) {
        let sum = &mut self.sums[item as usize];
        if *sum == 0.0 {
            self.touched.push(item);
        }
        *sum += value;
    }

    /// Moves the sums into `ranked`, without `item`, in the order they were first touched.
    fn rank(&mut self, item: u32) {
        self.ranked.clear();
        for other in self.touched.drain(..) {
            // An item whose sum came back to zero on the way is touched twice.
            let sum = std::mem::take(&mut self.sums[other as usize]);
            if other != item && sum != 0.0 {
                self.ranked.push((other, sum));
            }
        }
    }

    /// Empties the sums and returns the strongest, by item, times `weight`.
    fn take_strongest(&mut self, most: usize, item: u32, weight: f32) -> Vec<(u32, f32)> {
        self.rank(item);
        keep_strongest(&mut self.ranked, most);
        self.ranked.sort_unstable_by_key(|(other, _)| *other);
        self.ranked.iter().map(|(other, sum)| (*other, weight * sum)).collect()
    }
}

/// Keeps the entries with the largest values, whatever their sign; equals by item.
fn keep_strongest(entries: &mut Vec<(u32, f32)>, most: usize) {
    if entries.len() > most {
        entries.select_nth_unstable_by(most, |left, right| {
            right.1.abs().total_cmp(&left.1.abs()).then(left.0.cmp(&right.0))
        });
        entries.truncate(most);
    }
    entries.sort_unstable_by_key(|(item, _)| *item);
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: KindWeights = KindWeights {
        authors: 1.0,
        series: 1.0,
        categories: 1.0,
        language: 1.0,
        publisher: 1.0,
        title: 1.0,
    };

    const SETTINGS: ContentSettings = ContentSettings {
        half_users: 4.0,
        scale: 1.0,
        direct: 1.0,
        neighbours: 5,
        regularisation: 1.0,
        feature_items: 10,
        entries: 10,
    };

    /// Items 0 and 1 go together; item 2 has the author of item 0.
    fn known() -> ItemWeights {
        ItemWeights { offsets: vec![0, 1, 2, 2], targets: vec![1, 0], weights: vec![0.4, 0.2] }
    }

    fn features() -> Features {
        let authors = ["ann", "bob", "ann"].map(|name| [name.to_owned()]);
        let item = |authors| Description { authors, ..Description::default() };
        Features::new(authors.iter().map(|authors| item(authors)), &KINDS)
    }

    /// Item 2 has `users` users, the others a thousand.
    fn check(users: u32, settings: &ContentSettings, expected: &[(u32, u32, f32)]) {
        let users = [1000, 1000, users];
        let found = add_content(known(), &users, &features(), settings, &Watch::IGNORE).unwrap();
        let of = |source| merge::row(&found, source).map(move |(target, w)| (source, target, w));
        let found: Vec<(u32, u32, f32)> = (0..3).flat_map(of).collect();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!((found.0, found.1), (expected.0, expected.1));
            assert!((found.2 - expected.2).abs() < 1e-6, "{found:?} {expected:?}");
        }
    }

    #[test]
    fn a_book_without_users_worked_out_by_hand() {
        // K_00 = K_02 = 1, so a_0 = 1/(1 + λ) = 1/2. Column 2 is 1/2·e_0 and half of column
        // 0, which is 0.2 from item 1; row 2 is 1/2·e_0 and half of row 0, 0.4 for item 1.
        let expected =
            [(0, 1, 0.4), (0, 2, 0.5), (1, 0, 0.2), (1, 2, 0.1), (2, 0, 0.5), (2, 1, 0.2)];
        check(0, &SETTINGS, &expected);
        // With as many users as count half, and half the scale, a quarter of that.
        let quarter =
            [(0, 1, 0.4), (0, 2, 0.125), (1, 0, 0.2), (1, 2, 0.025), (2, 0, 0.125), (2, 1, 0.05)];
        check(4, &ContentSettings { scale: 0.5, ..SETTINGS }, &quarter);
    }

    #[test]
    fn a_book_with_many_users_or_no_scale_gets_nothing() {
        let unchanged = [(0, 1, 0.4), (1, 0, 0.2)];
        check(77, &SETTINGS, &unchanged);
        check(0, &ContentSettings { scale: 0.0, ..SETTINGS }, &unchanged);
    }

    #[test]
    fn only_the_strongest_entries_stay() {
        let expected = [(0, 1, 0.4), (0, 2, 0.5), (1, 0, 0.2), (2, 0, 0.5)];
        check(0, &ContentSettings { entries: 1, ..SETTINGS }, &expected);
    }

    #[test]
    fn what_is_there_already_is_added_to() {
        let weights = ItemWeights {
            offsets: vec![0, 2, 3, 3],
            targets: vec![1, 2, 0],
            weights: vec![0.4, 0.3, 0.2],
        };
        let users = [1000, 1000, 0];
        let found = add_content(weights, &users, &features(), &SETTINGS, &Watch::IGNORE).unwrap();
        let row: Vec<(u32, f32)> = merge::row(&found, 0).collect();
        assert_eq!(row, [(1, 0.4), (2, 0.8)]);
    }
}
