//! `foreword bench open`: how long a model's file takes to open, and what two processes that
//! have it open share. The second process is this program again.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use evaluation::child::{self, ChildError};
use evaluation::load::{MappedFile, Process};
use serde::Serialize;
use server::opening::Opened;
use server::progress::Stages;

use crate::arguments::Open;
use crate::exit;
use crate::figures;
use crate::output;
use crate::progress;
use crate::signal::Stop;
use crate::table;

/// Far beyond what reading a file of any size takes.
const SECOND_LIMIT: Duration = Duration::from_secs(3600);

/// What opening a file costs.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Opening {
    /// Items of its model.
    items: usize,
    /// The length of the file.
    pub(super) file_bytes: u64,
    /// How often it was opened.
    opens: usize,
    /// The first time, which may find it on disk.
    first_ms: f64,
    /// The median of all times.
    pub(super) median_ms: f64,
    /// The slowest time.
    pub(super) slowest_ms: f64,
    /// Checksums of the whole file, which no time above has in it.
    checksums_ms: f64,
    /// Memory of the mapping in two processes that have both read all of it, the one that
    /// was first to do so in front. `None` where the system does not tell.
    pub(super) processes: Option<[MappedFile; 2]>,
}

pub(super) async fn run(arguments: Open) -> Result<ExitCode> {
    let stop = Stop::listen()?;
    let (progress, cancelled) = (progress::shown(), Arc::clone(&stop.flag));
    let work = move || -> Result<ExitCode> {
        let path = &arguments.file;
        if let Some(first) = arguments.beside {
            output::say(beside(path, Process(first))?);
            return Ok(exit::SUCCESS);
        }
        let stages = Stages::new(&*progress);
        let tell = |done, total| stages.at("opening the model", done, total);
        let measured = measure(path, usize::from(arguments.times), &tell, &cancelled)?;
        drop(stages);
        let Some(opening) = measured else {
            output::remark("stopped");
            return Ok(ExitCode::from(exit::INTERRUPTED));
        };
        if arguments.output.json {
            crate::command::print_json(&opening)?;
        } else {
            output::say(text(path, &opening).trim_end());
        }
        Ok(exit::SUCCESS)
    };
    tokio::task::spawn_blocking(work).await.context("the measurement failed")?
}

/// Opens a file so often, then once more beside another process; `None` if it was told to stop.
/// `tell` is told how much is done, and how much there is.
pub(super) fn measure(
    path: &Path,
    times: usize,
    tell: &dyn Fn(usize, usize),
    cancelled: &AtomicBool,
) -> Result<Option<Opening>> {
    let open = || Opened::open(path).with_context(|| cannot_open(path));
    let milliseconds = |since: Instant| since.elapsed().as_secs_f64() * 1e3;
    let steps = times + 2;
    let mut opens_ms = Vec::with_capacity(times);
    for done in 0..times {
        tell(done, steps);
        let began = Instant::now();
        let opened = open()?;
        opens_ms.push(milliseconds(began));
        drop(opened);
        if cancelled.load(Ordering::Relaxed) {
            return Ok(None);
        }
    }
    let opened = open()?;
    tell(times, steps);
    let began = Instant::now();
    opened.check_sums().with_context(|| cannot_open(path))?;
    let checksums_ms = milliseconds(began);
    tell(times + 1, steps);
    let processes = match second(path, cancelled) {
        Err(ChildError::Cancelled(_)) => return Ok(None),
        processes => processes.context("the second process that opens the file failed")?,
    };
    tell(steps, steps);
    let first_ms = opens_ms[0];
    opens_ms.sort_unstable_by(f64::total_cmp);
    Ok(Some(Opening {
        items: opened.item_count(),
        file_bytes: opened.file_bytes(),
        opens: times,
        first_ms,
        median_ms: opens_ms[times / 2],
        slowest_ms: opens_ms[times - 1],
        checksums_ms,
        processes,
    }))
}

fn cannot_open(path: &Path) -> String {
    format!("cannot open the model {}", path.display())
}

/// Has another process open the file and read all of it, and say what it takes there and here.
fn second(path: &Path, cancelled: &AtomicBool) -> Result<Option<[MappedFile; 2]>, ChildError> {
    let this = std::env::current_exe().unwrap_or_else(|_| crate::command::program().into());
    let mut command = Command::new(this);
    command.args(["bench", "open", "--beside"]).arg(std::process::id().to_string());
    command.arg("--").arg(path);
    let mut told = None;
    child::run(&mut command, SECOND_LIMIT, cancelled, |line| {
        told = serde_json::from_str(line).ok().or(told.take());
    })?;
    Ok(told.flatten())
}

/// What the second process says of the first and of itself, as JSON.
fn beside(path: &Path, first: Process) -> Result<String> {
    let opened = Opened::open(path).with_context(|| cannot_open(path))?;
    opened.check_sums().with_context(|| cannot_open(path))?;
    let own = Process(std::process::id());
    let both = match (first.mapped_file(path), own.mapped_file(path)) {
        (Ok(Some(first)), Ok(Some(own))) => Some([first, own]),
        (Ok(_), Ok(_)) => bail!(
            "{} is another file than a moment ago: measure one that nobody replaces",
            path.display()
        ),
        // Elsewhere than on Linux nobody tells.
        _ => None,
    };
    drop(opened);
    serde_json::to_string(&both).context("cannot write JSON")
}

/// The figures as a person likes to read them.
fn text(path: &Path, opening: &Opening) -> String {
    let mut text = format!(
        "{}: {} of {}\nopened {}, checksums aside: median {}, slowest {}, the first {}\n\
         checksums of the whole file: {:.0} ms\n",
        path.display(),
        figures::bytes(opening.file_bytes),
        figures::counted(opening.items as u64, "item"),
        figures::counted(opening.opens as u64, "time"),
        milliseconds(opening.median_ms),
        milliseconds(opening.slowest_ms),
        milliseconds(opening.first_ms),
        opening.checksums_ms,
    );
    let Some(processes) = &opening.processes else {
        text.push_str("what two processes share is not known: it is Linux that tells\n");
        return text;
    };
    let headings = [
        "process",
        "resident (Rss)",
        "its share (Pss)",
        "shared",
        "private, clean",
        "private, written",
    ];
    let mut rows = table::of_figures(&headings);
    for (name, mapped) in ["first", "second"].iter().zip(processes) {
        let figures = [
            mapped.resident_bytes,
            mapped.share_bytes,
            mapped.shared_bytes,
            mapped.private_clean_bytes,
            mapped.private_dirty_bytes,
        ];
        rows.add_row(std::iter::once((*name).to_owned()).chain(figures.map(figures::bytes)));
    }
    text.push_str(&format!("{rows}\n"));
    text
}

/// `0.1234` → `0.12 ms`.
pub(super) fn milliseconds(milliseconds: f64) -> String {
    format!("{milliseconds:.2} ms")
}
