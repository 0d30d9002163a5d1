//! A file that has to be read from its disk again.
//!
//! What the system has read of a file it keeps in memory as long as there is room: a measurement of
//! a store on disk would be one of memory. Source: `posix_fadvise(2)`.

use std::io;
use std::path::Path;

/// Asks the system to forget what it has in memory of a file, once all of that is on its disk. Pages
/// that a process has mapped stay.
///
/// # Errors
///
/// If the file cannot be read, or is in memory only (tmpfs).
#[cfg(target_os = "linux")]
pub fn put_out_of_memory(path: &Path) -> io::Result<()> {
    /// `TMPFS_MAGIC` in `linux/magic.h`.
    const IN_MEMORY: rustix::fs::FsWord = 0x0102_1994;
    let file = std::fs::File::open(path)?;
    if rustix::fs::fstatfs(&file)?.f_type == IN_MEMORY {
        return Err(io::ErrorKind::Unsupported.into());
    }
    file.sync_all()?;
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
    Ok(())
}

/// As on Linux, which is the only system where it is tried.
///
/// # Errors
///
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn put_out_of_memory(_: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
