//! Progress: bars on a terminal, plain lines elsewhere, for tasks that take over a second.

use std::io::{IsTerminal, stderr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use server::progress::{Progress, Unit};

use crate::figures;
use crate::output;

/// A task shorter than this writes no line.
const SHOWN_AFTER: Duration = Duration::from_secs(1);

/// How often a bar is drawn without news.
const TICK: Duration = Duration::from_millis(200);

/// How often a plain line is written.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Whatever suits standard error.
pub(crate) fn shown() -> Arc<dyn Progress> {
    let terminal = stderr().is_terminal();
    Arc::new(Shown { terminal, task: Mutex::default() })
}

struct Shown {
    terminal: bool,
    task: Mutex<Option<Task>>,
}

struct Task {
    name: String,
    total: Option<u64>,
    began: Instant,
    bar: Option<ProgressBar>,
    line: Option<Instant>,
}

impl Shown {
    fn task(&self) -> MutexGuard<'_, Option<Task>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress for Shown {
    fn begin(&self, task: &str, total: Option<u64>, unit: Unit) {
        let name = task.to_owned();
        let bar = self.terminal.then(|| bar(&name, total, unit));
        *self.task() = Some(Task { name, total, began: Instant::now(), bar, line: None });
    }

    fn at(&self, done: u64) {
        if let Some(task) = &mut *self.task() {
            match &task.bar {
                Some(bar) => bar.set_position(done),
                None => task.write_line(done),
            }
        }
    }

    fn end(&self) {
        let task = self.task().take();
        if let Some(bar) = task.and_then(|task| task.bar) {
            bar.finish_and_clear();
        }
    }
}

/// A bar that moves by itself, so that a task which tells nothing is seen to go on.
fn bar(name: &str, total: Option<u64>, unit: Unit) -> ProgressBar {
    let numbers = match unit {
        Unit::Bytes => "{bytes}/{total_bytes}",
        Unit::Count => "{human_pos}/{human_len}",
    };
    let template = match total {
        Some(_) => format!("{{msg}} [{{wide_bar}}] {numbers} {{eta}}"),
        None => "{spinner} {msg} {elapsed}".to_owned(),
    };
    // The templates are fixed; a plain bar would still do.
    let style =
        ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr())
        .with_style(style.progress_chars("=> "))
        .with_message(name.to_owned());
    bar.enable_steady_tick(TICK);
    bar
}

impl Task {
    fn write_line(&mut self, done: u64) {
        let due = self
            .line
            .map_or(self.began.elapsed() >= SHOWN_AFTER, |line| line.elapsed() >= LINE_EVERY);
        if due {
            self.line = Some(Instant::now());
            match self.total {
                Some(total) if total > 0 => {
                    let percent = done.saturating_mul(100) / total;
                    output::remark(format_args!("{}: {percent} %", self.name));
                }
                _ => {
                    output::remark(format_args!("{}: {}", self.name, figures::count(done)));
                }
            }
        }
    }
}
