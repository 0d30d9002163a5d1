//! Opening a model's file as a server does, apart from any shop: to measure what it costs.

use std::path::Path;

use recommender::model::ModelError;
use storage::{ModelVersion, Snapshot, SnapshotError};

use crate::generation::VersionedModel;

/// Why a file is no model's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpeningError {
    /// It is not a snapshot, or a damaged one, or cannot be read.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// Its sections are not those of a model.
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// A model whose file is mapped, for as long as this lives.
#[derive(Debug)]
pub struct Opened {
    snapshot: Snapshot,
    model: VersionedModel,
}

impl Opened {
    /// Maps a file and checks all that a server checks before it serves from it, but for the
    /// checksums of the sections: the header, the shape of each section, that items and rows ascend.
    ///
    /// # Errors
    ///
    /// [`OpeningError`].
    pub fn open(path: &Path) -> Result<Self, OpeningError> {
        let snapshot = Snapshot::open(path)?;
        // Outside a folder of models a file has no version.
        let model = VersionedModel::from_snapshot(ModelVersion(0), &snapshot)?;
        Ok(Self { snapshot, model })
    }

    /// Checks the checksums, as a server does too. Reads every byte through the mapping.
    ///
    /// # Errors
    ///
    /// [`OpeningError::Snapshot`] names the damaged section.
    pub fn check_sums(&self) -> Result<(), OpeningError> {
        Ok(self.snapshot.verify()?)
    }

    /// The length of the file in bytes.
    #[must_use]
    pub fn file_bytes(&self) -> u64 {
        self.snapshot.file_bytes()
    }

    /// Items of the model.
    #[must_use]
    pub fn item_count(&self) -> usize {
        self.model.model.item_count()
    }
}
