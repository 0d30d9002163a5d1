//! Exit codes. `clap` ends with 2 for wrong arguments.

use std::process::ExitCode;

/// It worked, or the service was told to stop and did.
pub(crate) const SUCCESS: ExitCode = ExitCode::SUCCESS;

/// It failed; the reason is on standard error.
pub(crate) const FAILURE: ExitCode = ExitCode::FAILURE;

/// Exit code of an import with `--keep-going` that left out rows.
pub(crate) const ROWS_REFUSED: u8 = 3;

/// Exit code of work that was stopped by Ctrl-C or SIGTERM before its end: 128 + SIGINT,
/// as shells have it.
pub(crate) const INTERRUPTED: u8 = 130;
