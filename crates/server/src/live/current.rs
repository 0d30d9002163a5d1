//! What is served now, and the one way to swap it.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use tokio::sync::Notify;

use super::Serving;

/// What is served. Whoever reads it waits for nobody; those who swap it take turns, so that each
/// makes the next from the one before, and only once.
#[derive(Debug)]
pub(super) struct Current {
    serving: ArcSwap<Serving>,
    turn: Mutex<()>,
    swapped: Notify,
}

impl Current {
    pub(super) fn new(serving: Serving) -> Self {
        let (turn, swapped) = (Mutex::default(), Notify::new());
        Self { serving: ArcSwap::from_pointee(serving), turn, swapped }
    }

    pub(super) fn load(&self) -> Arc<Serving> {
        self.serving.load_full()
    }

    /// Swaps in what `next` makes of what is served, and gives what was served before; `None`, if
    /// it makes nothing. Waits for its turn, and so is nothing for async threads.
    pub(super) fn swap(
        &self,
        next: impl FnOnce(&Serving) -> Option<Serving>,
    ) -> Option<Arc<Serving>> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let next = next(&self.serving.load())?;
        let before = self.serving.swap(Arc::new(next));
        self.swapped.notify_one();
        Some(before)
    }

    /// Waits for the next swap, for one who asks at a time. One since it last waited counts.
    pub(super) async fn swapped(&self) {
        self.swapped.notified().await;
    }
}
