//! Progress: bars on a terminal, plain lines elsewhere, for tasks that take over a second.

use std::io::{IsTerminal, stderr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use server::progress::{Progress, Unit};

use crate::figures;

/// A task shorter than this shows nothing.
const SHOWN_AFTER: Duration = Duration::from_secs(1);

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
    unit: Unit,
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
        let task = Task { name, total, unit, began: Instant::now(), bar: None, line: None };
        *self.task() = Some(task);
    }

    fn at(&self, done: u64) {
        if let Some(task) = &mut *self.task()
            && task.began.elapsed() >= SHOWN_AFTER
        {
            if self.terminal { task.draw(done) } else { task.write_line(done) }
        }
    }

    fn end(&self) {
        let Some(task) = self.task().take() else { return };
        if let Some(bar) = &task.bar {
            bar.finish_and_clear();
        }
        if task.bar.is_some() || task.line.is_some() {
            eprintln!("{}: done in {}", task.name, figures::seconds(task.began.elapsed()));
        }
    }
}

impl Task {
    fn draw(&mut self, done: u64) {
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(self.total, ProgressDrawTarget::stderr());
            let numbers = match self.unit {
                Unit::Bytes => "{bytes}/{total_bytes}",
                Unit::Count => "{human_pos}/{human_len}",
            };
            let template = format!("{{msg}} [{{wide_bar}}] {numbers} {{eta}}");
            // The template is fixed; a plain bar would still do.
            let style = ProgressStyle::with_template(&template)
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            bar.with_style(style.progress_chars("=> ")).with_message(self.name.clone())
        });
        bar.set_position(done);
    }

    fn write_line(&mut self, done: u64) {
        if self.line.is_none_or(|line| line.elapsed() >= LINE_EVERY) {
            self.line = Some(Instant::now());
            match self.total {
                Some(total) if total > 0 => {
                    eprintln!("{}: {} %", self.name, done.saturating_mul(100) / total);
                }
                _ => eprintln!("{}: {}", self.name, figures::count(done)),
            }
        }
    }
}
