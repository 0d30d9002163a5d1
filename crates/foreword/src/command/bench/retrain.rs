//! `foreword bench retrain`: a service on a made-up shop, asked with and without trainings, and how
//! soon a new book is known.

mod beside;
mod freshness;
mod text;
mod writer;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use evaluation::load::paired::Paired;
use evaluation::synthetic::Synthetic;
use serde::Serialize;
use server::data_folder::DataFolder;
use server::made_up::MadeUpShop;
use server::progress::{Progress, Silent, Stages};
use server::settings::Settings;
use server::train::train;

use crate::arguments::{Arguments, Retrain};
use crate::command::now_ms;
use crate::exit;
use crate::output;
use crate::progress;
use crate::signal::Stop;

use beside::Beside;
use freshness::Freshness;
use writer::Writer;

/// How long a service may take to learn the last events, and a new book to be known.
const PATIENCE: Duration = Duration::from_mins(5);

/// What `--json` prints.
#[derive(Serialize)]
struct Document {
    items: usize,
    events: usize,
    seed: u64,
    /// The first training, on all cores.
    first_training_seconds: f64,
    beside: Beside,
    freshness: Freshness,
}

/// What every part of the measurement needs.
struct Bench {
    arguments: Retrain,
    settings: Settings,
    flags: Vec<OsString>,
    data: DataFolder,
    progress: Arc<dyn Progress>,
    cancelled: Arc<AtomicBool>,
}

pub(super) async fn run(arguments: &Arguments, retrain: Retrain) -> Result<ExitCode> {
    let stop = Stop::listen()?;
    let json = retrain.output.json;
    let (settings, flags) = arguments.settings_in("")?;
    let cancelled = Arc::clone(&stop.flag);
    let measure = move || {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        measure(folder.path(), retrain, settings, flags, cancelled)
    };
    let measured = tokio::task::spawn_blocking(measure).await.context("the measurement failed")?;
    let Some(document) = measured? else {
        output::remark("stopped");
        return Ok(ExitCode::from(exit::INTERRUPTED));
    };
    if json {
        crate::command::print_json(&document)?;
    } else {
        output::say(text::text(&document).trim_end());
    }
    let wrong = |paired: &Paired| paired.wrong_and_unsent() != (0, 0);
    let missing = document.freshness.appeared_seconds.contains(&None);
    let failed = missing || wrong(&document.beside.all) || wrong(&document.beside.half);
    Ok(if failed { exit::FAILURE } else { exit::SUCCESS })
}

/// Everything, one after the other; `None` if it was told to stop.
fn measure(
    folder: &Path,
    arguments: Retrain,
    settings: Settings,
    flags: Vec<OsString>,
    cancelled: Arc<AtomicBool>,
) -> Result<Option<Document>> {
    let data = DataFolder::new(folder);
    let bench = Bench { arguments, settings, flags, data, progress: progress::shown(), cancelled };
    let Some((writer, events, first_training_seconds)) = bench.make_shop()? else {
        return Ok(None);
    };
    let Some(beside) = bench.beside(&writer)? else { return Ok(None) };
    let Some(freshness) = bench.freshness(writer)? else { return Ok(None) };
    let Retrain { items, seed, .. } = bench.arguments;
    Ok(Some(Document { items, events, seed, first_training_seconds, beside, freshness }))
}

impl Bench {
    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Fills the folder and trains once: who writes to it, how many events there are, and how long
    /// the training took.
    fn make_shop(&self) -> Result<Option<(Writer, usize, f64)>> {
        let Retrain { items, interactions_per_item, seed, .. } = self.arguments;
        let synthetic =
            Synthetic { items, interactions: items.saturating_mul(interactions_per_item), seed };
        let stages = Stages::new(&*self.progress);
        let watch = |done, total| stages.at("making up a shop", done, total);
        let Ok(interactions) = synthetic.generate(&watch, &self.cancelled) else { return Ok(None) };
        ensure!(
            !interactions.is_empty(),
            "a shop without events; take more --interactions-per-item"
        );
        let events = interactions.len();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let fill = MadeUpShop::fill(&self.data, &self.settings, interactions, seed, now_ms());
        stages.at("writing it", 0, 1);
        let shop = runtime.block_on(fill).context("cannot write the shop")?;
        stages.at("training", 0, 1);
        let began = Instant::now();
        let silent: Arc<dyn Progress> = Arc::new(Silent);
        runtime.block_on(async {
            let store = self.data.store(&self.settings).await?;
            let models = self.data.models()?;
            train(&store, &models, &self.settings, &silent, &self.cancelled).await?;
            store.close().await;
            anyhow::Ok(())
        })?;
        let seconds = began.elapsed().as_secs_f64();
        Ok(Some((Writer::start(shop, runtime), events, seconds)))
    }
}
