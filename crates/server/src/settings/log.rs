//! `[log]`: how the service's log is written, and how much of it.

use serde::Deserialize;

use super::Check;
use crate::telemetry::log::Levels;

/// The log.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSection {
    /// How a line looks.
    pub format: LogFormat,
    /// How much is logged, as [`Levels`] are written.
    levels: String,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Human,
    /// For programs: an object of JSON.
    Json,
}

impl LogSection {
    /// How much is logged.
    #[must_use]
    pub fn levels(&self) -> Levels {
        // They were checked when they were read.
        self.levels.parse().unwrap_or_else(|_| Levels::warnings())
    }

    pub(super) fn check(&self, check: &mut Check) {
        let parsed = self.levels.parse::<Levels>();
        let expected = "levels such as info,access=warn: error, warn, info, debug, trace or off";
        check.expect("log.levels", format_args!("{:?}", self.levels), parsed.is_ok(), expected);
    }
}
