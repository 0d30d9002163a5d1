//! Which descriptors belong to files in the folder.
//!
//! Asked for each write of the process, sockets included, so the answer is kept. One that is not
//! known yet, since it was made by other means than `open`, is looked up.

use std::sync::atomic::{AtomicU8, Ordering};

use libc::c_int;

use crate::control::Control;
use crate::raw;

/// Descriptors from here on are looked up each time.
const KEPT: usize = 65_536;

const UNKNOWN: u8 = 0;
const OUTSIDE: u8 = 1;
const INSIDE: u8 = 2;

static STATES: [AtomicU8; KEPT] = [const { AtomicU8::new(UNKNOWN) }; KEPT];

/// The control, if this descriptor belongs to a file that may misbehave.
pub(crate) fn inside(fd: c_int) -> Option<&'static Control> {
    let control = Control::get()?;
    let Some(state) = usize::try_from(fd).ok().and_then(|fd| STATES.get(fd)) else {
        return (look_up(control, fd) == INSIDE).then_some(control);
    };
    let known = match state.load(Ordering::Relaxed) {
        UNKNOWN => {
            let known = look_up(control, fd);
            state.store(known, Ordering::Relaxed);
            known
        }
        known => known,
    };
    (known == INSIDE).then_some(control)
}

/// Forgets a descriptor, which is about to be closed or has just been opened.
pub(crate) fn forget(fd: c_int) {
    if let Some(state) = usize::try_from(fd).ok().and_then(|fd| STATES.get(fd)) {
        state.store(UNKNOWN, Ordering::Relaxed);
    }
}

fn look_up(control: &Control, fd: c_int) -> u8 {
    let mut name = [0; libc::PATH_MAX as usize];
    match raw::name_of(fd, &mut name) {
        // A bad descriptor: the call itself will say so, and it may be good later.
        None => UNKNOWN,
        Some(name) if !name.ends_with(b"-shm") => match name.strip_prefix(&*control.folder) {
            // The folder itself, which is synced too, or what is in it.
            Some([] | [b'/', ..]) => INSIDE,
            _ => OUTSIDE,
        },
        Some(_) => OUTSIDE,
    }
}
