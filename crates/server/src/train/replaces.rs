//! Which model a training was decided on: one that somebody chose since is left as it is.

use serde::{Deserialize, Serialize};
use storage::ModelFolder;

use super::TrainError;

/// The model that a new one is to take the place of.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Replaces {
    /// Whichever is active.
    Any,
    /// This version, which had news to learn; `None` if no model was active.
    Only(Option<u64>),
}

impl Replaces {
    /// Compares it with the active model.
    ///
    /// # Errors
    ///
    /// [`TrainError::AnotherActive`], or [`TrainError::Models`] if it cannot be told.
    pub(super) fn check(self, models: &ModelFolder) -> Result<(), TrainError> {
        let Self::Only(expected) = self else { return Ok(()) };
        let found = models.active()?.map(|version| version.0);
        if found == expected { Ok(()) } else { Err(TrainError::AnotherActive) }
    }
}
