//! Systems on which no stack can be had.

use super::Stack;
use crate::kernel::Thread;

/// Captures nothing.
pub(crate) struct Tracer;

impl Tracer {
    /// A tracer.
    pub(crate) fn new() -> Tracer {
        Tracer
    }

    /// Nothing.
    pub(crate) fn blocked(&mut self, _: &Thread, _: u64, _: u64) -> Option<Stack> {
        None
    }

    /// Nothing.
    pub(crate) fn running(&mut self, _: &Thread) -> Option<Stack> {
        None
    }
}
