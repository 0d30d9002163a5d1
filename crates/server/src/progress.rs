//! Progress of long work, told to whoever shows it.

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
