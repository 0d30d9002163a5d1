//! A random part of each user's items is held out.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use recommender::Interactions;

use super::{Split, entries};
use crate::lightgcn::Histories;

/// Holds out a share of each user's items of at least the value `liked_min`, rounded
/// down, so that a user of few items keeps them all.
///
/// The same seed gives the same split, and what one user does never changes what is held
/// out of another. Costs `O(interactions)`.
///
/// # Panics
///
/// If the share is not from 0 to 1.
#[must_use]
pub fn hold_out(interactions: &Interactions, share: f64, liked_min: f32, seed: u64) -> Split {
    let mut draw = Draw::new(share, liked_min, seed);
    let mut train = Interactions::new(interactions.item_count());
    let mut held_out = Histories::with_capacity(interactions.user_count());
    for user in 0..interactions.user_count() {
        let drawn = draw.of_user(interactions, user);
        train.push_user(without(interactions, user, &drawn));
        held_out.push(drawn);
    }
    let protocol = format!(
        "random holdout: {:.0} % of each user's liked items are held out, rounded down, seed {seed}",
        share * 100.0
    );
    Split::of_train(train, held_out, protocol)
}

/// The items and values of a user without those that are held out of them.
pub(super) fn without(
    interactions: &Interactions,
    user: usize,
    held_out: &[u32],
) -> impl Iterator<Item = (u32, f32)> {
    entries(interactions, user).filter(|(item, _)| held_out.binary_search(item).is_err())
}

/// Draws what is held out of each user.
pub(super) struct Draw {
    share: f64,
    liked_min: f32,
    random: ChaCha8Rng,
}

impl Draw {
    /// # Panics
    ///
    /// If the share is not from 0 to 1.
    pub(super) fn new(share: f64, liked_min: f32, seed: u64) -> Self {
        assert!((0.0..=1.0).contains(&share), "share {share}");
        Self { share, liked_min, random: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// The share of the user's liked items, rounded down; sorted.
    pub(super) fn of_user(&mut self, interactions: &Interactions, user: usize) -> Vec<u32> {
        let liked = entries(interactions, user).filter(|(_, value)| *value >= self.liked_min);
        let mut drawn: Vec<u32> = liked.map(|(item, _)| item).collect();
        self.random.set_stream(user as u64);
        self.random.set_word_pos(0);
        drawn.shuffle(&mut self.random);
        drawn.truncate((drawn.len() as f64 * self.share) as usize);
        drawn.sort_unstable();
        drawn
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of_items(histories: &[Vec<u32>]) -> Interactions {
        let mut interactions = Interactions::new(50);
        for items in histories {
            interactions.push_user(items.iter().map(|item| (*item, 1.0)));
        }
        interactions
    }

    #[test]
    fn the_share_is_rounded_down_and_the_seed_decides_which_items_go() {
        let interactions = of_items(&[(0..50).collect(), vec![3], vec![], (0..5).collect()]);
        let split = hold_out(&interactions, 0.2, 0.0, 7);
        assert_eq!(split.held_out.iter().map(Vec::len).collect::<Vec<_>>(), [10, 1]);
        assert_eq!(split.held_out_count(), 11);
        assert_eq!(split, hold_out(&interactions, 0.2, 0.0, 7));
        assert_ne!(split.held_out, hold_out(&interactions, 0.2, 0.0, 8).held_out);
    }

    #[test]
    fn one_users_events_do_not_change_what_is_held_out_of_another() {
        let history: Vec<u32> = (0..40).collect();
        let short = of_items(&[(0..5).collect(), history.clone()]);
        let long = of_items(&[history.clone(), history]);
        let of = |interactions| hold_out(interactions, 0.2, 0.0, 7).held_out;
        assert_eq!(of(&short)[1], of(&long)[1]);
        assert_ne!(of(&long)[0], of(&long)[1]);
    }

    proptest! {
        #[test]
        fn every_entry_is_on_one_side_and_only_liked_items_are_held_out(
            users in prop::collection::vec(prop::collection::btree_map(0_u32..60, 1_u8..5, 0..40), 0..12),
            share in 0.0..=1.0_f64,
            liked_min in 0_u8..6,
            seed: u64,
        ) {
            let mut interactions = Interactions::new(60);
            for row in &users {
                interactions.push_user(row.iter().map(|(item, value)| (*item, f32::from(*value))));
            }
            let split = hold_out(&interactions, share, f32::from(liked_min), seed);
            prop_assert_eq!(split.train.user_count(), users.len());
            prop_assert_eq!(split.train.item_count(), 60);
            prop_assert_eq!(split.histories.user_count(), split.held_out.len());
            let mut tested = split.held_out.iter().enumerate();
            for (user, row) in users.iter().enumerate() {
                let (items, values) = split.train.user(user);
                let liked = row.values().filter(|value| **value >= liked_min).count();
                let expected = (liked as f64 * share) as usize;
                prop_assert_eq!(items.len() + expected, row.len());
                for (item, value) in items.iter().zip(values) {
                    prop_assert_eq!(*value, f32::from(row[item]));
                }
                if expected == 0 {
                    continue;
                }
                let (place, held_out) = tested.next().unwrap();
                prop_assert_eq!(split.histories.user(place), (items, values));
                prop_assert_eq!(held_out.len(), expected);
                prop_assert!(held_out.is_sorted_by(|left, right| left < right));
                prop_assert!(held_out.iter().all(|item| row[item] >= liked_min));
                prop_assert!(items.iter().all(|item| !held_out.contains(item)));
            }
            prop_assert_eq!(tested.next(), None);
        }
    }
}
