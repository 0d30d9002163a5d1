//! The report: what was measured, on what, how, and how sure it is.

use serde::Serialize;

use crate::machine::Machine;
use crate::metrics::bootstrap::Interval;
use crate::metrics::exposure::Exposure;
use crate::metrics::segments::{ItemSegment, UserSegment};
use crate::peers::Skipped;
use crate::split::LeftOut;

/// Fewer tested users than these show large differences only.
const FEW_USERS: usize = 2000;

/// Models side by side, measured on one split.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Users of the training part, with and without items.
    pub users: usize,
    /// Items of the catalogue, with and without interactions.
    pub items: usize,
    /// Interactions that were learnt from.
    pub interactions: usize,
    /// Interactions that were held out.
    pub held_out: usize,
    /// Users with at least one held-out item; metrics are means over them.
    pub users_tested: usize,
    /// Items that nobody of the training part has.
    pub items_unseen: usize,
    /// Held-out interactions with such items: who learns from interactions alone cannot find
    /// them.
    pub held_out_of_items_unseen: usize,
    /// Popularity of what the tested users have: the mean over them of the mean number of
    /// training users of their items. What lists are compared with for popularity bias.
    pub histories_popularity: f64,
    /// How it was split, in a sentence.
    pub protocol: String,
    /// What the split could not use.
    pub left_out: LeftOut,
    /// The length of the lists.
    pub k: usize,
    /// Seed of the bootstrap.
    pub seed: u64,
    /// How many times users were drawn anew for the intervals.
    pub resamples: usize,
    /// Threads of the rayon pool.
    pub threads: usize,
    /// Where it was measured.
    pub machine: Machine,
    /// One model each, the engine's first.
    pub rows: Vec<Row>,
    /// The first model beside each of the others.
    pub differences: Vec<Difference>,
    /// Peers that were asked for and could not be measured.
    pub skipped: Vec<Skipped>,
}

impl Report {
    /// What a reader of the figures has to know about what was and was not measured, a
    /// sentence each.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let LeftOut { undated, users_unseen, of_users_unseen, repeats } = self.left_out;
        let mut remarks = Vec::new();
        for Skipped { model, reason } in &self.skipped {
            remarks.push(format!("{model} was not measured: {reason}"));
        }
        if self.held_out_of_items_unseen > 0 {
            let share = 100.0 * self.held_out_of_items_unseen as f64 / self.held_out.max(1) as f64;
            remarks.push(format!(
                "{} of the held-out interactions ({share:.1} %) are with items that nobody was \
                 learnt from; they stay in, and who learns from interactions alone cannot find them",
                self.held_out_of_items_unseen
            ));
        }
        if users_unseen > 0 {
            remarks.push(format!(
                "{users_unseen} users have a future but no history, with {of_users_unseen} \
                 interactions; they are not tested"
            ));
        }
        if repeats > 0 {
            remarks.push(format!(
                "{repeats} held-out interactions are with items that the user had before; they \
                 are not to be found, because what a user has is never ranked"
            ));
        }
        if undated > 0 {
            remarks.push(format!("{undated} interactions have no time; they are left out"));
        }
        if self.users_tested < FEW_USERS {
            remarks.push(format!(
                "only {} users were tested: small differences mean nothing, and another data set \
                 may say the opposite",
                self.users_tested
            ));
        }
        remarks
    }
}

/// One model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Its name.
    pub model: String,
    /// Its settings, for people to read.
    pub settings: String,
    /// Recall@k, 0 to 1: the mean over the users tested.
    pub recall: f64,
    /// 95 % of the means over resampled users.
    pub recall_interval: Interval,
    /// NDCG@k, 0 to 1: the mean over the users tested.
    pub ndcg: f64,
    /// 95 % of the means over resampled users.
    pub ndcg_interval: Interval,
    /// Mean reciprocal rank, 0 to 1, of the first hit within k.
    pub mrr: f64,
    /// The share of users with at least one hit.
    pub hit_rate: f64,
    /// What all lists together show.
    #[serde(flatten)]
    pub exposure: Exposure,
    /// Quality by the length of the users' histories.
    pub by_history: Vec<UserSegment>,
    /// Recall by the popularity of the items.
    pub by_popularity: Vec<ItemSegment>,
    /// Wall-clock seconds from interactions in memory to a model that can rank.
    pub fit_seconds: f64,
    /// Wall-clock seconds to rank for all users tested, on all threads.
    pub rank_seconds: f64,
    /// The most memory that was resident at once from the fit to the last list: of the
    /// whole process, so with its code, the interactions and the split. `None` where the
    /// system does not tell (it is Linux that does).
    pub peak_bytes: Option<u64>,
}

/// How much better one model is than another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The model.
    pub model: String,
    /// The other.
    pub against: String,
    /// Of recall; `None` if the other finds nothing in the whole or in a resample.
    pub recall: Option<Change>,
    /// Of NDCG; `None` if the other finds nothing in the whole or in a resample.
    pub ndcg: Option<Change>,
}

/// A difference as a part of what it differs from: 0.06 is 6 % more.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Of the means over the users tested.
    pub relative: f64,
    /// 95 % of the differences over resampled users.
    pub interval: Interval,
}

/// A small report for tests of what is made of reports.
#[cfg(test)]
pub(crate) mod sample {
    use recommender::Interactions;

    use super::Report;
    use crate::lists::Lists;
    use crate::split::Split;

    /// Models `a<b` and `c`; the first finds both items of four users, the second one.
    pub(crate) fn report() -> Report {
        let mut train = Interactions::new(6);
        (0..4).for_each(|_| train.push_user([(0, 1.0)]));
        let split = Split::of_train(train, vec![vec![1, 2]; 4], "by hand & by heart".to_owned());
        let lists = |model: &str, list: &[u32]| Lists {
            model: model.to_owned(),
            settings: "one > none".to_owned(),
            lists: vec![list.to_vec(); 4],
            fit_seconds: 1.5,
            rank_seconds: 0.5,
            peak_bytes: Some(1_000_000),
        };
        let measured = [lists("a<b", &[1, 2]), lists("c", &[3, 2])];
        crate::judge(&split, &measured, 20, 7).unwrap()
    }
}
