//! A gate that handlers wait at with their thread, until the case opens it.

use std::sync::{Condvar, Mutex, PoisonError};

#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Who waits leaves when this goes on.
    opened: u64,
    waiting: usize,
}

impl Gate {
    /// Blocks the thread until the gate is opened next.
    #[inline(never)]
    pub(crate) fn wait(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = state.opened;
        state.waiting += 1;
        while state.opened == opened {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.waiting -= 1;
    }

    /// Lets those go who wait now.
    pub(crate) fn open(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).opened += 1;
        self.changed.notify_all();
    }

    /// How many threads wait.
    pub(crate) fn waiting(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).waiting
    }
}
