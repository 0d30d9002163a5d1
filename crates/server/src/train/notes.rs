//! Notes: what a model's file tells of its training, beside its settings.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use toml::Table;

use super::quality::Quality;
use super::times::Times;
use super::trained_on::TrainedOn;

/// What a training notes, each a table of TOML under its name; what is not told is `None`.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Notes {
    /// The shop that it learnt from.
    pub(crate) trained_on: Option<TrainedOn>,
    /// How long it took.
    pub(crate) times: Option<Times>,
    /// How well such a model ranks.
    pub(crate) quality: Option<Quality>,
}

impl Notes {
    /// As tables of TOML.
    pub(super) fn to_toml(self) -> String {
        // Numbers under names: nothing in it that TOML lacks.
        toml::to_string(&self).unwrap_or_default()
    }

    /// What a text with such tables says. One that is not whole, as another version of the program
    /// may have written it, is not told.
    pub(crate) fn from_toml(text: &str) -> Self {
        let mut tables = text.parse::<Table>().unwrap_or_default();
        Self {
            trained_on: take(&mut tables, "trained_on"),
            times: take(&mut tables, "times"),
            quality: take(&mut tables, "quality"),
        }
    }
}

fn take<T: DeserializeOwned>(tables: &mut Table, name: &str) -> Option<T> {
    tables.remove(name)?.try_into().ok()
}
