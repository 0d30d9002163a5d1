//! Where everything is in a snapshot file.
//!
//! ```text
//! 0   magic           8 bytes, FOREWORD
//! 8   format version  u32
//! 12  section count   u32
//! 16  shop            u32
//! 20  flags           u32: bit 0 simulated
//! 24  file bytes      u64
//! 32  checksum        u64: XXH3 of the head of the file, this field taken as zero
//! 40  zeros           up to 64
//! 64  table           32 bytes a section: tag u32, element bytes u32,
//!                     offset u64, bytes u64, checksum u64
//!     zeros           up to a multiple of 64: here the head ends
//!     sections        each followed by zeros up to a multiple of 64
//! ```
//!
//! All integers are little-endian. Sections follow each other without gaps, so
//! that there is one right offset for each. A section's checksum covers its
//! padding too; so every byte of the file is under exactly one checksum.

use std::ops::Range;

use recommender::ShopId;
use xxhash_rust::xxh3::{Xxh3Default, xxh3_64};

use super::{SnapshotError, SnapshotHeader};

/// The first bytes of every snapshot.
pub const MAGIC: [u8; 8] = *b"FOREWORD";

/// The format that this program writes, and the only one that it reads.
pub const FORMAT_VERSION: u32 = 1;

/// Sections begin at multiples of this, in the file and in memory.
pub const ALIGNMENT: usize = 64;

/// The most sections a snapshot can have.
pub const SECTIONS_MAX: usize = 1024;

const HEADER_BYTES: usize = 64;
const ENTRY_BYTES: usize = 32;
const CHECKSUM_AT: Range<usize> = 32..40;
const FLAG_SIMULATED: u32 = 1;

/// A file taken apart.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) header: SnapshotHeader,
    pub(super) sections: Vec<Placed>,
}

/// One section and where it is.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) tag: u32,
    pub(super) element_bytes: u32,
    pub(super) range: Range<usize>,
    pub(super) checksum: u64,
}

impl Placed {
    /// Checks the contents against the checksum.
    pub(super) fn verify(&self, file: &[u8]) -> Result<(), SnapshotError> {
        let found = xxh3_64(&file[self.range.start..aligned(self.range.end)]);
        if found == self.checksum {
            Ok(())
        } else {
            let (tag, expected) = (self.tag, self.checksum);
            Err(SnapshotError::SectionChecksum { tag, found, expected })
        }
    }
}

/// The next multiple of [`ALIGNMENT`].
pub(super) fn aligned(offset: usize) -> usize {
    offset.next_multiple_of(ALIGNMENT)
}

/// How long the head is: header, table and zeros.
pub(super) fn head_bytes(sections: usize) -> usize {
    aligned(HEADER_BYTES + ENTRY_BYTES * sections)
}

/// Checks that a section of this length is made of whole elements.
pub(super) fn check_elements(
    tag: u32,
    element_bytes: u32,
    bytes: u64,
) -> Result<(), SnapshotError> {
    let wrong =
        |field, found, expected| Err(SnapshotError::Section { tag, field, found, expected });
    match bytes.checked_rem(u64::from(element_bytes)) {
        Some(0) => Ok(()),
        Some(_) => wrong("length", bytes, format!("a multiple of {element_bytes}")),
        None => wrong("element size", 0, "at least 1".to_owned()),
    }
}

/// The checksum of a section that is followed by zeros up to [`ALIGNMENT`].
pub(super) fn section_checksum(bytes: &[u8]) -> u64 {
    let mut hash = Xxh3Default::new();
    hash.update(bytes);
    hash.update(&[0; ALIGNMENT][..aligned(bytes.len()) - bytes.len()]);
    hash.digest()
}

/// The head of a file with these sections and this length.
pub(super) fn write_head(
    header: SnapshotHeader,
    sections: &[Placed],
    file_bytes: usize,
) -> Vec<u8> {
    let mut head = Vec::with_capacity(head_bytes(sections.len()));
    head.extend_from_slice(&MAGIC);
    let flags = if header.simulated { FLAG_SIMULATED } else { 0 };
    // At most SECTIONS_MAX, as the writer checks.
    for word in [FORMAT_VERSION, sections.len() as u32, header.shop.0, flags] {
        head.extend_from_slice(&word.to_le_bytes());
    }
    head.extend_from_slice(&(file_bytes as u64).to_le_bytes());
    head.resize(HEADER_BYTES, 0);
    for section in sections {
        head.extend_from_slice(&section.tag.to_le_bytes());
        head.extend_from_slice(&section.element_bytes.to_le_bytes());
        for word in [section.range.start as u64, section.range.len() as u64, section.checksum] {
            head.extend_from_slice(&word.to_le_bytes());
        }
    }
    head.resize(head_bytes(sections.len()), 0);
    let checksum = xxh3_64(&head);
    head[CHECKSUM_AT].copy_from_slice(&checksum.to_le_bytes());
    head
}

/// Takes a file apart, checking everything but the contents of its sections.
pub(super) fn read(file: &[u8]) -> Result<Layout, SnapshotError> {
    let begin = &file[..file.len().min(MAGIC.len())];
    if begin != &MAGIC[..begin.len()] {
        return Err(SnapshotError::Magic { found: begin.to_vec() });
    }
    let length = |expected: u64| SnapshotError::Length { found: file.len() as u64, expected };
    if file.len() < HEADER_BYTES {
        return Err(length(HEADER_BYTES as u64));
    }
    // Before the length: what a newer version means by it is not ours to say.
    let found = u32_at(file, 8);
    if found != FORMAT_VERSION {
        return Err(SnapshotError::FormatVersion { found });
    }
    let file_bytes = u64_at(file, 24);
    if file_bytes != file.len() as u64 {
        return Err(length(file_bytes));
    }
    // Saturates on 32 bits, where it is then longer than any file.
    let count = usize::try_from(u32_at(file, 12)).unwrap_or(usize::MAX).min(SECTIONS_MAX + 1);
    let head = head_bytes(count);
    if count > SECTIONS_MAX || head > file.len() {
        return Err(length(head as u64));
    }
    check_head(&file[..head])?;
    let header = SnapshotHeader {
        shop: ShopId(u32_at(file, 16)),
        simulated: u32_at(file, 20) & FLAG_SIMULATED != 0,
    };
    let sections = read_table(file, count)?;
    let end = sections.last().map_or(head, |section| aligned(section.range.end));
    if end == file.len() { Ok(Layout { header, sections }) } else { Err(length(end as u64)) }
}

fn check_head(head: &[u8]) -> Result<(), SnapshotError> {
    let mut hash = Xxh3Default::new();
    hash.update(&head[..CHECKSUM_AT.start]);
    hash.update(&[0; 8]);
    hash.update(&head[CHECKSUM_AT.end..]);
    let (found, expected) = (hash.digest(), u64_at(head, CHECKSUM_AT.start));
    if found == expected { Ok(()) } else { Err(SnapshotError::HeaderChecksum { found, expected }) }
}

/// The sections, each where the one before ends and none beyond the file.
fn read_table(file: &[u8], count: usize) -> Result<Vec<Placed>, SnapshotError> {
    let mut sections: Vec<Placed> = Vec::with_capacity(count);
    let mut next = head_bytes(count);
    for entry in file[HEADER_BYTES..].chunks_exact(ENTRY_BYTES).take(count) {
        let (tag, element_bytes) = (u32_at(entry, 0), u32_at(entry, 4));
        let (offset, bytes) = (u64_at(entry, 8), u64_at(entry, 16));
        let wrong = |field, found, expected: String| {
            Err(SnapshotError::Section { tag, field, found, expected })
        };
        if sections.iter().any(|section| section.tag == tag) {
            return wrong("tag", u64::from(tag), "each tag once".to_owned());
        }
        if offset != next as u64 {
            return wrong("offset", offset, next.to_string());
        }
        check_elements(tag, element_bytes, bytes)?;
        let left = file.len() - next;
        let Some(bytes) = usize::try_from(bytes).ok().filter(|bytes| *bytes <= left) else {
            return wrong("length", bytes, format!("at most {left}"));
        };
        let range = next..next + bytes;
        next = aligned(range.end);
        // The file itself may end before the padding does.
        if next > file.len() {
            return wrong("end", next as u64, format!("at most {}", file.len()));
        }
        sections.push(Placed { tag, element_bytes, range, checksum: u64_at(entry, 24) });
    }
    Ok(sections)
}

fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[offset..offset + 4]);
    u32::from_le_bytes(word)
}

fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[offset..offset + 8]);
    u64::from_le_bytes(word)
}
