//! What a mapped file takes of a process's memory, and how much of that others take with it.
//!
//! Source: `proc_pid_smaps(5)`.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Process;

/// Memory of all mappings of one file in one process, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappedFile {
    /// What is resident (`Rss`).
    pub resident_bytes: u64,
    /// The same, with each page divided by the number of processes that have it (`Pss`).
    pub share_bytes: u64,
    /// Resident in other processes too.
    pub shared_bytes: u64,
    /// Resident here alone, as it is in the file.
    pub private_clean_bytes: u64,
    /// Resident here alone, and changed.
    pub private_dirty_bytes: u64,
}

impl Process {
    /// What its mappings of a file take; all zero if it has none.
    ///
    /// # Errors
    ///
    /// If there is no such process or file, the process is somebody else's, or the system does not
    /// tell (it is Linux that does).
    pub fn mapped_file(self, path: &Path) -> io::Result<MappedFile> {
        let path = path.canonicalize()?;
        let table = std::fs::read(format!("/proc/{}/smaps", self.0))?;
        Ok(mappings_of(&String::from_utf8_lossy(&table), &path.to_string_lossy()))
    }
}

fn mappings_of(table: &str, path: &str) -> MappedFile {
    let mut sum = MappedFile::default();
    let mut is_wanted = false;
    for line in table.lines() {
        if let Some(name) = name_of(line) {
            is_wanted = name == path;
        } else if let Some((field, bytes)) = figure_of(line).filter(|_| is_wanted) {
            match field {
                "Rss" => sum.resident_bytes += bytes,
                "Pss" => sum.share_bytes += bytes,
                "Shared_Clean" | "Shared_Dirty" => sum.shared_bytes += bytes,
                "Private_Clean" => sum.private_clean_bytes += bytes,
                "Private_Dirty" => sum.private_dirty_bytes += bytes,
                _ => {}
            }
        }
    }
    sum
}

/// What is mapped, of the first line of a mapping: addresses, rights, offset, device and inode
/// come before it. `None` for the lines that follow.
fn name_of(line: &str) -> Option<&str> {
    let (addresses, mut rest) = line.split_once(' ')?;
    let (from, to) = addresses.split_once('-')?;
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hex(from) || !is_hex(to) {
        return None;
    }
    for _ in 0..4 {
        (_, rest) = rest.trim_start().split_once(' ').unwrap_or_default();
    }
    Some(rest.trim_start())
}

fn figure_of(line: &str) -> Option<(&str, u64)> {
    let (field, value) = line.split_once(':')?;
    let kibibytes: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some((field, kibibytes * 1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
7f00-7f80 r--s 00000000 fe:00 42                         /models/a b.snapshot
Size:                512 kB
Rss:                 256 kB
Pss:                 130 kB
Pss_Dirty:             0 kB
Shared_Clean:        252 kB
Shared_Dirty:          0 kB
Private_Clean:         4 kB
Private_Dirty:         0 kB
VmFlags: rd sh mr mw me ms
7f80-7f90 rw-p 00000000 00:00 0
Rss:                  64 kB
Private_Dirty:        64 kB
7f90-7fa0 r--s 00080000 fe:00 42                         /models/a b.snapshot
Rss:                   4 kB
Private_Dirty:         4 kB
7fa0-7fb0 r--s 00000000 fe:00 43                         /models/b.snapshot
Rss:                 999 kB
";

    #[test]
    fn all_mappings_of_one_file_are_added_and_no_others() {
        let expected = MappedFile {
            resident_bytes: 260 << 10,
            share_bytes: 130 << 10,
            shared_bytes: 252 << 10,
            private_clean_bytes: 4 << 10,
            private_dirty_bytes: 4 << 10,
        };
        assert_eq!(mappings_of(TABLE, "/models/a b.snapshot"), expected);
        assert_eq!(mappings_of(TABLE, "/models/c.snapshot"), MappedFile::default());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_that_nobody_maps_takes_nothing_and_one_that_is_missing_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let this = Process(std::process::id());
        assert_eq!(this.mapped_file(file.path()).unwrap(), MappedFile::default());
        assert!(this.mapped_file(Path::new("no-such-file")).is_err());
    }
}
