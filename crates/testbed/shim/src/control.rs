//! What the test wants: read at each operation from the mapped control file.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::random::Random;
use crate::raw;
use crate::words::{
    BUDGET, COUNTDOWN, FAILED_SYNCS, FAILURES, FIRED, JOURNAL, MAGIC, MAGIC_VALUE, MODE,
    MODE_DISK_FULL, MODE_KILL, MODE_POWER_CUT, MODE_SYNC_FAILS, MOMENT, MOMENT_AFTER, MOMENT_TORN,
    REFUSED_WRITES, SEED, WORDS,
};

/// The variable that names the control file.
const CONTROL_VARIABLE: &str = "FOREWORD_FAULTS_CONTROL";

/// The variable that names the folder whose files misbehave, without links in its path.
const FOLDER_VARIABLE: &str = "FOREWORD_FAULTS_FOLDER";

/// The mapped file.
pub(crate) struct Control {
    words: &'static [AtomicU64; WORDS],
    /// Where files misbehave.
    pub(crate) folder: Vec<u8>,
}

/// What befalls this operation.
pub(crate) enum Strike {
    /// The process ends before it.
    KillBefore,
    /// The process ends within it.
    KillTorn(Random),
    /// The process ends after it.
    KillAfter,
    /// The power goes.
    PowerCut(Random),
}

impl Control {
    /// What the environment says; `None` in a process that is to be left alone.
    pub(crate) fn get() -> Option<&'static Self> {
        static CONTROL: OnceLock<Option<Control>> = OnceLock::new();
        CONTROL.get_or_init(Self::from_environment).as_ref()
    }

    fn from_environment() -> Option<Self> {
        let path = PathBuf::from(std::env::var_os(CONTROL_VARIABLE)?);
        let folder = std::env::var_os(FOLDER_VARIABLE)?.into_encoded_bytes();
        let words = raw::map_words(&path)?;
        let is_ours = words[MAGIC].load(Ordering::Relaxed) == MAGIC_VALUE;
        (is_ours && !folder.is_empty()).then_some(Self { words, folder })
    }

    pub(crate) fn add(&self, counter: usize, count: u64) {
        self.words[counter].fetch_add(count, Ordering::Relaxed);
    }

    /// Whether what is replaced is to be remembered.
    pub(crate) fn remembers(&self) -> bool {
        self.words[JOURNAL].load(Ordering::Relaxed) == 1
    }

    /// Counts an operation down, and says whether it is the one.
    pub(crate) fn strike(&self) -> Option<Strike> {
        let mode = self.words[MODE].load(Ordering::Acquire);
        if !matches!(mode, MODE_KILL | MODE_POWER_CUT) || self.take(COUNTDOWN, 1) != 1 {
            return None;
        }
        if self.words[COUNTDOWN].load(Ordering::Relaxed) > 0 {
            return None;
        }
        let random = Random::new(self.words[SEED].load(Ordering::Relaxed));
        if mode == MODE_POWER_CUT {
            return Some(Strike::PowerCut(random));
        }
        Some(match self.words[MOMENT].load(Ordering::Relaxed) {
            MOMENT_TORN => Strike::KillTorn(random),
            MOMENT_AFTER => Strike::KillAfter,
            _ => Strike::KillBefore,
        })
    }

    /// Whether this sync is to fail.
    pub(crate) fn sync_fails(&self) -> bool {
        if self.words[MODE].load(Ordering::Acquire) != MODE_SYNC_FAILS
            || self.take(COUNTDOWN, 1) == 1
        {
            return false;
        }
        let fails = self.take(FAILURES, 1) == 1;
        self.add(FAILED_SYNCS, u64::from(fails));
        fails
    }

    /// How many of so many bytes there is room for.
    pub(crate) fn room(&self, count: usize) -> usize {
        if self.words[MODE].load(Ordering::Acquire) != MODE_DISK_FULL {
            return count;
        }
        let room = self.take(BUDGET, count as u64);
        self.add(REFUSED_WRITES, u64::from(room < count as u64));
        usize::try_from(room).unwrap_or(count)
    }

    /// Says that the process ends on purpose, and ends it.
    pub(crate) fn die(&self) -> ! {
        self.words[FIRED].store(1, Ordering::Relaxed);
        raw::die()
    }

    /// Takes up to `count` from a word; gives how much that was.
    fn take(&self, word: usize, count: u64) -> u64 {
        let take = |left: u64| Some(left.saturating_sub(count));
        let before = self.words[word].fetch_update(Ordering::AcqRel, Ordering::Acquire, take);
        before.unwrap_or_else(|left| left).min(count)
    }
}
