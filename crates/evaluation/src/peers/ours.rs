//! Foreword itself, tuned as the peers are: on the same validation part, judged by the same users
//! and by the same figure, for as long.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use recommender::watch::Cancelled;

use super::{PeerOptions, TRIAL_USERS_MAX};
use crate::lists::Lists;
use crate::run::{Options, measure_as};
use crate::split::Split;
use crate::tune::{Trial, TuneOptions, Tuned, tune};

/// What the report calls it.
const NAME: &str = "Foreword, tuned";

/// Tunes Foreword within the peers' budget and measures it on the whole training part.
///
/// # Errors
///
/// [`Cancelled`] soon after `cancelled` becomes true.
pub(super) fn measure(
    split: &Split,
    validation: &Split,
    options: &Options,
    peers: &PeerOptions,
    watch: &(dyn Fn(&str, usize, usize) + Sync),
    cancelled: &AtomicBool,
) -> Result<Lists, Cancelled> {
    let tune_options = TuneOptions {
        start: peers.start,
        budget: peers.budget,
        k: options.k,
        users_max: TRIAL_USERS_MAX,
    };
    let tell = |step: &str, done, total| watch(&format!("{NAME}: {step}"), done, total);
    let tuned = tune(validation, &tune_options, &tell, cancelled)?;
    let best = tuned.best_within(peers.budget);
    let options = Options { model: best.settings, ..options.clone() };
    let lists = measure_as(NAME, split, &options, watch, cancelled)?;
    let found = describe(&tuned, best, peers.budget);
    let settings = format!("{} ({found})", lists.settings);
    // An allocator keeps what tuning left, which is no part of a fit.
    Ok(Lists { settings, peak_bytes: None, ..lists })
}

/// How the settings were found, for people to read, as of a peer.
fn describe(tuned: &Tuned, best: &Trial, budget: Duration) -> String {
    let ended = tuned.ended_within(budget);
    let seconds: f64 = ended.iter().map(|trial| trial.seconds).sum();
    let tried = ended.len();
    let late = if tried < tuned.trials.len() { ", one more ended after the budget" } else { "" };
    format!("validation NDCG {:.4}, best of {tried} tried in {seconds:.0} s{late}", best.ndcg)
}
