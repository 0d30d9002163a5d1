//! `foreword evaluate --cold-items`.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use evaluation::cold::{self, ColdReport, Mean};
use server::data_folder::DataFolder;
use server::progress::{Progress, Stages};
use server::settings::Settings;
use server::train::{Lessons, Span};

use crate::arguments::Evaluate;
use crate::command::lessons;
use crate::exit;
use crate::figures;
use crate::output;
use crate::signal::Stop;
use crate::table;

pub(super) async fn run(
    data: &DataFolder,
    settings: &Settings,
    arguments: &Evaluate,
    share: f64,
    progress: Arc<dyn Progress>,
    stop: &Stop,
) -> Result<ExitCode> {
    ensure!(
        share > 0.0 && share < 1.0,
        "--cold-items is {share}, expected a share between 0 and 1"
    );
    let lessons = lessons::read(Span::All, data, settings, &*progress, stop).await?;
    let report = match lessons {
        None => None,
        Some(lessons) => measure(lessons, settings, arguments, share, progress, stop).await?,
    };
    let Some(report) = report else {
        output::remark("stopped");
        return Ok(ExitCode::from(exit::INTERRUPTED));
    };
    if arguments.output.json {
        crate::command::print_json(&report)?;
    } else {
        output::say(text(&report).trim_end());
    }
    Ok(exit::SUCCESS)
}

/// Measures on the threads that training would use; `None` if it was told to stop.
async fn measure(
    lessons: Lessons,
    settings: &Settings,
    arguments: &Evaluate,
    share: f64,
    progress: Arc<dyn Progress>,
    stop: &Stop,
) -> Result<Option<ColdReport>> {
    let (model, content) = (settings.train.engine(), settings.content.engine());
    let (holdout, seed, threads) = (arguments.holdout, arguments.seed, settings.train.threads);
    let cancelled = Arc::clone(&stop.flag);
    let measure = move || -> Result<Option<ColdReport>> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        let stages = Stages::new(&*progress);
        let show = |stage: &str, done: usize, total: usize| stages.at(stage, done, total);
        let split = cold::split(&lessons.interactions, share, holdout, seed);
        let measured = pool.install(|| {
            cold::measure(&split, &lessons.features, &model, &content, &show, &cancelled)
        });
        Ok(measured.ok())
    };
    tokio::task::spawn_blocking(measure).await.context("the measurement failed")?
}

/// A report as a person likes to read it.
fn text(report: &ColdReport) -> String {
    let count = |number: usize| figures::count(number as u64);
    let mut text = format!(
        "{} of {} books taken for new; {} users have one; Recall@{k} / NDCG@{k}\n",
        count(report.new_items),
        count(report.items),
        count(report.users),
        k = report.k,
    );
    let headings = [
        "model",
        "new books",
        "on a shelf of new books",
        "known books, from new ones",
        "known books",
        "both",
    ];
    let mut rows = table::of_figures(&headings);
    let figure = |mean: Mean| format!("{:.4} / {:.4}", mean.recall, mean.ndcg);
    for row in &report.rows {
        let figures = [row.new, row.among_new, row.from_new, row.known, row.mixed].map(figure);
        rows.add_row(std::iter::once(row.model.clone()).chain(figures));
    }
    text.push_str(&format!("{rows}\n"));
    text
}
