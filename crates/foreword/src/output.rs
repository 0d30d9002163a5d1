//! What the program says. A reader that went away (`foreword … | head`) is no reason to
//! fail, least of all for a server.
//!
//! Colours are for a terminal: standard output and standard error are asked each by itself, and
//! `NO_COLOR` and `CLICOLOR_FORCE` count, as in the help that clap prints.

use std::fmt::Display;
use std::io::{ErrorKind, Write, stderr, stdout};

/// Says something on standard output.
pub(crate) fn say(text: impl Display) {
    let written = writeln!(stdout(), "{text}").and_then(|()| stdout().flush());
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            self::error(format_args!("cannot write to standard output: {error}"));
        }
        _ => {}
    }
}

/// Says something on standard error, beside what was asked for.
pub(crate) fn remark(text: impl Display) {
    // There is nowhere left to complain to.
    let _ = writeln!(stderr(), "{text}");
}

/// Says on standard error what went wrong.
pub(crate) fn error(text: impl Display) {
    labelled("error:", anstyle::AnsiColor::Red, &text);
}

/// Says on standard error what may be wrong.
pub(crate) fn warning(text: impl Display) {
    labelled("warning:", anstyle::AnsiColor::Yellow, &text);
}

fn labelled(label: &str, colour: anstyle::AnsiColor, text: &dyn Display) {
    let style = colour.on_default().bold();
    let _ = writeln!(anstream::stderr(), "{style}{label}{style:#} {text}");
}
