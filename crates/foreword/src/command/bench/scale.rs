//! `foreword bench scale`: each size in a process of its own, which is this program again. It
//! leaves its model in a file, which is opened here, where nobody has seen it.

use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, Result};
use comfy_table::Table;
use evaluation::child::{self, ChildError};
use evaluation::load::MappedFile;
use evaluation::scale::{self, ScaleRow};
use evaluation::synthetic::Synthetic;
use serde::Serialize;
use server::progress::{Progress, Stages};
use server::settings::Settings;

use super::open::{self, Opening};
use crate::arguments::Scale;
use crate::exit;
use crate::figures;
use crate::output;
use crate::progress;
use crate::signal::Stop;
use crate::table;

/// Far beyond any size that fits into memory.
const SIZE_LIMIT: Duration = Duration::from_secs(24 * 3600);

/// How often each model is opened.
const OPENS: usize = 21;

/// One size: its fit, and how its model opens.
#[derive(Serialize)]
struct Size {
    #[serde(flatten)]
    fit: ScaleRow,
    opening: Opening,
}

pub(super) async fn run(settings: &Settings, arguments: Scale) -> Result<ExitCode> {
    let stop = Stop::listen()?;
    if let Some(items) = arguments.only {
        return measure_here(items, settings.clone(), &arguments, &stop).await;
    }
    let progress = progress::shown();
    let mut sizes: Vec<Size> = Vec::new();
    for &items in &arguments.items {
        let (progress, cancelled) = (Arc::clone(&progress), Arc::clone(&stop.flag));
        let measure = move || measure_apart(items, &*progress, &cancelled);
        let measured =
            tokio::task::spawn_blocking(measure).await.context("the measurement failed")?;
        match measured.with_context(|| format!("{} items", figures::count(items as u64)))? {
            Some(size) => sizes.push(size),
            None => {
                output::remark("stopped");
                return Ok(ExitCode::from(exit::INTERRUPTED));
            }
        }
    }
    if let Some(path) = &arguments.plot {
        sizes.sort_by_key(|size| size.fit.items);
        let fits: Vec<ScaleRow> = sizes.iter().map(|size| size.fit.clone()).collect();
        std::fs::write(path, scale::svg(&fits))
            .with_context(|| format!("cannot write the plot to {}", path.display()))?;
    }
    if arguments.output.json {
        crate::command::print_json(&sizes)?;
    } else {
        output::say(text(&sizes).trim_end());
    }
    Ok(exit::SUCCESS)
}

/// Measures one size in another process; `None` if it was told to stop.
fn measure_apart(
    items: usize,
    progress: &dyn Progress,
    cancelled: &AtomicBool,
) -> Result<Option<Size>> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let snapshot = folder.path().join("model.snapshot");
    let mut command = Command::new(std::env::current_exe().context("cannot find this program")?);
    command.args(std::env::args_os().skip(1)).arg("--only").arg(items.to_string());
    command.arg("--snapshot").arg(&snapshot);
    let stages = Stages::new(progress);
    let tell = |stage: &str, done, total| {
        stages.at(&format!("{} items: {stage}", figures::count(items as u64)), done, total);
    };
    let mut row = None;
    let ended =
        child::run(&mut command, SIZE_LIMIT, cancelled, |line| match child::progress(line) {
            Some((stage, done, total)) => tell(stage, done, total),
            None => row = serde_json::from_str(line).ok().or(row.take()),
        });
    match ended {
        Err(ChildError::Cancelled(_)) => return Ok(None),
        Err(error) => return Err(error).context("lacking memory ends a process with SIGKILL"),
        Ok(()) => {}
    }
    let fit = row.context("the process that measured said nothing of it")?;
    let tell = |done, total| tell("opening the model", done, total);
    let opening = open::measure(&snapshot, OPENS, &tell, cancelled)?;
    Ok(opening.map(|opening| Size { fit, opening }))
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
    let (cancelled, snapshot) = (Arc::clone(&stop.flag), arguments.snapshot.clone());
    let measure = move || -> Result<Option<ScaleRow>> {
        let threads = settings.train.threads;
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        let watch = |stage: &str, done: usize, total: usize| {
            output::say(format_args!("{stage}\t{done}\t{total}"));
        };
        let engine = settings.train.engine();
        let measured = pool.install(|| scale::measure(&synthetic, &engine, &watch, &cancelled));
        let Ok((row, model)) = measured else { return Ok(None) };
        if let Some(path) = snapshot {
            watch("writing the model", 0, 1);
            server::model_file::write_model(&path, &model)
                .with_context(|| format!("cannot write the model to {}", path.display()))?;
        }
        Ok(Some(row))
    };
    let measured =
        tokio::task::spawn_blocking(measure).await.context("the measurement failed")??;
    let Some(row) = measured else { return Ok(ExitCode::from(exit::INTERRUPTED)) };
    output::say(serde_json::to_string(&row).context("cannot write JSON")?);
    Ok(exit::SUCCESS)
}

/// The sizes as a person likes to read them.
fn text(sizes: &[Size]) -> String {
    let count = |number: usize| figures::count(number as u64);
    let seconds = |seconds: f64| figures::seconds(Duration::from_secs_f64(seconds));
    let headings =
        ["items", "interactions", "fit", "CPU", "µs per item", "peak memory", "model", "stages"];
    let mut table = table::of_figures(&headings);
    for row in sizes.iter().map(|size| &size.fit) {
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
    let threads = sizes.first().map_or(0, |size| size.fit.threads);
    let threads = figures::counted(threads as u64, "thread");
    format!("synthetic shops, {threads}\n{table}\n\n{}\n", openings(sizes))
}

/// How the models open; memory is that of the second of two processes.
fn openings(sizes: &[Size]) -> Table {
    let headings =
        ["items", "model", "opened in", "slowest", "resident", "its share", "private, written"];
    let mut table = table::of_figures(&headings);
    for Size { fit, opening } in sizes {
        let of_second = |figure: fn(&MappedFile) -> u64| match &opening.processes {
            Some([_, second]) => figures::bytes(figure(second)),
            None => "unknown".to_owned(),
        };
        table.add_row([
            figures::count(fit.items as u64),
            figures::bytes(opening.file_bytes),
            open::milliseconds(opening.median_ms),
            open::milliseconds(opening.slowest_ms),
            of_second(|mapped| mapped.resident_bytes),
            of_second(|mapped| mapped.share_bytes),
            of_second(|mapped| mapped.private_dirty_bytes),
        ]);
    }
    table
}
