//! A disk that misbehaves, for one process and the files in one folder.
//!
//! A library that is loaded before all others stands in for the C library's `write`, `fsync` and
//! their like (`testbed/shim`). A test makes [`Faults`] for a folder, starts a program with their
//! environment, [arms](Faults::arm) a [`Fault`] while it runs, and reads [`Counters`], which
//! outlive the program. Works on Linux, for programs that are linked dynamically.
//!
//! ```no_run
//! # use std::process::Command;
//! # use testbed::faults::{Fault, Faults};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! let faults = Faults::in_folder(folder.path())?;
//! let mut program = Command::new("program").envs(faults.environment()).spawn()?;
//! faults.arm(Fault::PowerCut { operation: 120, seed: 7 })?;
//! program.wait()?;
//! assert!(faults.counters()?.has_fired);
//! # Ok(())
//! # }
//! ```

mod library;
#[path = "../shim/src/words.rs"]
mod words;

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Why a disk cannot be made to misbehave.
#[derive(Debug, thiserror::Error)]
pub enum FaultsError {
    /// There is no library for this system; a test that needs it is skipped.
    #[error("faults of disks need Linux")]
    Unsupported,
    /// The library cannot be built.
    #[error("cannot build the library of faults: {reason}")]
    Build {
        /// What Cargo says.
        reason: String,
    },
    /// The folder or the control file cannot be used.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// What goes wrong. Operations are writes, syncs and changes of length, counted from 1 at the
/// arming.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The process is killed at an operation. What it has written stays.
    Kill {
        /// Which operation; 0 as 1.
        operation: u64,
        /// When, seen from the operation.
        moment: Moment,
        /// Decides how much of a torn write arrives.
        seed: u64,
    },
    /// The power goes at an operation: of all that was not synced a part is undone, sector by
    /// sector, and the process is killed.
    PowerCut {
        /// Which operation; 0 as 1.
        operation: u64,
        /// Decides what is undone.
        seed: u64,
    },
    /// Some syncs fail with `EIO`, and what they should have made durable is undone.
    SyncsFail {
        /// The first that fails; 0 as 1.
        first: u64,
        /// How many fail.
        count: u64,
    },
    /// So many bytes can be written yet, then writes fail with `ENOSPC`, until another number is
    /// armed or [`Faults::disarm`] is called. The write that no longer fits is a short one.
    DiskFull {
        /// How many.
        bytes: u64,
    },
}

/// When a process is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before the operation.
    Before,
    /// Within it: of a write a part has arrived. Anything else has not happened.
    Torn,
    /// After it, and before the process learns of it.
    After,
}

/// What has happened since the faults were made. It counts what was asked for, whether or not it
/// was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Writes, syncs and changes of length.
    pub operations: u64,
    /// Writes among them.
    pub writes: u64,
    /// Calls of `fsync` and `fdatasync` among them.
    pub syncs: u64,
    /// Bytes that were written.
    pub bytes: u64,
    /// Sectors of 512 bytes that a power cut or failed syncs put back.
    pub sectors_lost: u64,
    /// Syncs that were made to fail.
    pub failed_syncs: u64,
    /// Writes that were refused or shortened for want of space.
    pub refused_writes: u64,
    /// How often changes had to be taken as durable since there was no room to remember them:
    /// with anything but 0 here a power cut was milder than it should be.
    pub forgotten: u64,
    /// Whether a process was killed by [`Fault::Kill`] or [`Fault::PowerCut`].
    pub has_fired: bool,
}

/// Faults for one folder.
#[derive(Debug)]
pub struct Faults {
    library: PathBuf,
    folder: PathBuf,
    control: File,
    control_path: PathBuf,
    _control_folder: TempDir,
}

impl Faults {
    /// Faults of all kinds for the files in this folder, which must be there, and in its folders.
    ///
    /// Builds the library first, once a process. What a program replaces is remembered until it
    /// is synced, so each of its writes is preceded by a read, and they take turns.
    ///
    /// # Errors
    ///
    /// [`FaultsError::Unsupported`] but on Linux; the others if something is broken.
    pub fn in_folder(folder: &Path) -> Result<Self, FaultsError> {
        Self::new(folder, 1)
    }

    /// The same, but nothing is remembered, and writes cost as much as ever: operations are
    /// counted, [`Fault::Kill`] and [`Fault::DiskFull`] work, syncs that fail lose nothing, and a
    /// power cut is a kill.
    ///
    /// # Errors
    ///
    /// As [`Faults::in_folder`].
    pub fn counting(folder: &Path) -> Result<Self, FaultsError> {
        Self::new(folder, 0)
    }

    fn new(folder: &Path, journal: u64) -> Result<Self, FaultsError> {
        if !cfg!(target_os = "linux") {
            return Err(FaultsError::Unsupported);
        }
        let library = library::build()?;
        let folder = folder.canonicalize().map_err(file(folder))?;
        let temporary = std::env::temp_dir();
        let control_folder = tempfile::tempdir().map_err(file(&temporary))?;
        let control_path = control_folder.path().join("control");
        let control = File::options().read(true).write(true).create_new(true).open(&control_path);
        let control = control.map_err(file(&control_path))?;
        let faults =
            Self { library, folder, control, control_path, _control_folder: control_folder };
        let bytes = words::WORDS * size_of::<u64>();
        faults.control.set_len(bytes as u64).map_err(file(&faults.control_path))?;
        faults.write(words::JOURNAL, journal)?;
        faults.write(words::MAGIC, words::MAGIC_VALUE)?;
        Ok(faults)
    }

    /// The variables for a program that is to have these faults. One program at a time: a second
    /// would share counters, and not know what the first has left unsynced.
    #[must_use]
    pub fn environment(&self) -> [(&'static str, OsString); 3] {
        [
            ("LD_PRELOAD", self.library.clone().into()),
            ("FOREWORD_FAULTS_FOLDER", self.folder.clone().into()),
            ("FOREWORD_FAULTS_CONTROL", self.control_path.clone().into()),
        ]
    }

    /// Lets this go wrong from now on, in place of what was armed before. May be called before
    /// the program starts or while it runs.
    ///
    /// # Errors
    ///
    /// If the control file cannot be written.
    pub fn arm(&self, fault: Fault) -> Result<(), FaultsError> {
        // More room must not come with a moment of no limit.
        if !matches!(fault, Fault::DiskFull { .. }) {
            self.disarm()?;
        }
        let mode = match fault {
            Fault::Kill { operation, moment, seed } => {
                let moment = match moment {
                    Moment::Before => words::MOMENT_BEFORE,
                    Moment::Torn => words::MOMENT_TORN,
                    Moment::After => words::MOMENT_AFTER,
                };
                self.write(words::COUNTDOWN, operation.max(1))?;
                self.write(words::MOMENT, moment)?;
                self.write(words::SEED, seed)?;
                words::MODE_KILL
            }
            Fault::PowerCut { operation, seed } => {
                self.write(words::COUNTDOWN, operation.max(1))?;
                self.write(words::SEED, seed)?;
                words::MODE_POWER_CUT
            }
            Fault::SyncsFail { first, count } => {
                self.write(words::COUNTDOWN, first.saturating_sub(1))?;
                self.write(words::FAILURES, count)?;
                words::MODE_SYNC_FAILS
            }
            Fault::DiskFull { bytes } => {
                self.write(words::BUDGET, bytes)?;
                words::MODE_DISK_FULL
            }
        };
        self.write(words::MODE, mode)
    }

    /// Lets nothing go wrong from now on.
    ///
    /// # Errors
    ///
    /// If the control file cannot be written.
    pub fn disarm(&self) -> Result<(), FaultsError> {
        self.write(words::MODE, words::MODE_NONE)
    }

    /// What has happened so far.
    ///
    /// # Errors
    ///
    /// If the control file cannot be read.
    pub fn counters(&self) -> Result<Counters, FaultsError> {
        Ok(Counters {
            operations: self.read(words::OPERATIONS)?,
            writes: self.read(words::WRITES)?,
            syncs: self.read(words::SYNCS)?,
            bytes: self.read(words::BYTES)?,
            sectors_lost: self.read(words::SECTORS_LOST)?,
            failed_syncs: self.read(words::FAILED_SYNCS)?,
            refused_writes: self.read(words::REFUSED_WRITES)?,
            forgotten: self.read(words::FORGOTTEN)?,
            has_fired: self.read(words::FIRED)? != 0,
        })
    }

    fn write(&self, word: usize, value: u64) -> Result<(), FaultsError> {
        let place = (word * size_of::<u64>()) as u64;
        let written = self.control.write_all_at(&value.to_ne_bytes(), place);
        written.map_err(file(&self.control_path))
    }

    fn read(&self, word: usize) -> Result<u64, FaultsError> {
        let mut bytes = [0; size_of::<u64>()];
        let place = (word * size_of::<u64>()) as u64;
        self.control.read_exact_at(&mut bytes, place).map_err(file(&self.control_path))?;
        Ok(u64::from_ne_bytes(bytes))
    }
}

fn file(path: &Path) -> impl FnOnce(io::Error) -> FaultsError {
    let path = path.to_owned();
    move |source| FaultsError::File { path, source }
}
