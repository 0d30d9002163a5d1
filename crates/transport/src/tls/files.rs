//! The bytes of the files, read with a bound.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::{Problem, TlsError};

/// The most that is read of a file; a certificate has about 1 KiB, a bundle of all authorities
/// that browsers trust about 200 KiB.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Reads a file.
pub(super) fn read(file: &Path) -> Result<Vec<u8>, TlsError> {
    let refused = |problem| TlsError { file: file.to_owned(), problem };
    let unreadable = |error| refused(Problem::Unreadable(error));
    // Opening a pipe would wait for somebody who writes.
    if !file.metadata().map_err(unreadable)?.is_file() {
        return Err(refused(Problem::NotAFile));
    }
    let mut bytes = Vec::new();
    let opened = File::open(file).map_err(unreadable)?;
    opened.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(refused(Problem::TooLarge { limit: FILE_BYTES_MAX }));
    }
    Ok(bytes)
}
