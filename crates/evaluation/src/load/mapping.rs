//! What a mapped file takes of a process's memory, and how much of that others take with it.
//!
//! A mapping is of a file if it has its device and inode, or its path: file systems of several
//! layers or volumes tell other numbers there, and a path may be odd or lead to another file by now.
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
    /// What its mappings of a file take; `None` if it has none.
    ///
    /// # Errors
    ///
    /// If there is no such process or file, the process is somebody else's, or the system does not
    /// tell (it is Linux that does).
    pub fn mapped_file(self, path: &Path) -> io::Result<Option<MappedFile>> {
        let path = path.canonicalize()?;
        let table = std::fs::read(format!("/proc/{}/smaps", self.0))?;
        let wanted = File {
            numbers: numbers_of(&path.metadata()?),
            // As the table has it.
            path: &path.to_string_lossy().replace('\n', "\\012"),
        };
        Ok(mappings_of(&String::from_utf8_lossy(&table), &wanted))
    }
}

/// What a file is known by.
struct File<'a> {
    /// Its device, as major and minor number, and its inode; `None` where there are no such.
    numbers: Option<(u32, u32, u64)>,
    path: &'a str,
}

#[cfg(target_os = "linux")]
fn numbers_of(file: &std::fs::Metadata) -> Option<(u32, u32, u64)> {
    use std::os::linux::fs::MetadataExt;

    let device = file.st_dev();
    Some((rustix::fs::major(device), rustix::fs::minor(device), file.st_ino()))
}

#[cfg(not(target_os = "linux"))]
fn numbers_of(_: &std::fs::Metadata) -> Option<(u32, u32, u64)> {
    None
}

fn mappings_of(table: &str, wanted: &File<'_>) -> Option<MappedFile> {
    let mut sum = MappedFile::default();
    let (mut is_wanted, mut is_found) = (false, false);
    for line in table.lines() {
        if let Some(found) = file_of(line) {
            is_wanted = found.path == wanted.path
                || (found.numbers.is_some() && found.numbers == wanted.numbers);
            is_found |= is_wanted;
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
    is_found.then_some(sum)
}

/// What is mapped, of the first line of a mapping: addresses, rights, offset, device, inode, path.
/// `None` for the lines that follow.
fn file_of(line: &str) -> Option<File<'_>> {
    let (addresses, mut rest) = line.split_once(' ')?;
    let (from, to) = addresses.split_once('-')?;
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hex(from) || !is_hex(to) {
        return None;
    }
    let mut fields = [""; 4];
    for field in &mut fields {
        rest = rest.trim_start();
        (*field, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    }
    let [_, _, device, inode] = fields;
    Some(File { numbers: numbers(device, inode), path: rest.trim_start() })
}

fn numbers(device: &str, inode: &str) -> Option<(u32, u32, u64)> {
    let (major, minor) = device.split_once(':')?;
    let hex = |text| u32::from_str_radix(text, 16).ok();
    // 0 is the inode of what is no file.
    let inode = inode.parse().ok().filter(|inode| *inode > 0)?;
    Some((hex(major)?, hex(minor)?, inode))
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
        let found = |numbers, path| mappings_of(TABLE, &File { numbers, path });
        assert_eq!(found(None, "/models/a b.snapshot"), Some(expected));
        // Renamed since, or of a layered file system.
        assert_eq!(found(Some((0xfe, 0, 42)), "/models/c.snapshot"), Some(expected));
        assert_eq!(found(Some((0x2f, 0, 7)), "/models/a b.snapshot"), Some(expected));
        // Another file under a new name, another device, and none at all.
        for numbers in [Some((0xfe, 0, 44)), Some((0xfe, 1, 42)), Some((0, 0, 0)), None] {
            assert_eq!(found(numbers, "/models/c.snapshot"), None, "{numbers:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_that_nobody_maps_is_told_from_one_that_is_missing() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let this = Process(std::process::id());
        assert_eq!(this.mapped_file(file.path()).unwrap(), None);
        assert!(this.mapped_file(Path::new("no-such-file")).is_err());
    }
}
