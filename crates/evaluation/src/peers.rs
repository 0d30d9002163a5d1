//! Peers: what others' libraries recommend, fitted and asked on the same split.
//!
//! `implicit` (cosine, BM25, ALS), SANSA and dense EASE run as they are, each in a Python process
//! of its own. A peer is tuned on a validation part, which is cut from the training part; then it
//! is fitted on the whole training part and asked for its lists. [`measure_ours`] does the same
//! with Foreword: on the same part, for as long, by the same figure (the geometric mean of NDCG
//! and recall). A peer begins with its library's defaults, goes on with what is likely to be good,
//! and then with settings drawn by a seed, every second near the best so far; a candidate
//! that is under way when the budget is over is cut off.
//!
//! A peer that cannot run is named with the reason, and the others go on.

mod environment;
mod exchange;
mod ours;

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use recommender::Interactions;
use recommender::watch::Cancelled;
use serde::Serialize;

use crate::child::{self, ChildError};
use crate::lists::Lists;
use crate::memory;
use crate::split::Split;
use environment::{Environment, Group};
use exchange::{Answer, Measured, Task};

pub use ours::measure_ours;

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

/// The scripts, by the names under which they know each other.
const SCRIPTS: [(&str, &str); 7] = [
    ("common.py", include_str!("../peers/common.py")),
    ("tuning.py", include_str!("../peers/tuning.py")),
    ("cosine.py", include_str!("../peers/cosine.py")),
    ("bm25.py", include_str!("../peers/bm25.py")),
    ("als.py", include_str!("../peers/als.py")),
    ("sparse_inverse.py", include_str!("../peers/sparse_inverse.py")),
    ("ease.py", include_str!("../peers/ease.py")),
];

/// How many users of the validation part a candidate is judged by: more would cost the peers
/// time for candidates, and hardly move a mean.
const TRIAL_USERS_MAX: usize = 10_000;

/// How peers are run.
#[derive(Clone, Debug, PartialEq)]
pub struct PeerOptions {
    /// Folder of the Python environment; made if it is not there, and kept.
    pub environment: PathBuf,
    /// How long each may try settings.
    pub budget: Duration,
    /// How long each may take beyond the budget: to read, fit and rank once.
    pub fit_limit: Duration,
    /// The length of the lists.
    pub k: usize,
    /// Threads of each.
    pub threads: usize,
    /// Seed of the candidates and of what a model draws.
    pub seed: u64,
}

/// What became of a peer.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It was fitted and asked.
    Measured(Lists),
    /// It could not be.
    Skipped(Skipped),
}

/// A peer that could not be measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Its name.
    pub model: &'static str,
    /// Why, and what would help.
    pub reason: String,
}

/// Tunes, fits and asks all peers, one after the other: on `validation`, which is cut from the
/// training part of `split`, and on `split`. The lists that come back fit it.
///
/// `watch` is told a stage ("implicit ALS: tuning"), how much of it is done, and how much there is.
///
/// # Errors
///
/// [`Cancelled`] soon after `cancelled` becomes true.
pub fn measure(
    split: &Split,
    validation: &Split,
    options: &PeerOptions,
    watch: &dyn Fn(&str, usize, usize),
    cancelled: &AtomicBool,
) -> Result<Vec<Outcome>, Cancelled> {
    let skipped = |model, error: anyhow::Error| {
        if cancelled.load(Ordering::Relaxed) {
            return Err(Cancelled);
        }
        Ok(Outcome::Skipped(Skipped { model, reason: format!("{error:#}") }))
    };
    watch("peers: preparing Python", 0, 1);
    let prepared = Workshop::prepare(split, validation, options, cancelled);
    let outcome = |peer: Peer| {
        let measured = match &prepared {
            Ok(workshop) => workshop.measure(peer, watch),
            Err(error) => Err(anyhow::anyhow!("{error:#}")),
        };
        measured.map(Outcome::Measured).or_else(|error| skipped(peer.name(), error))
    };
    Peer::ALL.into_iter().map(outcome).collect()
}

/// Where peers are run: a Python environment, and a folder with the scripts and the matrices.
struct Workshop<'a> {
    environment: Environment<'a>,
    folder: tempfile::TempDir,
    split: &'a Split,
    options: &'a PeerOptions,
    cancelled: &'a AtomicBool,
}

impl<'a> Workshop<'a> {
    fn prepare(
        split: &'a Split,
        validation: &Split,
        options: &'a PeerOptions,
        cancelled: &'a AtomicBool,
    ) -> Result<Self> {
        let environment = Environment::prepare(&options.environment, cancelled)?;
        environment.install(Group::Numpy)?;
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let path = |name: &str| folder.path().join(name);
        for (name, script) in SCRIPTS {
            fs::write(path(name), script).with_context(|| format!("cannot write {name}"))?;
        }
        exchange::write_matrix(&path("train.csr"), &split.train)?;
        exchange::write_matrix(&path("histories.csr"), &split.histories)?;
        exchange::write_matrix(&path("trial_train.csr"), &validation.train)?;
        let (histories, held_out) = sample(validation);
        exchange::write_matrix(&path("trial_histories.csr"), &histories)?;
        exchange::write_matrix(&path("trial_held_out.csr"), &held_out)?;
        Ok(Self { environment, folder, split, options, cancelled })
    }

    fn measure(&self, peer: Peer, watch: &dyn Fn(&str, usize, usize)) -> Result<Lists> {
        let available = memory::available_bytes();
        if peer == Peer::Ease {
            check_dense(self.split.train.item_count(), available)?;
        }
        watch(&format!("{}: installing", peer.name()), 0, 1);
        self.environment.install(peer.group())?;
        let folder = self.folder.path();
        let options = self.options;
        let task = Task {
            k: options.k,
            budget_seconds: options.budget.as_secs_f64(),
            threads: options.threads,
            seed: options.seed,
            available_bytes: available.unwrap_or(0),
        };
        exchange::write_task(&folder.join("task.json"), &task)?;
        self.run(peer, watch)?;
        let report = folder.join("report.json");
        let answer = match exchange::read_answer(&report)? {
            Answer::Measured(answer) => answer,
            Answer::Skipped { skipped } => bail!(skipped),
        };
        let users = self.split.histories.user_count();
        let lists = exchange::read_lists(&folder.join("lists.bin"), users, options.k)?;
        // No peer may answer with the lists of the one before.
        for name in ["report.json", "lists.bin"] {
            fs::remove_file(folder.join(name)).with_context(|| format!("cannot remove {name}"))?;
        }
        let lists = Lists {
            model: peer.name().to_owned(),
            settings: describe(&answer),
            lists,
            fit_seconds: answer.fit_seconds,
            rank_seconds: answer.rank_seconds,
            peak_bytes: Some(answer.peak_bytes),
        };
        lists.check(self.split)?;
        Ok(lists)
    }

    fn run(&self, peer: Peer, watch: &dyn Fn(&str, usize, usize)) -> Result<(), ChildError> {
        let folder = self.folder.path();
        let mut command = self.environment.python();
        let threads = self.options.threads.to_string();
        for name in
            ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"]
        {
            command.env(name, &threads);
        }
        command.arg(folder.join(peer.script())).arg(folder).current_dir(folder);
        let limit = self.options.budget + self.options.fit_limit;
        child::run(&mut command, limit, self.cancelled, |line| {
            if let Some((stage, done, total)) = child::progress(line) {
                watch(stage, done, total);
            }
        })
    }
}

/// Users of the validation part, at most [`TRIAL_USERS_MAX`], evenly spread: what they are known
/// by, and what is to be found of theirs.
fn sample(validation: &Split) -> (Interactions, Interactions) {
    let items = validation.train.item_count();
    let (mut histories, mut held_out) = (Interactions::new(items), Interactions::new(items));
    let step = validation.held_out.len().div_ceil(TRIAL_USERS_MAX).max(1);
    for user in (0..validation.held_out.len()).step_by(step) {
        let (items, values) = validation.histories.user(user);
        histories.push_user(items.iter().copied().zip(values.iter().copied()));
        held_out.push_user(validation.held_out[user].iter().map(|item| (*item, 1.0)));
    }
    (histories, held_out)
}

/// The settings and how they were found, for people to read.
fn describe(answer: &Measured) -> String {
    let settings: Vec<String> =
        answer.settings.iter().map(|(name, value)| format!("{name} {}", plain(value))).collect();
    let Measured { tried, failures, is_cut_off, tune_seconds, .. } = answer;
    let mut found = match answer.validation_ndcg {
        Some(ndcg) => format!("validation NDCG {ndcg:.4}, best of {tried} tried"),
        None => "the library's defaults: no settings could be tried".to_owned(),
    };
    found.push_str(&format!(" in {tune_seconds:.0} s"));
    if *is_cut_off {
        found.push_str(", one more cut off by the budget");
    }
    if let Some(failure) = failures.last() {
        found.push_str(&format!(", {} failed, the last: {failure}", failures.len()));
    }
    format!("{} ({found})", settings.join(", "))
}

fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What dense EASE takes beside its matrix: blocks of it and of scores, and Python.
const BESIDE_DENSE_BYTES: u64 = 1_000_000_000;

/// Whether a dense matrix of items × items in single precision, which is inverted in place, fits
/// into the memory that is there.
fn check_dense(items: usize, available: Option<u64>) -> Result<()> {
    let needed = 4 * (items as u64).pow(2) + BESIDE_DENSE_BYTES;
    let available = available.context("cannot tell how much memory is available")?;
    anyhow::ensure!(
        needed <= available,
        "a dense matrix of {items} items needs {:.1} GB of memory, found {:.1} GB available",
        needed as f64 / 1e9,
        available as f64 / 1e9,
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dense_matrix_must_fit() {
        assert!(check_dense(1000, Some(1_004_000_000)).is_ok());
        let error = check_dense(40_981, Some(7_000_000_000)).unwrap_err().to_string();
        assert_eq!(
            error,
            "a dense matrix of 40981 items needs 7.7 GB of memory, found 7.0 GB available"
        );
        assert!(check_dense(1, None).is_err());
    }

    #[test]
    fn settings_are_told_with_how_they_were_found() {
        let answer = |ndcg, failures: &[&str]| Measured {
            settings: serde_json::from_str(r#"{"way":"ICF","l2":5.0}"#).unwrap(),
            tried: 4,
            failures: failures.iter().map(|failure| (*failure).to_owned()).collect(),
            is_cut_off: failures.is_empty(),
            validation_ndcg: ndcg,
            tune_seconds: 60.2,
            fit_seconds: 1.0,
            rank_seconds: 1.0,
            peak_bytes: 1,
        };
        assert_eq!(
            describe(&answer(Some(0.12344), &[])),
            "l2 5.0, way ICF (validation NDCG 0.1234, best of 4 tried in 60 s, one more cut off \
             by the budget)"
        );
        assert_eq!(
            describe(&answer(None, &["first", "odd matrix"])),
            "l2 5.0, way ICF (the library's defaults: no settings could be tried in 60 s, 2 \
             failed, the last: odd matrix)"
        );
    }
}
