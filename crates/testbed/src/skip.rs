//! How a test says that it could not run: by name, in the file that `FOREWORD_SKIP_LOG` names,
//! which `cargo xtask test` reads.

use std::io::Write as _;

/// Notes that a test did not run for want of a tool, which continuous integration must have.
///
/// # Panics
///
/// If there is a log that cannot be written: a test must not be left out in silence.
#[expect(clippy::print_stderr, reason = "who runs one test by hand should see it too")]
pub fn tool(test: &str, reason: &str) {
    let line = format!("tool: {test}: {reason}");
    eprintln!("skipped: {line}");
    if let Some(log) = std::env::var_os("FOREWORD_SKIP_LOG") {
        let file = std::fs::File::options().append(true).create(true).open(log);
        let written = file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
        written.expect("the skip log can be written");
    }
}
