//! What the program says. A reader that went away (`foreword … | head`) is no reason to
//! fail, least of all for a server.

use std::fmt::Display;
use std::io::{ErrorKind, Write, stderr, stdout};

/// Says something on standard output.
pub(crate) fn say(text: impl Display) {
    let written = writeln!(stdout(), "{text}").and_then(|()| stdout().flush());
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            remark(format_args!("error: cannot write to standard output: {error}"));
        }
        _ => {}
    }
}

/// Says something on standard error, beside what was asked for.
pub(crate) fn remark(text: impl Display) {
    // There is nowhere left to complain to.
    let _ = writeln!(stderr(), "{text}");
}
