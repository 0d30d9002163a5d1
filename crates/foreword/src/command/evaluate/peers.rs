//! Others' models, measured beside ours.

use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use evaluation::peers::{self, Outcome, PeerOptions, Skipped};
use evaluation::{Cancelled, LIKED_MIN, Lists, Options, Split};
use server::settings::Settings;

use crate::arguments::Evaluate;

/// The part of the training part that settings are tried on.
const VALIDATION_SHARE: f64 = 0.2;

/// How long a peer may take once its settings are chosen: dense EASE grows with items³.
const FIT_LIMIT: Duration = Duration::from_secs(3600);

/// How peers are measured, if they are.
pub(super) fn options(settings: &Settings, arguments: &Evaluate) -> Option<PeerOptions> {
    arguments.peers.then(|| PeerOptions {
        environment: arguments.peer_environment.clone(),
        budget: Duration::from_secs(arguments.peer_budget),
        fit_limit: FIT_LIMIT,
        k: arguments.k.get(),
        threads: match settings.train.threads {
            // As rayon has it.
            0 => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
            threads => threads,
        },
        seed: arguments.seed,
    })
}

/// What became of the peers.
pub(super) struct Beside {
    /// Foreword, tuned as the peers are.
    pub(super) ours: Lists,
    /// The lists of the peers that could be measured.
    pub(super) measured: Vec<Lists>,
    /// Which could not.
    pub(super) skipped: Vec<Skipped>,
}

/// Tunes and measures Foreword and all peers, on the current rayon pool.
pub(super) fn measure(
    split: &Split,
    ours: &Options,
    options: &PeerOptions,
    watch: &(dyn Fn(&str, usize, usize) + Sync),
    cancelled: &AtomicBool,
) -> Result<Beside, Cancelled> {
    let validation = evaluation::hold_out(&split.train, VALIDATION_SHARE, LIKED_MIN, options.seed);
    let ours = peers::measure_ours(split, &validation, ours, options, watch, cancelled)?;
    let (mut measured, mut skipped) = (Vec::new(), Vec::new());
    for outcome in peers::measure(split, &validation, options, watch, cancelled)? {
        match outcome {
            Outcome::Measured(lists) => measured.push(lists),
            Outcome::Skipped(peer) => skipped.push(peer),
        }
    }
    Ok(Beside { ours, measured, skipped })
}
