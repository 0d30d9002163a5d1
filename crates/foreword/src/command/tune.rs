//! `foreword tune`.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use evaluation::tune::{Trial, TuneOptions, Tuned};
use evaluation::{LIKED_MIN, Split};
use serde::Serialize;
use server::data_folder::DataFolder;
use server::progress::{Progress, Stages};
use server::settings::{Settings, Train};
use server::train::{Span, Trained};

use crate::arguments::Tune;
use crate::exit;
use crate::figures;
use crate::output;
use crate::progress;
use crate::signal::Stop;
use crate::table;

/// How long the judged lists are, as in published tables.
const LIST: usize = 20;

/// What scripts get.
#[derive(Serialize)]
struct Report<'a> {
    users_judged: usize,
    is_finished: bool,
    start: &'a Trial,
    best: &'a Trial,
    settings: String,
    trials: &'a [Trial],
    trained: Option<Trained>,
}

pub(super) async fn run(
    data: &DataFolder,
    settings: &Settings,
    arguments: &Tune,
) -> Result<ExitCode> {
    let share = arguments.holdout;
    ensure!(share > 0.0 && share < 1.0, "--holdout is {share}, expected a share between 0 and 1");
    let stop = Stop::listen()?;
    let progress = progress::shown();
    let split = match &arguments.train {
        Some(train) => Some(evaluation::read_and_hold_out(train, share, arguments.seed)?),
        None => hold_out(data, settings, arguments, &*progress, &stop).await?,
    };
    let tuned = match split {
        Some(split) => choose(split, settings, arguments, &progress, &stop).await?,
        None => None,
    };
    let Some(tuned) = tuned else {
        output::remark("stopped; nothing was chosen and no model was written");
        return Ok(ExitCode::from(exit::INTERRUPTED));
    };
    let chosen = Train::to_toml(&tuned.chosen(&settings.train.engine()));
    if let Some(path) = &arguments.write {
        write(path, &chosen)?;
    }
    let trained = if arguments.dry_run || arguments.train.is_some() {
        None
    } else {
        let settings = settings.with_tuned(&chosen)?;
        let trained = super::train::train_until(data, &settings, &progress, &stop).await?;
        if trained.is_none() {
            output::remark("stopped; no model was written and the model before stays active");
            return Ok(ExitCode::from(exit::INTERRUPTED));
        }
        trained
    };
    if arguments.output.json {
        super::print_json(&Report {
            users_judged: tuned.users,
            is_finished: tuned.is_finished,
            start: tuned.start(),
            best: tuned.best(),
            settings: chosen,
            trials: &tuned.trials,
            trained,
        })?;
    } else {
        output::say(text(&tuned, &chosen).trim_end());
        if let Some(trained) = &trained {
            output::say(super::train::summary(trained));
        }
    }
    Ok(exit::SUCCESS)
}

/// A validation part of the store's events; `None` if it was told to stop.
async fn hold_out(
    data: &DataFolder,
    settings: &Settings,
    arguments: &Tune,
    progress: &dyn Progress,
    stop: &Stop,
) -> Result<Option<Split>> {
    let lessons = super::lessons::read(Span::All, data, settings, progress, stop).await?;
    let Some(lessons) = lessons else { return Ok(None) };
    let (share, seed) = (arguments.holdout, arguments.seed);
    let split = evaluation::hold_out(&lessons.interactions, share, LIKED_MIN, seed);
    ensure!(
        split.held_out_count() > 0,
        "no reader has enough liked books to hold out {share} of them; import more events, or raise --holdout",
    );
    if lessons.simulated_interactions > 0 {
        output::remark("note: these readers are simulated; what suits them may not suit real ones");
    }
    Ok(Some(split))
}

/// Tunes on the threads that training would use; `None` if it was told to stop.
async fn choose(
    split: Split,
    settings: &Settings,
    arguments: &Tune,
    progress: &Arc<dyn Progress>,
    stop: &Stop,
) -> Result<Option<Tuned>> {
    let options = TuneOptions {
        start: settings.train.engine(),
        budget: Duration::from_secs(arguments.budget),
        k: LIST,
        users_max: arguments.users,
    };
    let (threads, cancelled) = (settings.train.threads, Arc::clone(&stop.flag));
    let progress = Arc::clone(progress);
    let work = move || -> Result<Option<Tuned>> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        let stages = Stages::new(&*progress);
        let watch = |stage: &str, done: usize, total: usize| stages.at(stage, done, total);
        Ok(pool.install(|| evaluation::tune::tune(&split, &options, &watch, &cancelled)).ok())
    };
    tokio::task::spawn_blocking(work).await.context("tuning failed")?
}

fn write(path: &Path, chosen: &str) -> Result<()> {
    let text = format!("# Chosen by foreword tune on a part held out.\n{chosen}");
    std::fs::write(path, text)
        .with_context(|| format!("cannot write the settings to {}", path.display()))
}

/// What was tried, for eyes: each trial that was the best so far, and the settings.
fn text(tuned: &Tuned, chosen: &str) -> String {
    let headings = ["trial", "NDCG@20", "Recall@20", "a", "λ", "b", "p", "k", "f", "α", "time"];
    let mut rows = table::of_figures(&headings);
    let mut best = f64::MIN;
    for (place, trial) in tuned.trials.iter().enumerate() {
        if trial.quality() <= best {
            continue;
        }
        best = trial.quality();
        let (ridge, low_pass) = (&trial.settings.ridge, &trial.settings.low_pass);
        rows.add_row([
            (place + 1).to_string(),
            format!("{:.4}", trial.ndcg),
            format!("{:.4}", trial.recall),
            format!("{:.2}", ridge.gram.user_exponent),
            format!("{:.3}", ridge.regularisation),
            format!("{:.2}", ridge.item_exponent),
            format!("{:.2}", ridge.distance_exponent),
            ridge.neighbours.to_string(),
            low_pass.factors.to_string(),
            format!("{:.3}", low_pass.weight),
            figures::seconds(Duration::from_secs_f64(trial.seconds)),
        ]);
    }
    let gain =
        (tuned.best().quality() / tuned.start().quality().max(f64::MIN_POSITIVE) - 1.0) * 100.0;
    let end = if tuned.is_finished { "nothing nearby is better" } else { "the budget was used up" };
    format!(
        "{rows}\n{} trials, judged by {} users held out from; {end}; {gain:+.1} % (geometric mean of NDCG and recall) over the settings it began with\n\n{chosen}",
        tuned.trials.len(),
        figures::count(tuned.users as u64),
    )
}
