//! Panics as lines of the log, instead of a text for people from whatever thread it was.
//!
//! The line says where it was, on which thread, and in which call. Whoever catches a panic may say
//! more: `unstall` logs that a handler's cost one call, with the method, also in programs that
//! have another hook. So a handler's panic has two lines.

use std::panic::{PanicHookInfo, set_hook, take_hook};
use std::thread;

use super::{LOG_THREAD, finish, is_written};

/// The target of panics.
const PANIC: &str = "panic";

/// Lets the log tell of panics. What it does not take, because such lines are off or because it
/// has ended, is told by the hook that was there before.
pub(super) fn install() {
    let before = take_hook();
    set_hook(Box::new(move |panic| {
        let thread = thread::current();
        let name = thread.name().unwrap_or_default();
        let is_taken = is_written() && tracing::enabled!(target: PANIC, tracing::Level::ERROR);
        // The thread that writes will write no more.
        if !is_taken || name == LOG_THREAD {
            return before(panic);
        }
        tell(panic, name);
        if name == "main" {
            // The process is about to end, and nobody else would write what waits.
            finish();
        }
    }));
}

fn tell(panic: &PanicHookInfo<'_>, thread: &str) {
    let location = panic.location().map(tracing::field::display);
    let message = text(panic);
    tracing::error!(target: PANIC, location, thread, "panicked: {message}");
}

/// What a panic said. Others than of text cannot be shown.
fn text<'a>(panic: &'a PanicHookInfo<'_>) -> &'a str {
    let payload = panic.payload();
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("not with a text")
}
