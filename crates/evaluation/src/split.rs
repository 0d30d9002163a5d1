//! The split: what is learnt from, and what is to be found again.
//!
//! | way | what is learnt from | what is held out |
//! | --- | --- | --- |
//! | [`read_split`] | a file | another file, as in published tables |
//! | [`hold_out`] | most of each user's items | a random part of them |
//! | [`by_time`] | everything before one moment | everything from it on |
//! | [`leave_users_out`] | some users | a part of the other users' items; the rest is folded in |

mod files;
mod holdout;
mod time;
mod unseen_users;

use recommender::Interactions;
use serde::Serialize;

use crate::lightgcn::Histories;

pub use recommender::quality::LIKED_MIN;

pub use files::{read_and_hold_out, read_interactions, read_split};
pub use holdout::hold_out;
pub use time::{Period, Times, by_time, moment};
pub use unseen_users::leave_users_out;

/// What is learnt from, and what is to be found by each tested user.
///
/// Invariants: `histories` and `held_out` have a row for each tested user, in the same order;
/// no row of `held_out` is empty, each is sorted, and none of its items is in the history.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// Learnt from.
    pub train: Interactions,
    /// What each tested user is known by when their list is made: folded in, not ranked.
    pub histories: Interactions,
    /// The items that each tested user's list is to hold.
    pub held_out: Histories,
    /// How it was split, in a sentence for people.
    pub protocol: String,
    /// What could not be used.
    pub left_out: LeftOut,
    /// When everything happened, if it was split by time.
    pub times: Option<Times>,
}

/// What a split could not use, counted so that nobody has to guess.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Interactions without a time, of a split by time.
    pub undated: usize,
    /// Users with something to find but without a history: no model knows anything of them.
    pub users_unseen: usize,
    /// Interactions to be found of such users.
    pub of_users_unseen: usize,
    /// Interactions to be found with an item that the user had before: never ranked.
    pub repeats: usize,
}

impl Split {
    /// A split whose tested users are known by what was learnt from them. `held_out` has the
    /// sorted items of each user of `train`; users without any are not tested.
    ///
    /// # Panics
    ///
    /// If there are more rows held out than users.
    #[must_use]
    pub fn of_train(train: Interactions, held_out: Histories, protocol: String) -> Self {
        let mut histories = Interactions::new(train.item_count());
        for (user, _) in held_out.iter().enumerate().filter(|(_, items)| !items.is_empty()) {
            histories.push_user(entries(&train, user));
        }
        let held_out = held_out.into_iter().filter(|items| !items.is_empty()).collect();
        let left_out = LeftOut::default();
        Self { train, histories, held_out, protocol, left_out, times: None }
    }

    /// The number of held-out interactions. Without any, there is nothing to measure.
    #[must_use]
    pub fn held_out_count(&self) -> usize {
        self.held_out.iter().map(Vec::len).sum()
    }
}

/// The items and values of one user, in pairs.
pub(crate) fn entries(
    interactions: &Interactions,
    user: usize,
) -> impl Iterator<Item = (u32, f32)> + Clone {
    let (items, values) = interactions.user(user);
    items.iter().copied().zip(values.iter().copied())
}
