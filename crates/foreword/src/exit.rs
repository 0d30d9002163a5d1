//! Exit codes: all of them, in one table, which the program's help and its manual print.

use std::process::ExitCode;

use marketplace::MarketplaceError;
use server::serve::ServeError;
use server::settings::SettingsError;

/// It worked, or the service was told to stop and did.
pub(crate) const SUCCESS: ExitCode = ExitCode::SUCCESS;

/// It failed; the reason is on standard error.
pub(crate) const FAILURE: ExitCode = ExitCode::FAILURE;

/// Wrong arguments: the code of clap.
pub(crate) const WRONG_ARGUMENTS: u8 = 2;

/// Exit code of an import with `--keep-going` that left out rows.
pub(crate) const ROWS_REFUSED: u8 = 3;

/// Settings cannot be used.
pub(crate) const BAD_SETTINGS: u8 = 4;

/// Exit code of work that was stopped by Ctrl-C or SIGTERM before its end: 128 + SIGINT,
/// as shells have it.
pub(crate) const INTERRUPTED: u8 = 130;

/// Every code and what it says.
pub(crate) const CODES: [(u8, &str); 6] = [
    (0, "success; a service that was told to stop, and did, ends with it too"),
    (1, "failure; the reason is on standard error"),
    (WRONG_ARGUMENTS, "wrong arguments"),
    (ROWS_REFUSED, "an import with --keep-going left out rows"),
    (BAD_SETTINGS, "settings that cannot be used, or something that serve --check-config found"),
    (INTERRUPTED, "stopped by Ctrl-C or SIGTERM before the end, or by a second signal"),
];

/// The table as the help prints it.
pub(crate) fn help() -> String {
    let lines = CODES.iter().map(|(code, meaning)| format!("  {code:>3}  {meaning}\n"));
    format!("Exit codes:\n{}", lines.collect::<String>().trim_end())
}

/// The code for an error.
pub(crate) fn of(error: &anyhow::Error) -> ExitCode {
    let is_of_settings = error.chain().any(|cause| {
        cause.is::<SettingsError>()
            || cause.downcast_ref().is_some_and(is_of_settings)
            || cause.downcast_ref().is_some_and(is_of_the_shops_settings)
    });
    if is_of_settings { ExitCode::from(BAD_SETTINGS) } else { FAILURE }
}

/// Whether the service would start with other settings, or other files that they name. An
/// address that is taken may be free the next time.
fn is_of_settings(error: &ServeError) -> bool {
    match error {
        ServeError::Open { .. }
        | ServeError::Tls(_)
        | ServeError::TokenKeys(_)
        | ServeError::Origins(_)
        | ServeError::Traces(_) => true,
        ServeError::Listen(_)
        | ServeError::Admin(_)
        | ServeError::Transport(_)
        | ServeError::Data(_)
        | ServeError::Reflection(_)
        | ServeError::Json(_)
        | ServeError::Executor(_)
        | ServeError::Broken
        | ServeError::Io(_) => false,
    }
}

/// The same of the web shop.
fn is_of_the_shops_settings(error: &MarketplaceError) -> bool {
    match error {
        MarketplaceError::Settings(_)
        | MarketplaceError::OpenDemo { .. }
        | MarketplaceError::Tls(_)
        | MarketplaceError::Channel(_) => true,
        MarketplaceError::Listen(_)
        | MarketplaceError::Executor(_)
        | MarketplaceError::Transport(_)
        | MarketplaceError::Broken
        | MarketplaceError::Io(_) => false,
    }
}
