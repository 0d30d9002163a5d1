//! Letters: wakers that go by mail.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Wake, Waker};

use super::Place;
use super::here::with_here;
use crate::watchdog::Pace;

/// Wakes whoever awaits a job, through the mailbox of the loop where that is.
pub(crate) struct Letter {
    pub(super) place: Arc<Place>,
    pub(super) waker: Waker,
}

/// Keeps the letter of one job, because it is polled again with the same waker more often than
/// with another.
#[derive(Debug, Default)]
pub(crate) struct Sender(Option<Arc<Letter>>);

impl Sender {
    /// A waker that wakes by mail, if the calling thread runs a loop.
    pub(crate) fn waker(&mut self, waker: &Waker) -> Option<Waker> {
        let place = with_here(|here| here.is_driven().then(|| Arc::clone(&here.place)))??;
        let kept = self
            .0
            .take()
            .filter(|letter| letter.waker.will_wake(waker) && Arc::ptr_eq(&letter.place, &place));
        let letter = kept.unwrap_or_else(|| Arc::new(Letter { place, waker: waker.clone() }));
        Some(Waker::from(Arc::clone(self.0.insert(letter))))
    }
}

impl Letter {
    fn deliver(self: Arc<Self>) {
        match Arc::try_unwrap(self) {
            Ok(letter) => letter.waker.wake(),
            Err(letter) => letter.waker.wake_by_ref(),
        }
    }
}

impl Wake for Letter {
    fn wake(self: Arc<Self>) {
        if self.place.is_here() {
            self.deliver();
            return;
        }
        let place = Arc::clone(&self.place);
        let loops = &place.loops;
        match loops.post.leave(&place.mailbox, self) {
            Err(letter) => letter.deliver(),
            Ok(()) => {
                loops.watch.rouse(Pace::Steady);
                if !loops.is_rung_for_here() {
                    loops.tell();
                }
            }
        }
    }
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Letter").field(&self.waker).finish()
    }
}

/// Delivers letters and empties the list.
pub(super) fn deliver(letters: &mut Vec<Arc<Letter>>) {
    for letter in letters.drain(..) {
        // A waker that panics shall not keep the others from their letters.
        if catch_unwind(AssertUnwindSafe(|| letter.deliver())).is_err() {
            tracing::error!("a waker panicked");
        }
    }
}
