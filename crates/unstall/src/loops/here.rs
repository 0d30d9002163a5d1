//! What a thread knows of the loop that it runs, and the wakes that it has put off.

use std::cell::RefCell;
use std::sync::Arc;
use std::task::Waker;

use tokio::runtime::{Handle, Id, RuntimeFlavor};

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
pub(super) struct Here {
    pub(super) place: Arc<Place>,
    runtime: Id,
    /// Wakes the postman.
    bell: Waker,
    /// Workers that are called and not woken yet.
    put_off: Vec<Arc<Parking>>,
    /// Jobs that were pushed since the first of them was put off.
    pushes: usize,
    /// The mailbox' other list, so that none is ever allocated anew.
    pub(super) letters: Vec<Arc<Letter>>,
}

impl Here {
    pub(super) fn is_at(&self, place: &Place) -> bool {
        std::ptr::eq(&*self.place, place)
    }

    /// Whether the thread runs the loop now. It may have left it, or be in another's.
    pub(super) fn is_driven(&self) -> bool {
        Handle::try_current().is_ok_and(|current| current.id() == self.runtime)
    }

    pub(super) fn wake_put_off(&mut self) {
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
pub(super) fn with_here<T>(act: impl FnOnce(&mut Here) -> T) -> Option<T> {
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

/// Lets the calling thread know that it runs a loop, whose postman has this bell.
pub(super) fn arrive(place: &Arc<Place>, bell: &Waker) {
    if with_here(|here| here.is_at(place) && here.bell.will_wake(bell)) == Some(true) {
        return;
    }
    let Ok(runtime) = Handle::try_current() else { return };
    if runtime.runtime_flavor() != RuntimeFlavor::CurrentThread {
        // Its tasks go from thread to thread, and so would the postman.
        return;
    }
    place.mailbox.attend(bell.clone());
    let here = Here {
        place: Arc::clone(place),
        runtime: runtime.id(),
        bell: bell.clone(),
        put_off: Vec::new(),
        pushes: 0,
        letters: Vec::new(),
    };
    // Whatever was there is dropped when the thread's own variable is free again.
    let _before = HERE.try_with(|known| known.replace(Some(here)));
}

/// Lets the calling thread forget a loop.
pub(super) fn leave(place: &Place) {
    let _left = HERE.try_with(|known| known.borrow_mut().take_if(|here| here.is_at(place)));
}
