//! Strong generalisation: tested users are not learnt from at all.
//!
//! After Marlin (2004, *Collaborative filtering: a machine learning perspective*) and Liang
//! et al. (2018, *Variational autoencoders for collaborative filtering*, section 4.1): most of
//! a tested user's items are folded in when their list is made, and the rest is to be found.
//! It shows how a model serves readers who came after the training.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use recommender::Interactions;

use super::holdout::{Draw, without};
use super::{LeftOut, Split, entries};
use crate::lightgcn::Histories;

/// Learns from all users but a share of them, at least one if there are any, and holds out
/// `share` of the liked items of each of the others.
///
/// The same seed gives the same split. Users left out of whom nothing can be held out are
/// neither learnt from nor tested.
///
/// # Panics
///
/// If a share is not from 0 to 1.
#[must_use]
pub fn leave_users_out(
    interactions: &Interactions,
    users_share: f64,
    share: f64,
    liked_min: f32,
    seed: u64,
) -> Split {
    assert!((0.0..=1.0).contains(&users_share), "share of users {users_share}");
    let is_left_out = choose(interactions.user_count(), users_share, seed);
    let mut draw = Draw::new(share, liked_min, seed);
    let mut train = Interactions::new(interactions.item_count());
    let mut histories = Interactions::new(interactions.item_count());
    let mut held_out = Histories::new();
    for (user, is_left_out) in is_left_out.into_iter().enumerate() {
        if !is_left_out {
            train.push_user(entries(interactions, user));
            continue;
        }
        let drawn = draw.of_user(interactions, user);
        if !drawn.is_empty() {
            histories.push_user(without(interactions, user, &drawn));
            held_out.push(drawn);
        }
    }
    let protocol = format!(
        "unseen users: {:.0} % of the users are left out of training; all but {:.0} % of each \
         one's liked items are folded in, the rest is held out, seed {seed}",
        users_share * 100.0,
        share * 100.0
    );
    Split { train, histories, held_out, protocol, left_out: LeftOut::default(), times: None }
}

/// For each user, whether they are left out.
fn choose(users: usize, share: f64, seed: u64) -> Vec<bool> {
    let count = ((users as f64 * share) as usize).max(1).min(users);
    let mut is_left_out = vec![false; users];
    is_left_out[..count].fill(true);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    // A stream that no user's own draw has.
    random.set_stream(u64::MAX);
    is_left_out.shuffle(&mut random);
    is_left_out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_user_is_learnt_from_or_tested_and_a_tested_one_is_split(
            users in prop::collection::vec(prop::collection::btree_set(0_u32..60, 0..40), 0..30),
            users_share in 0.0..=1.0_f64,
            share in 0.0..=1.0_f64,
            seed: u64,
        ) {
            let mut interactions = Interactions::new(60);
            for row in &users {
                interactions.push_user(row.iter().map(|item| (*item, 1.0)));
            }
            let split = leave_users_out(&interactions, users_share, share, 0.0, seed);
            let left_out = users.len() - split.train.user_count();
            prop_assert_eq!(left_out, ((users.len() as f64 * users_share) as usize).max(1).min(users.len()));
            prop_assert!(split.held_out.len() <= left_out);
            prop_assert_eq!(split.histories.user_count(), split.held_out.len());
            for (place, held_out) in split.held_out.iter().enumerate() {
                let (known, _) = split.histories.user(place);
                prop_assert!(!held_out.is_empty());
                prop_assert!(known.iter().all(|item| held_out.binary_search(item).is_err()));
                let mut row = [known, held_out].concat();
                row.sort_unstable();
                prop_assert!(users.iter().any(|user| user.iter().eq(&row)));
            }
            prop_assert_eq!(split, leave_users_out(&interactions, users_share, share, 0.0, seed));
        }
    }
}
