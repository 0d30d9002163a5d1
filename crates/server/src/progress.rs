//! Progress of long work, told to whoever shows it.

use std::sync::{Mutex, PoisonError};

/// What the numbers of a task count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes of a file.
    Bytes,
    /// Things: rows, items, users.
    Count,
}

/// Shows how far long work is: a bar on a terminal, a line elsewhere, nothing in a test.
///
/// One task runs at a time: `begin`, any number of `at`, `end`. Any thread may call.
pub trait Progress: Send + Sync {
    /// A task begins. `total` is how much there is to do, if that is known.
    fn begin(&self, task: &str, total: Option<u64>, unit: Unit);
    /// So much of the task is done.
    fn at(&self, done: u64);
    /// So many rows of a file were read; told now and then. Most have no use for it.
    fn rows(&self, _read: u64) {}
    /// The task is over.
    fn end(&self);
}

/// Shows nothing.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _task: &str, _total: Option<u64>, _unit: Unit) {}
    fn at(&self, _done: u64) {}
    fn end(&self) {}
}

/// Shows stages that follow each other, each known by its name, as one task after the other.
/// The last one ends when this is dropped.
pub struct Stages<'a> {
    progress: &'a dyn Progress,
    current: Mutex<String>,
}

impl<'a> Stages<'a> {
    /// No stage yet.
    #[must_use]
    pub fn new(progress: &'a dyn Progress) -> Self {
        Self { progress, current: Mutex::default() }
    }

    /// So many things of a stage's total are done; a new name begins a new task. Any thread
    /// may call.
    pub fn at(&self, stage: &str, done: usize, total: usize) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if *current != stage {
            if !current.is_empty() {
                self.progress.end();
            }
            stage.clone_into(&mut current);
            self.progress.begin(stage, Some(total as u64), Unit::Count);
        }
        self.progress.at(done as u64);
    }
}

impl Drop for Stages<'_> {
    fn drop(&mut self) {
        if !self.current.get_mut().unwrap_or_else(PoisonError::into_inner).is_empty() {
            self.progress.end();
        }
    }
}
