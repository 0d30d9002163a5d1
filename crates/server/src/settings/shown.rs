//! Every key with its value and where it is from, secrets masked.

use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::layers::Layers;
use super::reference::{BUILT_IN, Reference};
use super::source::Sources;
use super::{Settings, SettingsError};

/// One key as it is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// The key with its section.
    pub key: String,
    /// Its value as TOML; `***` for a secret that is set.
    pub value: String,
    /// Where it is from: `default`, a file and its line, a variable or a flag.
    pub source: String,
    /// Whether it is the reference's value.
    pub is_default: bool,
}

/// What settings were read from, and what was found there.
#[derive(Clone, Default)]
pub(super) struct Origin {
    pub(super) sources: Arc<Sources>,
    pub(super) layers: Arc<Layers>,
}

/// Values may be secret.
impl Debug for Origin {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        self.sources.fmt(formatter)
    }
}

impl Sources {
    /// Reads the settings.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] lists every unknown key and every value of a wrong kind, and names the
    /// place of each.
    pub fn read(&self) -> Result<Settings, SettingsError> {
        Settings::of(Layers::of::<Settings>(&BUILT_IN, self), Arc::new(self.clone()))
    }

    /// Reads what another part of the program has in the same sources, such as `[marketplace]`.
    ///
    /// # Errors
    ///
    /// As [`Sources::read`], for the keys of that part.
    pub fn read_part<T: DeserializeOwned>(
        &self,
        reference: &'static Reference,
    ) -> Result<T, SettingsError> {
        Layers::of::<T>(reference, self).read()
    }
}

impl Settings {
    pub(super) fn of(mut layers: Layers, sources: Arc<Sources>) -> Result<Self, SettingsError> {
        let mut settings: Self = layers.read()?;
        layers.refuse(settings.check())?;
        settings.origin = Origin { sources, layers: Arc::new(layers) };
        Ok(settings)
    }

    /// Every key, in the order of their names.
    #[must_use]
    pub fn shown(&self) -> Vec<Shown> {
        self.origin.layers.shown()
    }

    /// What the settings were read from.
    #[must_use]
    pub fn sources(&self) -> &Sources {
        &self.origin.sources
    }
}
