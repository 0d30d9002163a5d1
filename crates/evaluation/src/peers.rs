//! Peers: what others' libraries recommend, fitted and asked on the same split.
//!
//! `implicit` (cosine, BM25, ALS), SANSA and dense EASE run as they are, each in a Python process
//! of its own. A peer is tuned on a validation part, which is cut from the training part; then it
//! is fitted on the whole training part and asked for its lists. A peer begins with its library's
//! defaults, goes on with what is likely to be good, and then with settings drawn by a seed, every
//! second near the best so far; a candidate that is under way when the budget is over is cut off.
//!
//! Invariant: Foreword is tuned once more, as the peers are: on the same validation part, judged
//! by the same users and the same figure (the geometric mean of NDCG and recall), for as long, on
//! as many threads, and from settings that nobody tuned on what is held out. It is this row that
//! is compared with all others.
//!
//! A peer that cannot run is named with the reason, and the others go on.

mod environment;
mod exchange;
mod ours;
mod workshop;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::anyhow;
use recommender::learn::LearnSettings;
use recommender::watch::Cancelled;
use serde::Serialize;

use crate::judge::judge;
use crate::lists::Lists;
use crate::report::Report;
use crate::run::{self, Options};
use crate::split::{LIKED_MIN, Split, hold_out};
use environment::Group;
use workshop::Workshop;

/// A model of somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Peer {
    /// Item neighbours by cosine, of `implicit`.
    Cosine,
    /// Item neighbours by BM25, of `implicit`.
    Bm25,
    /// Alternating least squares, of `implicit`.
    Als,
    /// SANSA, of its authors' `sansa`.
    Sansa,
    /// EASE with a dense matrix, in numpy.
    Ease,
}

impl Peer {
    /// All of them, the quickest first.
    pub const ALL: [Self; 5] = [Self::Cosine, Self::Bm25, Self::Als, Self::Sansa, Self::Ease];

    /// What the report calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cosine => "implicit cosine",
            Self::Bm25 => "implicit BM25",
            Self::Als => "implicit ALS",
            Self::Sansa => "SANSA",
            Self::Ease => "dense EASE",
        }
    }

    fn script(self) -> &'static str {
        match self {
            Self::Cosine => "cosine.py",
            Self::Bm25 => "bm25.py",
            Self::Als => "als.py",
            Self::Sansa => "sparse_inverse.py",
            Self::Ease => "ease.py",
        }
    }

    fn group(self) -> Group {
        match self {
            Self::Cosine | Self::Bm25 | Self::Als => Group::Implicit,
            Self::Sansa => Group::Sansa,
            Self::Ease => Group::Numpy,
        }
    }
}

/// The part of the training part that settings are tried on.
const VALIDATION_SHARE: f64 = 0.2;

/// How many users of the validation part settings are judged by: more would cost the peers
/// time for candidates, and hardly move a mean.
const TRIAL_USERS_MAX: usize = 10_000;

/// How long a peer may take beyond its budget, to read, fit and rank once: dense EASE grows with
/// items³.
const FIT_LIMIT: Duration = Duration::from_secs(3600);

/// How peers are run.
#[derive(Clone, Debug, PartialEq)]
pub struct PeerOptions {
    /// Folder of the Python environment; made if it is not there, and kept.
    pub environment: PathBuf,
    /// How long each may try settings.
    pub budget: Duration,
    /// What Foreword's own search begins with: settings that were not tuned on what is held out.
    pub start: LearnSettings,
}

/// A peer that could not be measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Its name.
    pub model: &'static str,
    /// Why, and what would help.
    pub reason: String,
}

/// Measures the models of this crate as [`evaluate`](crate::evaluate) does, Foreword tuned as the
/// peers are, and the peers, one after the other, on the current rayon pool, and judges them.
/// Foreword as it was tuned comes first, and is compared with all others.
///
/// `watch` is told a stage ("implicit ALS: tuning"), how much of it is done, and how much there is.
///
/// # Errors
///
/// [`Cancelled`] soon after `cancelled` becomes true.
///
/// # Panics
///
/// If `k` is 0.
pub fn evaluate(
    split: &Split,
    options: &Options,
    peers: &PeerOptions,
    watch: &(dyn Fn(&str, usize, usize) + Sync),
    cancelled: &AtomicBool,
) -> Result<Report, Cancelled> {
    let as_set = run::measure(split, options, watch, cancelled)?;
    let Beside { ours, measured, skipped } = measure(split, options, peers, watch, cancelled)?;
    let lists: Vec<Lists> = std::iter::once(ours).chain(as_set).chain(measured).collect();
    let report = judge(split, &lists, options.k, options.seed)
        .expect("rankers list different, new items, and the lists of peers were checked");
    Ok(Report { skipped, ..report })
}

/// What was tuned on one validation part.
struct Beside {
    ours: Lists,
    /// The lists of the peers that could be measured; they fit the split.
    measured: Vec<Lists>,
    /// The peers that could not.
    skipped: Vec<Skipped>,
}

/// Tunes, fits and asks Foreword and all peers.
fn measure(
    split: &Split,
    options: &Options,
    peers: &PeerOptions,
    watch: &(dyn Fn(&str, usize, usize) + Sync),
    cancelled: &AtomicBool,
) -> Result<Beside, Cancelled> {
    let validation = hold_out(&split.train, VALIDATION_SHARE, LIKED_MIN, options.seed);
    let ours = ours::measure(split, &validation, options, peers, watch, cancelled)?;
    watch("peers: preparing Python", 0, 1);
    let prepared = Workshop::prepare(split, &validation, options, peers, cancelled);
    let (mut measured, mut skipped) = (Vec::new(), Vec::new());
    for peer in Peer::ALL {
        let outcome = match &prepared {
            Ok(workshop) => workshop.measure(peer, watch),
            Err(error) => Err(anyhow!("{error:#}")),
        };
        match outcome {
            Ok(lists) => measured.push(lists),
            Err(_) if cancelled.load(Ordering::Relaxed) => return Err(Cancelled),
            Err(error) => {
                let reason = format!("{error:#}");
                skipped.push(Skipped { model: peer.name(), reason });
            }
        }
    }
    Ok(Beside { ours, measured, skipped })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{small, tastes};

    #[test]
    fn ours_begins_untuned_and_is_compared_with_all_others_whatever_becomes_of_peers() {
        let (split, cancelled) = (tastes(), AtomicBool::new(false));
        // There is no Python where no folder can be.
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut tuned = small();
        tuned.ridge.regularisation = 77.0;
        let options = Options { k: 5, ..Options::new(tuned) };
        let environment = file.path().join("python");
        let peers = PeerOptions { environment, budget: Duration::ZERO, start: small() };
        let report = evaluate(&split, &options, &peers, &|_, _, _| {}, &cancelled).unwrap();
        let models: Vec<&str> = report.rows.iter().map(|row| row.model.as_str()).collect();
        assert_eq!(models, ["Foreword, tuned", "Foreword", "popularity", "cosine ItemKNN"]);
        for (row, regularisation) in report.rows.iter().zip(["4.0", "77.0"]) {
            let expected = format!(", regularisation {regularisation},");
            assert!(row.settings.contains(&expected), "{}", row.settings);
        }
        assert!(report.differences.iter().all(|beside| beside.model == "Foreword, tuned"));
        let skipped: Vec<&str> = report.skipped.iter().map(|skipped| skipped.model).collect();
        assert_eq!(skipped, Peer::ALL.map(Peer::name));
    }
}
