//! `foreword evaluate`.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use evaluation::{LIKED_MIN, Options, Report, Split};
use server::data_folder::DataFolder;
use server::progress::{Progress, Stages};
use server::settings::Settings;
use server::train::{TrainError, read_lessons};

use crate::arguments::Evaluate;
use crate::exit;
use crate::figures;
use crate::output;
use crate::progress;
use crate::signal::Stop;
use crate::table;

pub(super) async fn run(
    data: &DataFolder,
    settings: &Settings,
    arguments: &Evaluate,
) -> Result<ExitCode> {
    ensure!(
        arguments.holdout > 0.0 && arguments.holdout < 1.0,
        "--holdout is {}, expected a share between 0 and 1",
        arguments.holdout
    );
    let stop = Stop::listen()?;
    let progress = progress::shown();
    let split = match &arguments.train {
        Some(train) => Some(read(train, arguments)?),
        None => hold_out(data, settings, arguments, &*progress, &stop).await?,
    };
    let report = match split {
        Some(split) => evaluate(split, settings, progress, &stop).await?,
        None => None,
    };
    let Some(report) = report else {
        output::remark("stopped");
        return Ok(ExitCode::from(exit::INTERRUPTED));
    };
    if let Some(path) = &arguments.plot {
        let picture = evaluation::plot::svg(&report, &title(&report));
        std::fs::write(path, picture)
            .with_context(|| format!("cannot write the plot to {}", path.display()))?;
    }
    if arguments.output.json {
        super::print_json(&report)?;
    } else {
        output::say(text(&report).trim_end());
    }
    Ok(exit::SUCCESS)
}

fn read(train: &std::path::Path, arguments: &Evaluate) -> Result<Split> {
    match &arguments.test {
        Some(test) => evaluation::read_split(train, test),
        None => evaluation::read_and_hold_out(train, arguments.holdout, arguments.seed),
    }
}

/// A split of the store's events; `None` if it was told to stop.
async fn hold_out(
    data: &DataFolder,
    settings: &Settings,
    arguments: &Evaluate,
    progress: &dyn Progress,
    stop: &Stop,
) -> Result<Option<Split>> {
    data.check_shop()?;
    let store = data.store(settings).await?;
    let lessons = read_lessons(&store, settings, progress, &stop.flag).await;
    store.close().await;
    let lessons = match lessons {
        Err(TrainError::Cancelled) => return Ok(None),
        lessons => lessons?,
    };
    let split =
        evaluation::hold_out(&lessons.interactions, arguments.holdout, LIKED_MIN, arguments.seed);
    ensure!(
        split.held_out() > 0,
        "no reader has enough liked books to hold out {} of them; import more events, or raise --holdout",
        arguments.holdout
    );
    if lessons.simulated_interactions > 0 {
        output::remark(
            "note: these readers are simulated; the figures say nothing about real ones",
        );
    }
    Ok(Some(split))
}

/// Measures on the threads that training would use; `None` if it was told to stop.
async fn evaluate(
    split: Split,
    settings: &Settings,
    progress: Arc<dyn Progress>,
    stop: &Stop,
) -> Result<Option<Report>> {
    let options = Options::new(settings.train.engine());
    let threads = settings.train.threads;
    let cancelled = Arc::clone(&stop.flag);
    let measure = move || -> Result<Option<Report>> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        let stages = Stages::new(&*progress);
        let watch = |stage: &str, done: usize, total: usize| stages.at(stage, done, total);
        let measured = pool.install(|| evaluation::evaluate(&split, &options, &watch, &cancelled));
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

/// A report as a person likes to read it.
fn text(report: &Report) -> String {
    let count = |number: usize| figures::count(number as u64);
    let k = report.k;
    let mut text = format!(
        "{} users × {} items; learnt from {} interactions, {} held out of {} users; {} threads\n",
        count(report.users),
        count(report.items),
        count(report.interactions),
        count(report.held_out),
        count(report.users_tested),
        report.threads,
    );
    let (recall, ndcg) = (format!("Recall@{k}"), format!("NDCG@{k}"));
    let headings = ["model", &recall, &ndcg, "coverage", "fit", "peak memory"];
    let mut rows = table::of_figures(&headings);
    for row in &report.rows {
        rows.add_row([
            row.model.clone(),
            format!("{:.4}", row.recall),
            format!("{:.4}", row.ndcg),
            format!("{:.1} %", row.coverage * 100.0),
            figures::seconds(Duration::from_secs_f64(row.fit_seconds)),
            row.peak_bytes.map_or_else(|| "unknown".to_owned(), figures::bytes),
        ]);
    }
    text.push_str(&format!("{rows}\n"));
    text
}
