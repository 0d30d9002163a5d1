//! `foreword evaluate`.

mod cold;
mod splits;
mod text;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use evaluation::peers::{self, PeerOptions};
use evaluation::{Options, Report, Split};
use server::data_folder::DataFolder;
use server::progress::{Progress, Stages};
use server::settings::Settings;

use crate::arguments::Evaluate;
use crate::exit;
use crate::figures;
use crate::output;
use crate::progress;
use crate::signal::Stop;

pub(super) async fn run(
    data: &DataFolder,
    as_set: &Settings,
    arguments: &Evaluate,
) -> Result<ExitCode> {
    splits::check(arguments)?;
    let (settings, origin) = in_use(data, as_set, arguments)?;
    let settings = &settings;
    let stop = Stop::listen()?;
    let progress = progress::shown();
    if let Some(share) = arguments.cold_items {
        output::remark(format_args!("settings: {origin}"));
        return cold::run(data, settings, arguments, share, progress, &stop).await;
    }
    let split = match &arguments.train {
        Some(train) => Some(splits::of_files(train, arguments)?),
        None => splits::of_store(data, settings, arguments, &*progress, &stop).await?,
    };
    let report = match split {
        Some(split) => {
            let (options, peers) = (options(settings, origin, arguments), peers(as_set, arguments));
            evaluate(split, options, peers, settings.train.threads, progress, &stop).await?
        }
        None => None,
    };
    let Some(report) = report else {
        output::remark("stopped");
        return Ok(ExitCode::from(exit::INTERRUPTED));
    };
    if let Some(path) = &arguments.plot {
        write(path, "plot", &evaluation::plot::svg(&report, &title(&report)))?;
    }
    if let Some(path) = &arguments.html {
        write(path, "page", &evaluation::html::page(&report, &title(&report)))?;
    }
    if arguments.output.json {
        super::print_json(&report)?;
    } else {
        output::say(text::of(&report).trim_end());
    }
    Ok(exit::SUCCESS)
}

/// The settings that are measured, and where they come from, for people: of a store those that
/// its next training would learn with. What tuning chose for it has seen what is held out now, and
/// that is told.
fn in_use(
    data: &DataFolder,
    settings: &Settings,
    arguments: &Evaluate,
) -> Result<(Settings, String)> {
    if !arguments.store {
        return Ok((settings.clone(), AS_SET.to_owned()));
    }
    data.check_shop(settings)?;
    let models = data.models()?;
    let settings = server::train::settings_in_use(&models, settings)?;
    let origin = match models.active()?.filter(|_| settings.is_tuned()) {
        Some(version) => {
            output::remark(TUNED);
            format!(
                "chosen by tuning on the store's events, those held out here among them, as the \
                 active model {version} keeps them, or as set"
            )
        }
        None => AS_SET.to_owned(),
    };
    Ok((settings, origin))
}

/// Where settings come from that nobody has tuned.
const AS_SET: &str = "by default or as set";

/// What is to be known of settings that were tuned on the store.
const TUNED: &str = "note: tuning chose among these settings by the store's events, those held out \
                     here among them, so the figures may flatter; --set train.tuned=false measures \
                     without what it chose";

fn write(path: &Path, what: &str, text: &str) -> Result<()> {
    std::fs::write(path, text)
        .with_context(|| format!("cannot write the {what} to {}", path.display()))
}

fn options(settings: &Settings, origin: String, arguments: &Evaluate) -> Options {
    Options {
        origin,
        k: arguments.k.get(),
        trend_half_life_days: settings.train.trend_half_life_days,
        half_lives_days: arguments.half_life.clone(),
        seed: arguments.seed,
        ..Options::new(settings.train.engine())
    }
}

/// How peers are measured, if they are. What tuning chose for a store has seen what is held out
/// now, so ours begins with what was set.
fn peers(as_set: &Settings, arguments: &Evaluate) -> Option<PeerOptions> {
    arguments.peers.then(|| PeerOptions {
        environment: arguments.peer_environment.clone(),
        budget: Duration::from_secs(arguments.peer_budget),
        start: as_set.train.engine(),
    })
}

/// Measures on the threads that training would use; `None` if it was told to stop.
async fn evaluate(
    split: Split,
    options: Options,
    peers: Option<PeerOptions>,
    threads: usize,
    progress: Arc<dyn Progress>,
    stop: &Stop,
) -> Result<Option<Report>> {
    let cancelled = Arc::clone(&stop.flag);
    let measure = move || -> Result<Option<Report>> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        let stages = Stages::new(&*progress);
        let watch = |stage: &str, done: usize, total: usize| stages.at(stage, done, total);
        let measured = pool.install(|| match &peers {
            Some(peers) => peers::evaluate(&split, &options, peers, &watch, &cancelled),
            None => evaluation::evaluate(&split, &options, &watch, &cancelled),
        });
        Ok(measured.ok())
    };
    tokio::task::spawn_blocking(measure).await.context("the measurement failed")?
}

fn title(report: &Report) -> String {
    let count = |number: usize| figures::count(number as u64);
    format!(
        "{} interactions of {} users with {} items, {} held out",
        count(report.interactions),
        count(report.users),
        count(report.items),
        count(report.held_out)
    )
}
