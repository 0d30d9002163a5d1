//! The disk that misbehaves: each operation on a file in the folder comes here.
//!
//! Where replaced bytes are remembered, one lock is held over each operation, so that no write
//! slips past a power cut and none is taken for synced that came during a sync.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use libc::{c_int, ssize_t};

use crate::control::{Control, Strike};
use crate::journal::{Journal, Restored, SECTOR_BYTES, Survivors};
use crate::random::Random;
use crate::raw::{self, FileKey};
use crate::words::{BYTES, FORGOTTEN, OPERATIONS, SECTORS_LOST, SYNCS, WRITES};

/// How many files with changes are remembered.
const FILES_MAX: usize = 1_024;

/// How much is remembered of all files.
const JOURNAL_BYTES_MAX: u64 = 512 << 20;

static DISK: Mutex<Disk> = Mutex::new(Disk { files: BTreeMap::new() });

/// What has not been synced.
struct Disk {
    files: BTreeMap<FileKey, Unsynced>,
}

struct Unsynced {
    /// A descriptor of our own, that reads and writes whatever the program's can. Closing it
    /// would take the program's record locks of this file away, so that this is done only when
    /// the program closes one itself, which takes them away as well.
    fd: c_int,
    journal: Journal,
}

/// An operation under way: counted, with the disk held still if it remembers, and perhaps struck.
struct Operation<'a> {
    control: &'a Control,
    disk: Option<MutexGuard<'static, Disk>>,
    strike: Option<Strike>,
}

/// Writes at an offset, or where the descriptor stands.
pub(crate) fn write(control: &Control, fd: c_int, at: Option<u64>, bytes: &[u8]) -> ssize_t {
    let mut operation = Operation::begin(control, Some(WRITES));
    let room = control.room(bytes.len());
    if room == 0 && !bytes.is_empty() {
        return raw::fail(libc::ENOSPC) as ssize_t;
    }
    let count = operation.torn(room);
    let bytes = &bytes[..count];
    let written = match &mut operation.disk {
        Some(disk) => disk.write(control, fd, at, bytes),
        None => pass_write(fd, at, bytes),
    };
    control.add(BYTES, u64::try_from(written).unwrap_or(0));
    operation.end(written)
}

/// Changes the length.
pub(crate) fn set_length(control: &Control, fd: c_int, length: u64) -> c_int {
    let mut operation = Operation::begin(control, None);
    operation.torn(0);
    let done = match &mut operation.disk {
        Some(disk) => disk.set_length(control, fd, length),
        None => raw::set_length(fd, length),
    };
    operation.end(done)
}

/// Syncs, by this system call. A power cut comes before it, or there would be nothing to lose.
pub(crate) fn sync(control: &Control, fd: c_int, call: fn(c_int) -> c_int) -> c_int {
    let mut operation = Operation::begin(control, Some(SYNCS));
    operation.torn(0);
    if matches!(operation.strike, Some(Strike::PowerCut(_))) {
        return operation.end(-1);
    }
    if control.sync_fails() {
        if let Some(disk) = &mut operation.disk {
            disk.lose(control, fd);
        }
        return raw::fail(libc::EIO);
    }
    let done = call(fd);
    if let (Some(disk), 0) = (&mut operation.disk, done) {
        disk.synced(fd);
    }
    operation.end(done)
}

/// Closes a descriptor, and with it our own of the same file if nothing of it is unsynced.
pub(crate) fn close(control: &Control, fd: c_int) -> c_int {
    if control.remembers() {
        let mut disk = lock();
        if let Some((key, _)) = raw::file(fd)
            && disk.files.get(&key).is_some_and(|file| file.journal.is_empty())
            && let Some(file) = disk.files.remove(&key)
        {
            raw::close(file.fd);
        }
    }
    raw::close(fd)
}

impl<'a> Operation<'a> {
    /// Counts it, among its kind too, and ends the process if it is not even to begin.
    fn begin(control: &'a Control, kind: Option<usize>) -> Self {
        let disk = control.remembers().then(lock);
        for counter in kind.into_iter().chain([OPERATIONS]) {
            control.add(counter, 1);
        }
        let strike = control.strike();
        if let Some(Strike::KillBefore) = strike {
            control.die()
        }
        Self { control, disk, strike }
    }

    /// How many of so many bytes are to arrive; of none, none: the process ends.
    ///
    /// Half of the times whole sectors arrive, else any number of bytes.
    fn torn(&mut self, count: usize) -> usize {
        let Some(Strike::KillTorn(random)) = &mut self.strike else { return count };
        if count == 0 {
            self.control.die()
        }
        let sector = SECTOR_BYTES as usize;
        if random.below(2) == 0 {
            random.below((count / sector) as u64 + 1) as usize * sector
        } else {
            random.below(count as u64) as usize
        }
    }

    /// Gives the result, unless this was the last operation.
    fn end<T>(self, result: T) -> T {
        match (self.strike, self.disk) {
            (None, _) => return result,
            (Some(Strike::PowerCut(mut random)), Some(mut disk)) => {
                disk.cut_power(self.control, &mut random);
            }
            (Some(_), _) => {}
        }
        self.control.die()
    }
}

fn lock() -> MutexGuard<'static, Disk> {
    DISK.lock().unwrap_or_else(PoisonError::into_inner)
}

fn pass_write(fd: c_int, at: Option<u64>, bytes: &[u8]) -> ssize_t {
    match at {
        Some(at) => raw::write_at(fd, bytes, at),
        None => raw::write(fd, bytes),
    }
}

impl Disk {
    fn write(&mut self, control: &Control, fd: c_int, at: Option<u64>, bytes: &[u8]) -> ssize_t {
        let Some((key, length)) = raw::file(fd) else { return pass_write(fd, at, bytes) };
        let offset = at.unwrap_or_else(|| raw::place_of(fd, length));
        let Some(file) = self.file(control, key, fd) else { return pass_write(fd, at, bytes) };
        let overlap = length.saturating_sub(offset).min(bytes.len() as u64);
        let mut old = raw::read_at(file.fd, offset, overlap as usize);
        let written = pass_write(fd, at, bytes);
        if let Ok(count) = usize::try_from(written)
            && count > 0
        {
            old.truncate(count);
            file.journal.wrote(offset, count as u64, old, length);
            self.stay_small(control, key);
        }
        written
    }

    fn set_length(&mut self, control: &Control, fd: c_int, length: u64) -> c_int {
        let Some((key, before)) = raw::file(fd) else { return raw::set_length(fd, length) };
        let Some(file) = self.file(control, key, fd) else { return raw::set_length(fd, length) };
        let removed = before.saturating_sub(length);
        if removed > JOURNAL_BYTES_MAX {
            file.journal = Journal::default();
            control.add(FORGOTTEN, 1);
            return raw::set_length(fd, length);
        }
        let tail = raw::read_at(file.fd, length, removed as usize);
        let done = raw::set_length(fd, length);
        if done == 0 && length != before {
            file.journal.set_length(length, tail, before);
            self.stay_small(control, key);
        }
        done
    }

    fn synced(&mut self, fd: c_int) {
        if let Some((key, _)) = raw::file(fd)
            && let Some(file) = self.files.get_mut(&key)
        {
            file.journal = Journal::default();
        }
    }

    /// Takes back what a failed sync should have made durable.
    fn lose(&mut self, control: &Control, fd: c_int) {
        if let Some((key, _)) = raw::file(fd)
            && let Some(file) = self.files.get_mut(&key)
        {
            file.restore(control, Survivors::Nobody);
            file.journal = Journal::default();
        }
    }

    /// Takes back parts of all that has not been synced.
    fn cut_power(&mut self, control: &Control, random: &mut Random) {
        for file in self.files.values() {
            file.restore(control, Survivors::Some(random));
        }
    }

    /// What is remembered of the file behind this descriptor; `None` if there are too many.
    fn file(&mut self, control: &Control, key: FileKey, fd: c_int) -> Option<&mut Unsynced> {
        if !self.files.contains_key(&key) {
            let has_room = self.files.len() < FILES_MAX;
            let Some(again) = has_room.then(|| raw::open_again(fd)).flatten() else {
                control.add(FORGOTTEN, 1);
                return None;
            };
            self.files.insert(key, Unsynced { fd: again, journal: Journal::default() });
        }
        self.files.get_mut(&key)
    }

    /// Forgets what was changed last if all together takes too much memory.
    fn stay_small(&mut self, control: &Control, key: FileKey) {
        let bytes: u64 = self.files.values().map(|file| file.journal.bytes()).sum();
        if bytes > JOURNAL_BYTES_MAX
            && let Some(file) = self.files.get_mut(&key)
        {
            file.journal = Journal::default();
            control.add(FORGOTTEN, 1);
        }
    }
}

impl Unsynced {
    fn restore(&self, control: &Control, survivors: Survivors<'_>) {
        if self.journal.is_empty() {
            return;
        }
        let Some((_, length)) = raw::file(self.fd) else { return };
        let Restored { pieces, length, sectors_lost } = self.journal.restore(length, survivors);
        for (offset, bytes) in pieces {
            raw::write_at(self.fd, &bytes, offset);
        }
        raw::set_length(self.fd, length);
        control.add(SECTORS_LOST, sectors_lost);
    }
}
