//! What ends one training from another thread than the one that waits for it.

use std::io;
use std::process::{Child, ChildStdin, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Ends a training: one within this process, or that of another one.
#[derive(Debug, Default)]
pub(super) struct Leash {
    /// A training within this process looks at it.
    is_pulled: Arc<AtomicBool>,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) process: Option<Child>,
    /// The standard input of the process, which ends soon once this is closed.
    input: Option<ChildStdin>,
}

impl Leash {
    /// Has the training end by itself, soon; at once if it has not begun.
    pub(super) fn pull(&self) {
        self.is_pulled.store(true, Ordering::SeqCst);
        self.held().input = None;
    }

    /// Kills the process, if there is one.
    pub(super) fn kill(&self) {
        if let Some(process) = &mut self.held().process {
            // It has ended a moment ago.
            let _ = process.kill();
        }
    }

    /// Becomes true when the training is to end.
    pub(super) fn flag(&self) -> &Arc<AtomicBool> {
        &self.is_pulled
    }

    pub(super) fn is_pulled(&self) -> bool {
        self.is_pulled.load(Ordering::SeqCst)
    }

    pub(super) fn hold(&self, process: Child) {
        self.held().process = Some(process);
    }

    pub(super) fn keep_open(&self, input: ChildStdin) {
        let mut held = self.held();
        // Whoever pulls it from here on closes this.
        held.input = (!self.is_pulled()).then_some(input);
    }

    /// Waits for the process, which was held and has closed its standard output, or is to: nobody can
    /// kill it through this any more.
    pub(super) fn wait(&self) -> io::Result<ExitStatus> {
        let mut held = self.held();
        held.input = None;
        let Some(mut process) = held.process.take() else {
            unreachable!("only who held it waits for it")
        };
        drop(held);
        process.wait()
    }

    pub(super) fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
