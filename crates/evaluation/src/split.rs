//! The split: which interactions are learnt from, and which are to be found again.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use recommender::Interactions;

use crate::lightgcn::{self, Histories, item_count};

/// What counts as liked, and so may be held out: a clear yes.
pub const LIKED_MIN: f32 = 0.5;

/// What is learnt from, and what is to be found.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// Learnt from.
    pub train: Interactions,
    /// Held out: the sorted items of each user of `train`.
    pub test: Histories,
}

impl Split {
    /// The number of held-out interactions. Without any, there is nothing to measure.
    #[must_use]
    pub fn held_out(&self) -> usize {
        self.test.iter().map(Vec::len).sum()
    }
}

/// Reads a training and a test file in the LightGCN format, plain or gzip. Every item
/// counts 1; an item that a user has in both files counts as learnt from, not as held out.
///
/// # Errors
///
/// Names the file, the line, what was found there and what was expected.
///
/// The catalogue and the users are those of both files, as in published tables: an item or
/// a user without training counts, and no model can do much for it.
pub fn read_split(train: &Path, test: &Path) -> Result<Split> {
    let mut learnt = lightgcn::read(train)?;
    let mut held_out = lightgcn::read(test)?;
    lightgcn::check_sizes(&[&learnt, &held_out])
        .with_context(|| format!("cannot use {} with {}", test.display(), train.display()))?;
    let users = learnt.len().max(held_out.len());
    learnt.resize(users, Vec::new());
    held_out.resize(users, Vec::new());
    for (items, known) in held_out.iter_mut().zip(&learnt) {
        // Items learnt from are never ranked, so they could not be found.
        items.retain(|item| known.binary_search(item).is_err());
    }
    let items = item_count(&learnt).max(item_count(&held_out));
    let split = Split { train: to_interactions(&learnt, items), test: held_out };
    ensure!(
        split.held_out() > 0,
        "every interaction of {} is in {} as well, expected other items",
        test.display(),
        train.display(),
    );
    Ok(split)
}

/// Reads one file in the LightGCN format and holds out a share of each user's items: for
/// choosing settings without a look at the test file.
///
/// # Errors
///
/// As [`read_split`]; also if the share is not between 0 and 1, or so small that nothing
/// is held out.
pub fn read_and_hold_out(train: &Path, share: f64, seed: u64) -> Result<Split> {
    ensure!(share > 0.0 && share < 1.0, "found share {share}, expected one between 0 and 1");
    let histories = lightgcn::read(train)?;
    lightgcn::check_sizes(&[&histories])
        .with_context(|| format!("cannot use {}", train.display()))?;
    let interactions = to_interactions(&histories, item_count(&histories));
    let split = hold_out(&interactions, share, 0.0, seed);
    ensure!(
        split.held_out() > 0,
        "a share of {share} holds out nothing of {}, expected longer histories",
        train.display(),
    );
    Ok(split)
}

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
    assert!((0.0..=1.0).contains(&share), "share {share}");
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut train = Interactions::new(interactions.item_count());
    let mut test = Histories::with_capacity(interactions.user_count());
    for user in 0..interactions.user_count() {
        let (items, values) = interactions.user(user);
        let entries = || items.iter().copied().zip(values.iter().copied());
        let liked = entries().filter(|(_, value)| *value >= liked_min);
        let mut held_out: Vec<u32> = liked.map(|(item, _)| item).collect();
        random.set_stream(user as u64);
        random.set_word_pos(0);
        held_out.shuffle(&mut random);
        held_out.truncate((held_out.len() as f64 * share) as usize);
        held_out.sort_unstable();
        train.push_user(entries().filter(|(item, _)| held_out.binary_search(item).is_err()));
        test.push(held_out);
    }
    Split { train, test }
}

fn to_interactions(histories: &Histories, items: usize) -> Interactions {
    let mut interactions = Interactions::new(items);
    for items in histories {
        interactions.push_user(items.iter().map(|item| (*item, 1.0)));
    }
    interactions
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_share_is_rounded_down_and_the_seed_decides_which_items_go() {
        let histories: Histories = vec![(0..50).collect(), vec![3], vec![], (0..5).collect()];
        let interactions = to_interactions(&histories, 50);
        let split = hold_out(&interactions, 0.2, 0.0, 7);
        assert_eq!(split.test.iter().map(Vec::len).collect::<Vec<_>>(), [10, 0, 0, 1]);
        assert_eq!(split.held_out(), 11);
        assert_eq!(split, hold_out(&interactions, 0.2, 0.0, 7));
        assert_ne!(split, hold_out(&interactions, 0.2, 0.0, 8));
    }

    #[test]
    fn one_users_events_do_not_change_what_is_held_out_of_another() {
        let history: Vec<u32> = (0..40).collect();
        let short = to_interactions(&vec![vec![1, 2], history.clone()], 40);
        let long = to_interactions(&vec![history.clone(), history], 40);
        let of = |interactions| hold_out(interactions, 0.2, 0.0, 7).test;
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
            prop_assert_eq!(split.test.len(), users.len());
            for (user, row) in users.iter().enumerate() {
                let (items, values) = split.train.user(user);
                let held_out = &split.test[user];
                let liked = row.values().filter(|value| **value >= liked_min).count();
                prop_assert_eq!(held_out.len(), (liked as f64 * share) as usize);
                prop_assert!(held_out.is_sorted_by(|left, right| left < right));
                prop_assert!(held_out.iter().all(|item| row[item] >= liked_min));
                prop_assert!(items.iter().all(|item| !held_out.contains(item)));
                prop_assert_eq!(items.len() + held_out.len(), row.len());
                for (item, value) in items.iter().zip(values) {
                    prop_assert_eq!(*value, f32::from(row[item]));
                }
            }
        }
    }

    /// Writes both files, reads them, and returns the result or the error's text after
    /// the folder's name.
    fn read_texts(train: &str, test: &str) -> Result<Split, String> {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        read_split(&write("train.txt", train), &write("test.txt", test)).map_err(|error| {
            let prefix = format!("{}{}", folder.path().display(), std::path::MAIN_SEPARATOR);
            format!("{error:#}").replace(&prefix, "")
        })
    }

    #[test]
    fn test_users_are_aligned_with_the_training_rows() {
        let split = read_texts("0 1 2\n1 0\n2 3\n", "1 2 1\n0 1 3\n").unwrap();
        assert_eq!(split.train.user_count(), 3);
        assert_eq!(split.train.user(0), (&[1, 2][..], &[1.0, 1.0][..]));
        // Item 1 was learnt from user 0.
        assert_eq!(split.test, [vec![3], vec![1, 2], vec![]]);
    }

    #[test]
    fn bad_files_are_named() {
        for (train, test, expected) in [
            (
                "",
                "0 1\n",
                "cannot read train.txt: found no interactions, expected lines of a user and their items",
            ),
            (
                "0 1 2\n",
                "0 1\n",
                "every interaction of test.txt is in train.txt as well, expected other items",
            ),
        ] {
            assert_eq!(read_texts(train, test).unwrap_err(), expected);
        }
    }

    #[test]
    fn items_and_users_of_the_test_file_alone_count_too() {
        let split = read_texts("0 1 2\n", "0 1 5\n2 0\n").unwrap();
        assert_eq!((split.train.user_count(), split.train.item_count()), (3, 6));
        assert_eq!(split.test, [vec![5], vec![], vec![0]]);
    }

    #[test]
    fn a_share_that_holds_out_nothing_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "0 1 2 3 4\n").unwrap();
        let message =
            |share| format!("{:#}", read_and_hold_out(file.path(), share, 1).unwrap_err());
        assert_eq!(message(1.0), "found share 1, expected one between 0 and 1");
        assert!(message(0.2).starts_with("a share of 0.2 holds out nothing of "));
        assert_eq!(read_and_hold_out(file.path(), 0.25, 1).unwrap().held_out(), 1);
    }
}
