//! Writing a snapshot file.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use super::layout::{self, ALIGNMENT, Placed, SECTIONS_MAX, aligned};
use super::{SnapshotError, SnapshotHeader};

/// One section to be written.
#[derive(Clone, Copy, Debug)]
pub struct Section<'a> {
    /// What tells it from the other sections of the file.
    pub tag: u32,
    /// The size of one element, at least 1.
    pub element_bytes: u32,
    /// The elements, little-endian, one after the other.
    pub bytes: &'a [u8],
}

/// Writes a snapshot file, replacing any that is there, and waits until it is on
/// disk. Returns its length in bytes.
///
/// The name itself is not yet safe on disk then, and someone may see the file while
/// it grows: [`ModelFolder`](crate::ModelFolder) writes under another name and
/// renames.
///
/// # Errors
///
/// [`SnapshotError::Section`] if a tag occurs twice or a length is no multiple of the
/// element size, or with more than [`SECTIONS_MAX`] sections, before anything is
/// written; [`SnapshotError::Io`] otherwise.
pub fn write_snapshot(
    path: &Path,
    header: SnapshotHeader,
    sections: &[Section<'_>],
) -> Result<u64, SnapshotError> {
    let (placed, file_bytes) = place(sections)?;
    let head = layout::write_head(header, &placed, file_bytes);
    let write = || {
        let mut file = BufWriter::new(File::create(path)?);
        file.write_all(&head)?;
        for section in sections {
            file.write_all(section.bytes)?;
            let padding = aligned(section.bytes.len()) - section.bytes.len();
            file.write_all(&[0; ALIGNMENT][..padding])?;
        }
        file.into_inner()?.sync_all()
    };
    write().map_err(|source| SnapshotError::Io { path: path.to_owned(), source })?;
    Ok(file_bytes as u64)
}

/// Finds each section its place; also returns the length of the whole file.
fn place(sections: &[Section<'_>]) -> Result<(Vec<Placed>, usize), SnapshotError> {
    let mut next = layout::head_bytes(sections.len());
    let mut placed: Vec<Placed> = Vec::with_capacity(sections.len());
    for section in sections {
        let (tag, bytes) = (section.tag, section.bytes.len());
        let wrong = |field, found, expected: String| {
            Err(SnapshotError::Section { tag, field, found, expected })
        };
        if placed.len() == SECTIONS_MAX {
            return wrong("position", SECTIONS_MAX as u64 + 1, format!("at most {SECTIONS_MAX}"));
        }
        if placed.iter().any(|other| other.tag == tag) {
            return wrong("tag", u64::from(tag), "each tag once".to_owned());
        }
        let element_bytes = section.element_bytes;
        layout::check_elements(tag, element_bytes, bytes as u64)?;
        let range = next..next + bytes;
        next = aligned(range.end);
        let checksum = layout::section_checksum(section.bytes);
        placed.push(Placed { tag, element_bytes, range, checksum });
    }
    Ok((placed, next))
}
