//! The log: lines for people on standard error.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;

/// The environment variable that sets what is logged, such as `info` or `server=debug`.
pub const FILTER_VARIABLE: &str = "FOREWORD_LOG";

/// Starts logging to standard error, with colours on a terminal. What is logged is set by
/// [`FILTER_VARIABLE`], else by `default`.
pub fn start(default: &str) {
    let named = std::env::var(FILTER_VARIABLE).ok();
    let parsed = named.as_deref().map(str::parse::<EnvFilter>);
    let refused = matches!(parsed, Some(Err(_)));
    let filter = parsed.and_then(Result::ok).unwrap_or_else(|| EnvFilter::new(default));
    // A second start, as in tests, keeps the first.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .with_target(false)
        .try_init();
    if refused {
        tracing::warn!(
            "{FILTER_VARIABLE} is not a filter such as info or server=debug; using {default}"
        );
    }
}
