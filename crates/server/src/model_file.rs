//! A model's file: the sections that the engine makes of a model, as a snapshot holds them.

use std::path::Path;

use recommender::model::SummaryBytes;
use recommender::{Model, ShopId};
use storage::{Section, SnapshotError, SnapshotHeader, write_snapshot};

/// Writes a model into a file of its own, and waits until it is on disk.
///
/// # Errors
///
/// [`SnapshotError::Io`] if it cannot be written.
pub fn write_model(path: &Path, model: &Model) -> Result<(), SnapshotError> {
    let summary = model.summary().to_bytes();
    let header = SnapshotHeader { shop: ShopId::ONLY, simulated: model.is_simulated() };
    write_snapshot(path, header, &sections(model, &summary))?;
    Ok(())
}

/// The sections that a model's file holds.
pub(crate) fn sections<'a>(model: &'a Model, summary: &'a SummaryBytes) -> Vec<Section<'a>> {
    let of_engine = model.sections(summary);
    let section = |section: recommender::model::Section<'a>| Section {
        tag: section.tag,
        element_bytes: section.element_bytes,
        bytes: section.bytes,
    };
    of_engine.into_iter().map(section).collect()
}
