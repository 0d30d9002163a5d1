//! What a thread knows of the loop that it runs, and the wakes that it has put off.

use std::cell::RefCell;
use std::sync::Arc;
use std::task::Waker;

use tokio::runtime::{Handle, Id};

use super::Place;
use super::letter::Letter;
use crate::executor::lane::Parking;

/// So many jobs are pushed by a loop before a worker is fetched, unless the postman comes first.
/// Measured: with 4 there are more switches between threads, with 64 the jobs no longer fit into
/// the cache.
const PUSHES_MAX: usize = 16;

thread_local! {
    /// The loop that the thread last ran.
    static HERE: RefCell<Option<Here>> = const { RefCell::new(None) };
}

/// What a loop's thread knows of itself.
struct Here {
    place: Arc<Place>,
    runtime: Id,
    /// Wakes the postman.
    bell: Waker,
    /// Workers that are called and not woken yet.
    put_off: Vec<Arc<Parking>>,
    /// Jobs that were pushed since the first of them was put off.
    pushes: usize,
    /// The mailbox' other list, so that none is ever allocated anew.
    letters: Vec<Arc<Letter>>,
}

impl Here {
    fn is_at(&self, place: &Place) -> bool {
        std::ptr::eq(&*self.place, place)
    }

    /// Whether the thread runs the loop now. It may have left it, or be in another's.
    fn is_driven(&self) -> bool {
        Handle::try_current().is_ok_and(|current| current.id() == self.runtime)
    }

    fn wake_put_off(&mut self) {
        self.pushes = 0;
        for parking in self.put_off.drain(..) {
            parking.wake();
        }
    }

    /// Puts a worker's wake off. Returns the postman's bell if that is the first.
    fn put_off(&mut self, parking: Arc<Parking>) -> Option<Waker> {
        let first = self.put_off.is_empty();
        if !self.put_off.iter().any(|other| Arc::ptr_eq(other, &parking)) {
            self.put_off.push(parking);
        }
        self.pushes += 1;
        if self.pushes >= PUSHES_MAX {
            self.wake_put_off();
        }
        first.then(|| self.bell.clone())
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        self.wake_put_off();
    }
}

/// Does something with the loop of the calling thread. Nothing that could come back here.
fn with_here<T>(act: impl FnOnce(&mut Here) -> T) -> Option<T> {
    // A thread that is ending has none any more.
    HERE.try_with(|here| here.borrow_mut().as_mut().map(act)).ok().flatten()
}

/// Wakes a worker that was called: soon if the calling thread runs a loop, or else at once.
pub(crate) fn wake(parking: Arc<Parking>) {
    let mut parking = Some(parking);
    let bell = with_here(|here| {
        let parking = parking.take_if(|_| here.is_driven())?;
        here.put_off(parking)
    });
    if let Some(parking) = parking {
        parking.wake();
    }
    if let Some(bell) = bell.flatten() {
        bell.wake();
    }
}

