//! Where peers work: each gets a folder of files and a Python process, and answers with files.

use std::fs;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use recommender::Interactions;

use super::environment::{Environment, Group};
use super::exchange::{self, Answer, Measured, Task};
use super::{FIT_LIMIT, Peer, PeerOptions, TRIAL_USERS_MAX};
use crate::child::{self, ChildError};
use crate::lists::Lists;
use crate::memory;
use crate::run::Options;
use crate::split::Split;

/// The scripts, by the names under which they know each other.
const SCRIPTS: [(&str, &str); 7] = [
    ("peer.py", include_str!("../../peers/peer.py")),
    ("tuning.py", include_str!("../../peers/tuning.py")),
    ("cosine.py", include_str!("../../peers/cosine.py")),
    ("bm25.py", include_str!("../../peers/bm25.py")),
    ("als.py", include_str!("../../peers/als.py")),
    ("sparse_inverse.py", include_str!("../../peers/sparse_inverse.py")),
    ("ease.py", include_str!("../../peers/ease.py")),
];

/// Where peers are run: a Python environment, and a folder with the scripts and the matrices.
pub(super) struct Workshop<'a> {
    environment: Environment<'a>,
    folder: tempfile::TempDir,
    split: &'a Split,
    options: &'a Options,
    budget: Duration,
    cancelled: &'a AtomicBool,
}

impl<'a> Workshop<'a> {
    /// Makes the environment and the folder.
    ///
    /// # Errors
    ///
    /// If there is no usable Python, a file cannot be written, or `cancelled` became true.
    pub(super) fn prepare(
        split: &'a Split,
        validation: &Split,
        options: &'a Options,
        peers: &PeerOptions,
        cancelled: &'a AtomicBool,
    ) -> Result<Self> {
        let environment = Environment::prepare(&peers.environment, cancelled)?;
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
        Ok(Self { environment, folder, split, options, budget: peers.budget, cancelled })
    }

    /// Tunes, fits and asks a peer. The lists that come back fit the split.
    ///
    /// # Errors
    ///
    /// Why it cannot be measured; also if `cancelled` became true.
    pub(super) fn measure(&self, peer: Peer, watch: &dyn Fn(&str, usize, usize)) -> Result<Lists> {
        let available = memory::available_bytes();
        if peer == Peer::Ease {
            check_dense(self.split.train.item_count(), available)?;
        }
        watch(&format!("{}: installing", peer.name()), 0, 1);
        self.environment.install(peer.group())?;
        let folder = self.folder.path();
        let options = self.options;
        let task = Task {
            name: peer.name(),
            k: options.k,
            budget_seconds: self.budget.as_secs_f64(),
            threads: rayon::current_num_threads(),
            seed: options.seed,
            available_bytes: available,
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
        let threads = rayon::current_num_threads().to_string();
        for name in
            ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"]
        {
            command.env(name, &threads);
        }
        command.arg(folder.join(peer.script())).arg(folder).current_dir(folder);
        let limit = self.budget + FIT_LIMIT;
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
    let Measured { tried, failed, is_given_up, is_cut_off, tune_seconds, .. } = answer;
    let mut found = match answer.validation_ndcg {
        Some(ndcg) => format!("validation NDCG {ndcg:.4}, best of {tried} tried"),
        None => "the library's defaults: no settings could be tried".to_owned(),
    };
    found.push_str(&format!(" in {tune_seconds:.0} s"));
    if *is_cut_off {
        found.push_str(", one more cut off by the budget");
    }
    if let Some(failure) = &answer.last_failure {
        found.push_str(&format!(", {failed} failed, the last: {failure}"));
    }
    if *is_given_up {
        found.push_str(", given up before the budget was over");
    }
    for note in &answer.notes {
        found.push_str(&format!("; {note}"));
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
        let answer = |ndcg, failures: &[&str], notes: &[&str]| Measured {
            settings: serde_json::from_str(r#"{"way":"ICF","l2":5.0}"#).unwrap(),
            tried: 4,
            failed: failures.len(),
            last_failure: failures.last().map(|failure| (*failure).to_owned()),
            is_given_up: failures.len() > 1,
            is_cut_off: failures.is_empty(),
            notes: notes.iter().map(|note| (*note).to_owned()).collect(),
            validation_ndcg: ndcg,
            tune_seconds: 60.2,
            fit_seconds: 1.0,
            rank_seconds: 1.0,
            peak_bytes: 1,
        };
        assert_eq!(
            describe(&answer(Some(0.12344), &[], &["ICF was left out"])),
            "l2 5.0, way ICF (validation NDCG 0.1234, best of 4 tried in 60 s, one more cut off \
             by the budget; ICF was left out)"
        );
        assert_eq!(
            describe(&answer(None, &["first", "odd matrix"], &[])),
            "l2 5.0, way ICF (the library's defaults: no settings could be tried in 60 s, 2 \
             failed, the last: odd matrix, given up before the budget was over)"
        );
    }
}
