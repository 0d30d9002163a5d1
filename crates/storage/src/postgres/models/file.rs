//! A model's file, on its way into the database and out of it: in pieces, measured, checked, and only
//! then given its name.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use xxhash_rust::xxh3::Xxh3Default;

use super::{DatabaseModelsError, StoredModel};
use crate::models::{ModelFolderError, sync_folder};
use crate::snapshot::Snapshot;

/// The length of a piece, in bytes; the last one of a file may be shorter.
const CHUNK_BYTES: usize = 8 << 20;

/// The pieces of a file of this length: their places and lengths.
pub(super) fn pieces(bytes: u64) -> impl Iterator<Item = (i32, usize)> {
    let starts = (0..bytes).step_by(CHUNK_BYTES);
    (0..).zip(starts.map(move |start| {
        usize::try_from(bytes - start).map_or(CHUNK_BYTES, |left| left.min(CHUNK_BYTES))
    }))
}

/// Length and checksum of a file that is a snapshot.
pub(super) fn measure_snapshot(path: &Path) -> Result<(u64, u64), DatabaseModelsError> {
    Snapshot::open(path)
        .and_then(|snapshot| snapshot.verify())
        .map_err(|source| DatabaseModelsError::Snapshot { path: path.to_owned(), source })?;
    measure(path).map_err(failed(path))
}

fn measure(path: &Path) -> io::Result<(u64, u64)> {
    let mut hashed = Hashed::open(path)?;
    let bytes = hashed.file.metadata()?.len();
    for (_, length) in pieces(bytes) {
        (hashed, _) = read_piece(hashed, length)?;
    }
    Ok((bytes, hashed.checksum()))
}

/// A file that is read, and the checksum of what was read so far.
pub(super) struct Hashed {
    file: File,
    hasher: Xxh3Default,
}

impl Hashed {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::open(path)?, hasher: Xxh3Default::new() })
    }

    /// The checksum of what was read so far.
    pub(super) fn checksum(&self) -> u64 {
        self.hasher.digest()
    }
}

/// Reads the next bytes.
pub(super) fn read_piece(mut hashed: Hashed, length: usize) -> io::Result<(Hashed, Vec<u8>)> {
    let mut piece = vec![0; length];
    hashed.file.read_exact(&mut piece)?;
    hashed.hasher.update(&piece);
    Ok((hashed, piece))
}

/// The snapshot in a file, if it is this version, whole.
pub(super) fn verified(path: &Path, model: &StoredModel) -> Option<Snapshot> {
    let is_same = measure(path).is_ok_and(|found| found == (model.bytes, model.xxh3));
    let snapshot = is_same.then(|| Snapshot::open(path).ok()).flatten()?;
    snapshot.verify().is_ok().then_some(snapshot)
}

/// Checks what was fetched, then gives it its name.
pub(super) fn finish(
    model: &StoredModel,
    unfinished: &Unfinished,
    path: &Path,
) -> Result<Snapshot, DatabaseModelsError> {
    let (bytes, xxh3) = measure(&unfinished.0).map_err(failed(&unfinished.0))?;
    agree(model, "length", bytes, model.bytes)?;
    agree(model, "checksum", xxh3, model.xxh3)?;
    let version = model.version;
    let damaged =
        |source| ModelFolderError::Damaged { version, path: unfinished.0.clone(), source };
    let snapshot = Snapshot::open(&unfinished.0).map_err(damaged)?;
    snapshot.verify().map_err(damaged)?;
    fs::rename(&unfinished.0, path).map_err(failed(path))?;
    if let Some(folder) = path.parent() {
        sync_folder(folder)?;
    }
    Ok(snapshot)
}

/// A file that is being fetched; removed when dropped, unless it got its name. What a killed
/// process leaves behind, [`ModelFolder::lock`] removes.
pub(super) struct Unfinished(pub(super) PathBuf);

impl Unfinished {
    /// A name that nobody else uses, in this process or another.
    pub(super) fn beside(path: &Path) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self(path.with_added_extension(format!("{}-{count}.unfinished", std::process::id())))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Gone already if it was renamed.
        let _ = fs::remove_file(&self.0);
    }
}

pub(super) fn failed(path: &Path) -> impl FnOnce(io::Error) -> DatabaseModelsError {
    let path = path.to_owned();
    move |source| ModelFolderError::Io { path, source }.into()
}

/// Holds what was found against what was published.
pub(super) fn agree(
    model: &StoredModel,
    what: &'static str,
    found: u64,
    expected: u64,
) -> Result<(), DatabaseModelsError> {
    if found == expected {
        return Ok(());
    }
    Err(DatabaseModelsError::Differs { version: model.version, what, found, expected })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_a_file_once_in_order() {
        let check = |bytes: u64, expected: &[(i32, usize)]| {
            assert_eq!(pieces(bytes).collect::<Vec<_>>(), expected, "{bytes}");
        };
        check(0, &[]);
        check(1, &[(0, 1)]);
        check(CHUNK_BYTES as u64, &[(0, CHUNK_BYTES)]);
        check(2 * CHUNK_BYTES as u64 + 3, &[(0, CHUNK_BYTES), (1, CHUNK_BYTES), (2, 3)]);
    }
}
