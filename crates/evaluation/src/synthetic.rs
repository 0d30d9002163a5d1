//! Synthetic shops: interactions of users who each have a few tastes, for measuring how a fit
//! grows. Figures of quality on them say nothing about readers.
//!
//! Items belong to tastes of about 250. Tastes, and the items of one, are popular by a
//! Zipf–Mandelbrot law: the one of rank `r` is drawn in proportion to `1 / (r + q)`, with `q = 5`
//! for both, after Mandelbrot (1953, *An informational theory of the statistical structure of
//! language*). A user has four tastes, which half, a quarter and twice an eighth of the draws
//! come from; one draw in five is of any taste. The matrix is so about of the rank of the number
//! of tastes, with noise. Histories are log-normal, 50 items in the mean.
//!
//! So an item has the same surroundings whatever the size of the catalogue, and time per item
//! can be compared. An item's number says nothing of its taste or its popularity.
//!
//! Invariant: each user draws from a stream of their own, so the same numbers and seed give the
//! same interactions on any number of threads.

use std::sync::atomic::{AtomicBool, Ordering};

use rand::{Rng, RngExt as _};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;
use recommender::Interactions;
use recommender::watch::Cancelled;

const HISTORY_MEAN: f64 = 50.0;

/// Standard deviation of a history's logarithm.
const HISTORY_DEVIATION: f64 = 0.8;

const HISTORY_MIN: usize = 3;
const HISTORY_MAX: usize = 1000;

const TASTE_ITEMS: usize = 250;
const TASTES_OF_USER: usize = 4;
const ANY_TASTE_SHARE: f64 = 0.2;

/// `q`.
const FLATNESS: f64 = 5.0;

/// How often a user draws again for items that they have already.
const ROUNDS_MAX: usize = 8;

/// Users that one thread makes at a time.
const BLOCK_USERS: usize = 1024;

/// A shop to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Synthetic {
    /// The number of items; not all of a small catalogue's need to be drawn.
    pub items: usize,
    /// The number of interactions, to about one in a hundred.
    pub interactions: usize,
    /// Another seed, another shop.
    pub seed: u64,
}

impl Synthetic {
    /// The number of users: histories have 50 items in the mean.
    #[must_use]
    pub fn users(&self) -> usize {
        (self.interactions as f64 / HISTORY_MEAN).ceil() as usize
    }

    /// Makes the interactions on the current rayon pool, each with the value 1. Beside them only
    /// some thousand histories are held at a time.
    ///
    /// Takes about 50 ns an interaction and thread. `watch` is told of users done, and all users.
    ///
    /// # Errors
    ///
    /// [`Cancelled`] soon after `cancelled` becomes true.
    ///
    /// # Panics
    ///
    /// If there are interactions and no items, or too many items for an [`Interactions`].
    pub fn generate(
        &self,
        watch: &dyn Fn(usize, usize),
        cancelled: &AtomicBool,
    ) -> Result<Interactions, Cancelled> {
        let users = self.users();
        assert!(users == 0 || self.items > 0, "{users} users without an item");
        let shop = Shop::new(self);
        let mut interactions = Interactions::new(self.items);
        let blocks: Vec<usize> = (0..users).step_by(BLOCK_USERS).collect();
        for batch in blocks.chunks(4 * rayon::current_num_threads()) {
            if cancelled.load(Ordering::Relaxed) {
                return Err(Cancelled);
            }
            watch(interactions.user_count(), users);
            let made: Vec<Vec<Vec<u32>>> = batch
                .par_iter()
                .map(|&begin| {
                    (begin..users.min(begin + BLOCK_USERS)).map(|user| shop.history(user)).collect()
                })
                .collect();
            for history in made.iter().flatten() {
                interactions.push_user(history.iter().map(|item| (*item, 1.0)));
            }
        }
        watch(users, users);
        Ok(interactions)
    }
}

struct Shop {
    items: usize,
    tastes: usize,
    seed: u64,
    /// Numbers are scattered by `number × step mod items`.
    step: usize,
    taste_law: Law,
    /// Of tastes with [`Shop::taste_size`] items, and of those with one less.
    item_laws: [Law; 2],
}

impl Shop {
    fn new(synthetic: &Synthetic) -> Self {
        let &Synthetic { items, seed, .. } = synthetic;
        let tastes = items.div_ceil(TASTE_ITEMS).max(1);
        let taste_size = items.div_ceil(tastes);
        let golden = (items as f64 * 0.618_034) as usize;
        let step = (golden.max(1)..).find(|step| divisor(*step, items) == 1).unwrap_or(1);
        Self {
            items,
            tastes,
            seed,
            step,
            taste_law: Law::new(tastes),
            item_laws: [Law::new(taste_size), Law::new((taste_size.max(2)) - 1)],
        }
    }

    /// What one user has: distinct items, ascending.
    fn history(&self, user: usize) -> Vec<u32> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(user as u64);
        let length = self.length(&mut random);
        let tastes: [usize; TASTES_OF_USER] =
            std::array::from_fn(|_| self.taste_law.draw(&mut random));
        let mut history = Vec::with_capacity(length);
        for _ in 0..ROUNDS_MAX {
            let missing = length - history.len();
            history.extend((0..missing).map(|_| self.item(&tastes, &mut random)));
            history.sort_unstable();
            history.dedup();
            if history.len() == length {
                break;
            }
        }
        history
    }

    fn length(&self, random: &mut impl Rng) -> usize {
        // Box and Muller (1958): a normal deviate from two uniform ones.
        let (first, second): (f64, f64) = (random.random(), random.random());
        let normal = (-2.0 * (1.0 - first).ln()).sqrt() * (std::f64::consts::TAU * second).cos();
        let centre = HISTORY_MEAN.ln() - HISTORY_DEVIATION * HISTORY_DEVIATION / 2.0;
        let length = (centre + HISTORY_DEVIATION * normal).exp().round() as usize;
        length.clamp(HISTORY_MIN, HISTORY_MAX).min(self.items.div_ceil(4))
    }

    fn item(&self, tastes: &[usize; TASTES_OF_USER], random: &mut impl Rng) -> u32 {
        let taste = if random.random_bool(ANY_TASTE_SHARE) {
            self.taste_law.draw(random)
        } else {
            // Trailing zeros: 0 for a half of all numbers, 1 for a quarter, and so on.
            tastes[(random.next_u32().trailing_zeros() as usize).min(TASTES_OF_USER - 1)]
        };
        // Tastes take turns: the item of rank r of taste t is t + r × tastes.
        let is_full = self.items.is_multiple_of(self.tastes) || taste < self.items % self.tastes;
        let rank = self.item_laws[usize::from(!is_full)].draw(random);
        let number = taste + rank * self.tastes;
        // The product fits: both are below 2^32.
        ((number as u64 * self.step as u64) % self.items as u64) as u32
    }
}

/// A Zipf–Mandelbrot law over ranks, drawn by inverting its integral.
#[derive(Clone, Copy)]
struct Law {
    ranks: usize,
    log: f64,
}

impl Law {
    fn new(ranks: usize) -> Self {
        Self { ranks, log: ((ranks as f64 + FLATNESS) / FLATNESS).ln() }
    }

    fn draw(&self, random: &mut impl Rng) -> usize {
        let place = FLATNESS * (self.log * random.random::<f64>()).exp_m1();
        (place as usize).min(self.ranks - 1)
    }
}

/// The greatest common divisor.
fn divisor(left: usize, right: usize) -> usize {
    if right == 0 { left } else { divisor(right, left % right) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::small;
    use crate::{LIKED_MIN, Options, evaluate, hold_out};

    fn generate(synthetic: Synthetic, threads: usize) -> Interactions {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| synthetic.generate(&|_, _| {}, &AtomicBool::new(false))).unwrap()
    }

    const SMALL: Synthetic = Synthetic { items: 1001, interactions: 100_000, seed: 7 };

    #[test]
    fn the_seed_alone_decides_whatever_the_number_of_threads() {
        let one = generate(SMALL, 1);
        assert_eq!(one, generate(SMALL, 2));
        assert_ne!(one, generate(Synthetic { seed: 8, ..SMALL }, 2));
    }

    #[test]
    fn as_many_interactions_as_asked_for_with_distinct_items() {
        let interactions = generate(SMALL, 2);
        assert_eq!(interactions.user_count(), 2000);
        let error = interactions.len().abs_diff(100_000);
        assert!(error < 5000, "{} interactions", interactions.len());
        for user in 0..2000 {
            assert!(interactions.user(user).0.is_sorted_by(|left, right| left < right));
        }
    }

    #[test]
    fn some_items_are_far_more_popular_and_nearly_all_are_known() {
        let mut users = generate(SMALL, 2).item_users();
        users.sort_unstable();
        assert!(users[1000] > 10 * users[500], "{} {}", users[1000], users[500]);
        assert!(users.iter().filter(|users| **users > 0).count() > 990);
    }

    #[test]
    fn numbers_are_scattered_without_two_items_getting_one() {
        for items in [1, 2, 249, 250, 1001, 10_000] {
            let shop = Shop::new(&Synthetic { items, ..SMALL });
            let mut numbers: Vec<usize> =
                (0..items).map(|number| (number * shop.step) % items).collect();
            numbers.sort_unstable();
            assert!(numbers.into_iter().eq(0..items), "{items}");
        }
    }

    #[test]
    fn tiny_catalogues_and_shops_without_interactions_can_be_made() {
        for items in [1, 2, 5] {
            let interactions = generate(Synthetic { items, ..SMALL }, 1);
            assert_eq!(interactions.item_count(), items);
        }
        assert!(generate(Synthetic { interactions: 0, ..SMALL }, 1).is_empty());
    }

    #[test]
    fn tastes_can_be_learnt() {
        let shop = Synthetic { items: 4000, interactions: 200_000, ..SMALL };
        let split = hold_out(&generate(shop, 2), 0.2, LIKED_MIN, 7);
        let mut model = small();
        (model.ridge.gram.row_entries, model.ridge.neighbours) = (200, 50);
        let report =
            evaluate(&split, &Options::new(model), &|_, _, _| {}, &AtomicBool::new(false)).unwrap();
        let [ours, popularity] = [&report.rows[0], &report.rows[1]];
        assert!(ours.ndcg > 1.5 * popularity.ndcg, "{} {}", ours.ndcg, popularity.ndcg);
    }
}
