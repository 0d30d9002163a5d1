//! The log: lines on standard error, for people or for programs.
//!
//! Invariants:
//! - Whoever logs never waits: a thread of its own writes, from a bounded queue. What finds it
//!   full is left out, and counted.
//! - No logged value reaches a terminal as a command: control characters are escaped.

#[cfg(test)]
mod captured;
mod human;
mod json;
mod levels;
mod panics;

use std::io::{IsTerminal, Write, stderr};
use std::sync::{LazyLock, Mutex, MutexGuard, OnceLock, PoisonError};

use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, Registry, fmt, reload};

#[cfg(test)]
pub(crate) use captured::captured;
pub(crate) use human::escaped;
pub use levels::{BadLevels, Levels};

use super::per_second::PerSecond;
use crate::settings::LogFormat;

/// The environment variable that sets what is logged, such as `info` or `server=debug`.
pub const FILTER_VARIABLE: &str = "FOREWORD_LOG";

/// The target of the line that each call gets.
pub const ACCESS: &str = "access";

/// Lines of failed calls in one second: clients have a say in how many fail.
pub(crate) const FAILED_CALLS_PER_SECOND: u32 = 100;

/// Which failed calls get a line, of all services of the process.
pub(crate) static FAILED_CALLS: LazyLock<PerSecond> =
    LazyLock::new(|| PerSecond::new(FAILED_CALLS_PER_SECOND));

/// Lines that may wait to be written.
const LINES_MAX: usize = 8192;

/// The name of the thread that writes.
const LOG_THREAD: &str = "log";

/// The one log of the process, as tracing has it.
static LOG: OnceLock<Log> = OnceLock::new();

struct Log {
    levels: Mutex<Levels>,
    filter: reload::Handle<Targets, Registry>,
    lost: ErrorCounter,
    /// Dropping it writes what waits.
    writing: Mutex<Option<WorkerGuard>>,
}

/// Whether lines are coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// On a terminal.
    Shown,
    /// For a file or a program.
    None,
}

impl Colours {
    /// Colours on a terminal, unless `NO_COLOR` is set to something.
    fn of_standard_error() -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        if stderr().is_terminal() && !unwanted { Self::Shown } else { Self::None }
    }
}

/// The levels that [`FILTER_VARIABLE`] asks for, if it is set.
///
/// # Errors
///
/// [`BadLevels`] if it asks for something else.
pub fn levels_of_environment() -> Result<Option<Levels>, BadLevels> {
    let asked = std::env::var(FILTER_VARIABLE).ok().filter(|asked| !asked.is_empty());
    asked.map(|asked| asked.parse()).transpose()
}

/// Starts logging to standard error: what [`FILTER_VARIABLE`] asks for, else `levels`. A second
/// start keeps the first. [`finish`] has to be called at the end.
pub fn start(format: LogFormat, levels: Levels) {
    let asked = levels_of_environment();
    let refused = asked.as_ref().err().map(ToString::to_string);
    let levels = asked.ok().flatten().unwrap_or(levels);
    start_to(stderr(), Colours::of_standard_error(), format, levels);
    if let Some(error) = refused {
        tracing::warn!("{FILTER_VARIABLE} is left out: {error}");
    }
}

/// [`start`] for another place than standard error, with exactly these levels. From then on,
/// panics are lines of the log too.
pub fn start_to(
    writer: impl Write + Send + 'static,
    colours: Colours,
    format: LogFormat,
    levels: Levels,
) {
    LOG.get_or_init(|| {
        let builder = NonBlockingBuilder::default().buffered_lines_limit(LINES_MAX);
        let (writer, guard) = builder.lossy(true).thread_name(LOG_THREAD).finish(writer);
        let lost = writer.error_counter();
        let (filter, handle) = reload::Layer::new(levels.targets());
        let lines = lines(writer, colours, format);
        // Fails if somebody else has started a log, as a test may: that one is kept.
        let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
        panics::install();
        let (levels, writing) = (Mutex::new(levels), Mutex::new(Some(guard)));
        Log { levels, filter: handle, lost, writing }
    });
}

/// What writes the lines in one of the formats.
fn lines<S, W>(writer: W, colours: Colours, format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = fmt::layer().with_writer(writer).with_ansi(colours == Colours::Shown);
    match format {
        LogFormat::Human => lines.with_target(false).fmt_fields(human::Fields).boxed(),
        LogFormat::Json => lines.fmt_fields(json::SpanFields).event_format(json::Lines).boxed(),
    }
}

/// Whether there is a log that has not ended.
fn is_written() -> bool {
    LOG.get().is_some_and(|log| log.writing().is_some())
}

impl Log {
    fn writing(&self) -> MutexGuard<'_, Option<WorkerGuard>> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes what waits, for a second at most. What is logged afterwards is lost.
pub fn finish() {
    // Nobody else waits with it: the lock is held to take it only.
    let writing = LOG.get().and_then(|log| log.writing().take());
    drop(writing);
}

/// What is logged now; none if there is no log.
#[must_use]
pub fn levels() -> Option<Levels> {
    LOG.get().map(|log| log.levels.lock().unwrap_or_else(PoisonError::into_inner).clone())
}

/// Changes what is logged from now on. Without a log, nothing happens.
pub fn set_levels(levels: Levels) {
    let Some(log) = LOG.get() else { return };
    let mut current = log.levels.lock().unwrap_or_else(PoisonError::into_inner);
    // Fails only if there is no subscriber any more.
    let _ = log.filter.reload(levels.targets());
    *current = levels;
}

/// Takes up the levels of settings that were read again, unless the environment names others.
pub fn follow(levels: &Levels) {
    let is_named = levels_of_environment().is_ok_and(|named| named.is_some());
    if !is_named && self::levels().is_some_and(|current| current != *levels) {
        set_levels(levels.clone());
    }
}

/// How many lines were left out.
#[must_use]
pub fn lines_lost() -> u64 {
    LOG.get().map_or(0, |log| log.lost.dropped_lines() as u64)
}
