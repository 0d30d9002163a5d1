//! Locks without poison, from std. `tests/loom.rs` puts loom's in their place.

use std::sync::PoisonError;
use std::time::Duration;

pub(crate) use std::sync::atomic::{AtomicBool, Ordering};
pub(crate) use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// Locks. A panic elsewhere leaves nothing half done under our locks.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits, for at most `patience`; says whether that time has passed.
pub(crate) fn wait<'a, T>(
    condvar: &Condvar,
    guard: MutexGuard<'a, T>,
    patience: Option<Duration>,
) -> (MutexGuard<'a, T>, bool) {
    match patience {
        None => (condvar.wait(guard).unwrap_or_else(PoisonError::into_inner), false),
        Some(patience) => {
            let (guard, result) =
                condvar.wait_timeout(guard, patience).unwrap_or_else(PoisonError::into_inner);
            (guard, result.timed_out())
        }
    }
}
