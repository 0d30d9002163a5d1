//! The folder of model versions, and which of them is active.
//!
//! ```text
//! models/000000000012.snapshot    a version: complete, verified, never changed
//! models/active                   the file name of the active one
//! models/training.lock            locked by whoever trains
//! models/*.unfinished             left by a run that was killed; removed by the next
//! ```
//!
//! Every change is a rename, so that a reader, at any moment and after any crash,
//! finds the old state or the new one. Everything here blocks on the file system:
//! call it off the async threads.

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use crate::private;
use crate::snapshot::{Section, Snapshot, SnapshotError, SnapshotHeader, write_snapshot};

const ACTIVE: &str = "active";
const LOCK: &str = "training.lock";
const UNFINISHED: &str = ".unfinished";

/// The number of a model version. A later version has a higher one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelVersion(pub u64);

impl fmt::Display for ModelVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl ModelVersion {
    /// The name of its file, such as `000000000012.snapshot`.
    #[must_use]
    pub fn file_name(self) -> String {
        format!("{:012}.snapshot", self.0)
    }

    /// The version whose file has exactly this name, or `None`.
    #[must_use]
    pub fn from_file_name(name: &str) -> Option<Self> {
        let version = Self(name.strip_suffix(".snapshot")?.parse().ok()?);
        (version.file_name() == name).then_some(version)
    }
}

/// Why a model folder refused or failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelFolderError {
    /// The folder or a file in it could not be used.
    #[error("cannot use {}: {source}", path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Somebody else holds the [`TrainingLock`].
    #[error("another training is running: {} is locked", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// There is no such version.
    #[error("model version {version} not found{}", instead(known))]
    UnknownVersion {
        /// The version asked for.
        version: ModelVersion,
        /// The versions there are.
        known: Vec<ModelVersion>,
    },
    /// The file that names the active version names none.
    #[error(
        "{} says {found:?}, expected only the file name of a model version such as 000000000012.snapshot; training writes it anew", path.display()
    )]
    ActivePointer {
        /// The file.
        path: PathBuf,
        /// What it says, cut after 80 characters.
        found: String,
    },
    /// The file of a version is not what it was.
    #[error("model version {version} is damaged: {}: {source}", path.display())]
    Damaged {
        /// The version.
        version: ModelVersion,
        /// Its file.
        path: PathBuf,
        /// What is wrong with its file.
        source: SnapshotError,
    },
    /// A new version could not be written.
    #[error("cannot write model version {version}: {source}")]
    NotWritten {
        /// The version.
        version: ModelVersion,
        /// What went wrong.
        source: SnapshotError,
    },
}

/// How the message about an unknown version ends.
fn instead(known: &[ModelVersion]) -> String {
    if known.is_empty() {
        return ": there are no models, train one first".to_owned();
    }
    let known: Vec<String> = known.iter().map(ToString::to_string).collect();
    format!(", expected one of {}", known.join(", "))
}

/// The right to change a [`ModelFolder`]. At most one exists for a folder, among
/// all processes; dropping it, or dying, gives it up.
#[derive(Debug)]
pub struct TrainingLock {
    _file: File,
    folder: PathBuf,
}

/// A folder of model versions. Cloning is cheap; nothing is kept in memory.
#[derive(Clone, Debug)]
pub struct ModelFolder {
    folder: PathBuf,
}

impl ModelFolder {
    /// Opens a folder of models, creating it if there is none.
    ///
    /// # Errors
    ///
    /// [`ModelFolderError::Io`].
    pub fn open(folder: &Path) -> Result<Self, ModelFolderError> {
        private::create_folder(folder).map_err(failed(folder))?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Takes the right to change the folder, without waiting, and removes what
    /// killed runs left behind.
    ///
    /// # Errors
    ///
    /// [`ModelFolderError::Locked`] if another training, here or in another process,
    /// has it; [`ModelFolderError::Io`].
    pub fn lock(&self) -> Result<TrainingLock, ModelFolderError> {
        let path = self.folder.join(LOCK);
        let file = File::create(&path).map_err(failed(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ModelFolderError::Locked { path }),
            Err(TryLockError::Error(source)) => return Err(ModelFolderError::Io { path, source }),
        }
        for name in self.file_names()? {
            if name.ends_with(UNFINISHED) {
                let path = self.folder.join(name);
                fs::remove_file(&path).map_err(failed(&path))?;
            }
        }
        Ok(TrainingLock { _file: file, folder: self.folder.clone() })
    }

    /// Writes a new version, verifies it, activates it, and removes old versions
    /// until `keep` are left. Returns the new version.
    ///
    /// # Errors
    ///
    /// [`ModelFolderError::NotWritten`], [`Damaged`](ModelFolderError::Damaged) if
    /// the disk does not give back what was written, or
    /// [`Io`](ModelFolderError::Io). The version active before stays active.
    pub fn publish(
        &self,
        lock: &TrainingLock,
        header: SnapshotHeader,
        sections: &[Section<'_>],
        keep: NonZeroUsize,
    ) -> Result<ModelVersion, ModelFolderError> {
        debug_assert_eq!(lock.folder, self.folder, "a lock is for one folder");
        let version = self.next_version()?;
        let path = self.path(version);
        self.replace(&path, |unfinished| {
            write_snapshot(unfinished, header, sections)
                .map_err(|source| ModelFolderError::NotWritten { version, source })?;
            // Before it has its name: a version that is complete and not active is one that
            // somebody left, so as little time as can be lies between that and the pointer.
            verified(unfinished)
                .map(drop)
                .map_err(|source| damaged(version, unfinished.to_owned(), source))
        })?;
        self.point_to(version)?;
        self.prune(version, keep)?;
        Ok(version)
    }

    /// Where a model can be written that has no version yet; what is left there is removed by the
    /// next [`lock`](Self::lock).
    #[must_use]
    pub fn draft(&self, lock: &TrainingLock) -> PathBuf {
        debug_assert_eq!(lock.folder, self.folder, "a lock is for one folder");
        self.folder.join(format!("draft{UNFINISHED}"))
    }

    /// Gives the [`draft`](Self::draft) a version that was assigned elsewhere, in place of any file
    /// of that version.
    ///
    /// # Errors
    ///
    /// [`ModelFolderError::Io`].
    pub fn adopt(
        &self,
        lock: &TrainingLock,
        version: ModelVersion,
    ) -> Result<(), ModelFolderError> {
        let path = self.path(version);
        fs::rename(self.draft(lock), &path).map_err(failed(&path))?;
        sync_folder(&self.folder)
    }

    /// Makes this version the active one, after verifying it.
    ///
    /// # Errors
    ///
    /// [`ModelFolderError::UnknownVersion`], [`Damaged`](ModelFolderError::Damaged)
    /// or [`Io`](ModelFolderError::Io). The version active before stays active.
    pub fn activate(
        &self,
        lock: &TrainingLock,
        version: ModelVersion,
    ) -> Result<(), ModelFolderError> {
        debug_assert_eq!(lock.folder, self.folder, "a lock is for one folder");
        self.open_version(version)?;
        self.point_to(version)
    }

    /// The active version, or `None` if there is none yet. Reads one small file.
    ///
    /// # Errors
    ///
    /// [`ModelFolderError::ActivePointer`] or [`Io`](ModelFolderError::Io).
    pub fn active(&self) -> Result<Option<ModelVersion>, ModelFolderError> {
        let path = self.folder.join(ACTIVE);
        let text = match fs::read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(ModelFolderError::Io { path, source }),
        };
        // Whoever points to a version by hand may leave out the line break.
        match ModelVersion::from_file_name(text.strip_suffix('\n').unwrap_or(&text)) {
            Some(version) => Ok(Some(version)),
            None => {
                let found = text.chars().take(80).collect();
                Err(ModelFolderError::ActivePointer { path, found })
            }
        }
    }

    /// The verified snapshot of this version. Reads the whole file.
    ///
    /// # Errors
    ///
    /// [`ModelFolderError::UnknownVersion`], [`Damaged`](ModelFolderError::Damaged)
    /// or [`Io`](ModelFolderError::Io).
    pub fn open_version(&self, version: ModelVersion) -> Result<Snapshot, ModelFolderError> {
        let path = self.path(version);
        verified(&path).or_else(|source| match source {
            SnapshotError::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                Err(ModelFolderError::UnknownVersion { version, known: self.versions()? })
            }
            source => Err(damaged(version, path, source)),
        })
    }

    /// The versions there are, newest first. Their files are not opened.
    ///
    /// # Errors
    ///
    /// [`ModelFolderError::Io`].
    pub fn versions(&self) -> Result<Vec<ModelVersion>, ModelFolderError> {
        let names = self.file_names()?;
        let mut versions: Vec<ModelVersion> =
            names.iter().filter_map(|name| ModelVersion::from_file_name(name)).collect();
        versions.sort_unstable_by(|left, right| right.cmp(left));
        Ok(versions)
    }

    /// Where the file of this version is, if there is such a version.
    #[must_use]
    pub fn path(&self, version: ModelVersion) -> PathBuf {
        self.folder.join(version.file_name())
    }

    /// Writes down which version is active.
    fn point_to(&self, version: ModelVersion) -> Result<(), ModelFolderError> {
        self.replace(&self.folder.join(ACTIVE), |unfinished| {
            let write = || {
                let mut file = File::create(unfinished)?;
                writeln!(file, "{}", version.file_name())?;
                file.sync_all()
            };
            write().map_err(failed(unfinished))
        })
    }

    /// One more than any version there is or, as far as is known, was.
    fn next_version(&self) -> Result<ModelVersion, ModelFolderError> {
        let active = match self.active() {
            Err(error @ ModelFolderError::ActivePointer { .. }) => {
                // About to be replaced, which repairs it.
                tracing::warn!(%error, "active model unknown");
                None
            }
            active => active?,
        };
        let newest = self.versions()?.first().copied().max(active);
        Ok(ModelVersion(newest.map_or(0, |version| version.0) + 1))
    }

    /// Removes all but the newest `keep` versions, but never this one, which is active.
    ///
    /// # Errors
    ///
    /// [`ModelFolderError::Io`] if they cannot be listed. One that cannot be removed is logged.
    pub fn prune(&self, active: ModelVersion, keep: NonZeroUsize) -> Result<(), ModelFolderError> {
        for version in self.versions()?.into_iter().skip(keep.get()) {
            if version != active {
                let path = self.path(version);
                if let Err(error) = fs::remove_file(&path) {
                    // The new version is out all the same; the next run tries again.
                    tracing::warn!(%error, path = %path.display(), "cannot remove an old model");
                }
            }
        }
        Ok(())
    }

    /// Replaces a file in one step, so that it is the old one or the new one.
    fn replace(
        &self,
        path: &Path,
        write: impl FnOnce(&Path) -> Result<(), ModelFolderError>,
    ) -> Result<(), ModelFolderError> {
        let unfinished = path.with_added_extension(&UNFINISHED[1..]);
        let replaced = write(&unfinished)
            .and_then(|()| fs::rename(&unfinished, path).map_err(failed(path)))
            .and_then(|()| sync_folder(&self.folder));
        if replaced.is_err() {
            // A full disk should not stay full; the next lock would remove it too.
            let _ = fs::remove_file(&unfinished);
        }
        replaced
    }

    fn file_names(&self) -> Result<Vec<String>, ModelFolderError> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed(&self.folder))? {
            let entry = entry.map_err(failed(&self.folder))?;
            // A name that is not UTF-8 is none of ours.
            names.extend(entry.file_name().into_string());
        }
        Ok(names)
    }
}

/// The snapshot in a file, if all of it is as it was written.
fn verified(path: &Path) -> Result<Snapshot, SnapshotError> {
    let snapshot = Snapshot::open(path)?;
    snapshot.verify()?;
    Ok(snapshot)
}

fn damaged(version: ModelVersion, path: PathBuf, source: SnapshotError) -> ModelFolderError {
    match source {
        SnapshotError::Io { path, source } => ModelFolderError::Io { path, source },
        source => ModelFolderError::Damaged { version, path, source },
    }
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> ModelFolderError {
    let path = path.to_owned();
    move |source| ModelFolderError::Io { path, source }
}

/// Makes renames in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), ModelFolderError> {
    private::sync_folder(folder).map_err(failed(folder))
}
