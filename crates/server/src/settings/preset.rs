//! `train.preset`: one word for how much time a training may take.

use std::fmt::{self, Display, Formatter};

use serde::Deserialize;
use toml::{Table, Value};

use super::layers::Layers;
use super::source::Source;

/// How much a training may cost; other keys of `[train]` that are set stay as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// Less time, and a little less quality.
    Fast,
    /// The reference's values.
    Balanced,
    /// More time, for the last percent.
    Best,
}

impl Preset {
    /// Neighbours, entries of a row, factors and iterations. Chosen on validation parts;
    /// `docs/evaluation.md` has the commands that tell what they take and bring.
    fn values(self) -> &'static [(&'static str, i64)] {
        match self {
            Self::Fast => &[
                ("neighbours", 120),
                ("row_entries", 300),
                ("factors", 128),
                ("low_pass_iterations", 3),
            ],
            Self::Balanced => &[
                ("neighbours", 200),
                ("row_entries", 600),
                ("factors", 512),
                ("low_pass_iterations", 4),
            ],
            Self::Best => &[
                ("neighbours", 300),
                ("row_entries", 1000),
                ("factors", 1024),
                ("low_pass_iterations", 6),
            ],
        }
    }
}

impl Display for Preset {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Fast => "fast",
            Self::Balanced => "balanced",
            Self::Best => "best",
        })
    }
}

/// Takes the preset's values for keys that nobody has set, if somebody set the preset: the
/// reference's has the reference's values. A word that is no preset is told when the settings
/// are read.
pub(super) fn fill(layers: &mut Layers) {
    let path = ["train", "preset"].map(str::to_owned).to_vec();
    let preset = layers.entries.get(&path).filter(|entry| entry.source != Source::Default);
    let preset = preset.map(|entry| entry.value.clone());
    if let Some(Ok(preset)) = preset.map(Preset::deserialize) {
        let values = preset.values().iter();
        let values = values.map(|(key, value)| ((*key).to_owned(), Value::Integer(*value)));
        layers.fill("train", &values.collect::<Table>(), &Source::Preset);
    }
}
