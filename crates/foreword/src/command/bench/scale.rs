//! `foreword bench scale`: each size in a process of its own, which is this program again.

use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, Result};
use evaluation::child::{self, ChildError};
use evaluation::scale::{self, ScaleRow};
use evaluation::synthetic::Synthetic;
use server::progress::{Progress, Stages};
use server::settings::Settings;

use crate::arguments::Scale;
use crate::exit;
use crate::figures;
use crate::output;
use crate::progress;
use crate::signal::Stop;
use crate::table;

/// Far beyond any size that fits into memory.
const SIZE_LIMIT: Duration = Duration::from_secs(24 * 3600);

pub(super) async fn run(settings: &Settings, arguments: Scale) -> Result<ExitCode> {
    let stop = Stop::listen()?;
    if let Some(items) = arguments.only {
        return measure_here(items, settings.clone(), &arguments, &stop).await;
    }
    let progress = progress::shown();
    let mut rows = Vec::new();
    for &items in &arguments.items {
        let (progress, cancelled) = (Arc::clone(&progress), Arc::clone(&stop.flag));
        let measure = move || measure_apart(items, &*progress, &cancelled);
        let measured =
            tokio::task::spawn_blocking(measure).await.context("the measurement failed")?;
        match measured.with_context(|| format!("{} items", figures::count(items as u64)))? {
            Some(row) => rows.push(row),
            None => {
                output::remark("stopped");
                return Ok(ExitCode::from(exit::INTERRUPTED));
            }
        }
    }
    if let Some(path) = &arguments.plot {
        rows.sort_by_key(|row| row.items);
        std::fs::write(path, scale::svg(&rows))
            .with_context(|| format!("cannot write the plot to {}", path.display()))?;
    }
    if arguments.output.json {
        crate::command::print_json(&rows)?;
    } else {
        output::say(text(&rows).trim_end());
    }
    Ok(exit::SUCCESS)
}

/// Measures one size in another process; `None` if it was told to stop.
fn measure_apart(
    items: usize,
    progress: &dyn Progress,
    cancelled: &AtomicBool,
) -> Result<Option<ScaleRow>> {
    let mut command = Command::new(std::env::current_exe().context("cannot find this program")?);
    command.args(std::env::args_os().skip(1)).arg("--only").arg(items.to_string());
    let stages = Stages::new(progress);
    let mut row = None;
    let ended =
        child::run(&mut command, SIZE_LIMIT, cancelled, |line| match child::progress(line) {
            Some((stage, done, total)) => {
                let stage = format!("{} items: {stage}", figures::count(items as u64));
                stages.at(&stage, done, total);
            }
            None => row = serde_json::from_str(line).ok().or(row.take()),
        });
    match ended {
        Err(ChildError::Cancelled(_)) => Ok(None),
        Err(error) => Err(error).context("lacking memory ends a process with SIGKILL"),
        Ok(()) => Ok(Some(row.context("the process that measured said nothing of it")?)),
    }
}

/// Measures one size in this process, and tells the one that started it, line by line.
async fn measure_here(
    items: usize,
    settings: Settings,
    arguments: &Scale,
    stop: &Stop,
) -> Result<ExitCode> {
    let interactions = items.saturating_mul(arguments.interactions_per_item);
    let synthetic = Synthetic { items, interactions, seed: arguments.seed };
    let cancelled = Arc::clone(&stop.flag);
    let measure = move || -> Result<Option<ScaleRow>> {
        let threads = settings.train.threads;
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        let watch = |stage: &str, done: usize, total: usize| {
            output::say(format_args!("{stage}\t{done}\t{total}"));
        };
        let engine = settings.train.engine();
        Ok(pool.install(|| scale::measure(&synthetic, &engine, &watch, &cancelled)).ok())
    };
    let measured =
        tokio::task::spawn_blocking(measure).await.context("the measurement failed")??;
    let Some(row) = measured else { return Ok(ExitCode::from(exit::INTERRUPTED)) };
    output::say(serde_json::to_string(&row).context("cannot write JSON")?);
    Ok(exit::SUCCESS)
}

/// The rows as a person likes to read them.
fn text(rows: &[ScaleRow]) -> String {
    let count = |number: usize| figures::count(number as u64);
    let seconds = |seconds: f64| figures::seconds(Duration::from_secs_f64(seconds));
    let headings =
        ["items", "interactions", "fit", "CPU", "µs per item", "peak memory", "snapshot", "stages"];
    let mut table = table::of_figures(&headings);
    for row in rows {
        let stages = row.stages.iter();
        let stages = stages.map(|stage| format!("{} {}", stage.stage, seconds(stage.seconds)));
        table.add_row([
            count(row.items),
            count(row.interactions),
            seconds(row.fit_seconds),
            row.fit_cpu_seconds.map_or_else(|| "unknown".to_owned(), seconds),
            format!("{:.0}", row.microseconds_per_item),
            row.peak_bytes.map_or_else(|| "unknown".to_owned(), figures::bytes),
            figures::bytes(row.snapshot_bytes),
            stages.collect::<Vec<_>>().join(", "),
        ]);
    }
    let threads = rows.first().map_or(0, |row| row.threads);
    format!("synthetic shops, {}\n{table}\n", figures::counted(threads as u64, "thread"))
}
