//! Snapshots: immutable files of numbers, checked before anyone believes them.
//!
//! A snapshot is a list of sections, each an array of elements of one size, told
//! apart by tags. This module does not know what is in them. The same sections
//! give the same bytes: there is no time, path or random number in the file.
//!
//! Opening checks the header, its checksum and the shape of every section, which
//! costs nothing for a file of any size. [`Snapshot::verify`] then reads it all.
//! Between the two checksums, no flipped bit goes unnoticed.

mod layout;
mod write;

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memmap2::Mmap;
use recommender::ShopId;

pub use layout::{ALIGNMENT, FORMAT_VERSION, MAGIC, SECTIONS_MAX};
pub use write::{Section, write_snapshot};

use layout::{Layout, Placed};

#[cfg(target_endian = "big")]
compile_error!(
    "snapshots are little-endian arrays, read as they are: expected a little-endian CPU"
);

/// What a snapshot says about itself as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotHeader {
    /// The shop whose model it is.
    pub shop: ShopId,
    /// Whether it was learnt from simulated events.
    pub simulated: bool,
}

/// Why a file is refused as a snapshot, or could not be written as one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The file could not be read or written.
    #[error("cannot use {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// It does not begin like a snapshot.
    #[error("not a snapshot: file begins with {}, expected {}", found.escape_ascii(), MAGIC.escape_ascii())]
    Magic {
        /// The first 8 bytes, or fewer if there are fewer.
        found: Vec<u8>,
    },
    /// Another version of this program wrote it.
    #[error("snapshot has format version {found}, expected {FORMAT_VERSION}")]
    FormatVersion {
        /// The version found.
        found: u32,
    },
    /// It was cut, or something was appended.
    #[error("snapshot has {found} bytes, expected {expected}")]
    Length {
        /// The length of the file.
        found: u64,
        /// The length its header says, or the least that a header needs.
        expected: u64,
    },
    /// The header or the table of sections was damaged.
    #[error("header of snapshot has checksum {found:016x}, expected {expected:016x}")]
    HeaderChecksum {
        /// The checksum of what is there.
        found: u64,
        /// The checksum written beside it.
        expected: u64,
    },
    /// A section cannot be where or what the table says.
    #[error("section {tag:#x} of snapshot has {field} {found}, expected {expected}")]
    Section {
        /// The section.
        tag: u32,
        /// What is wrong with it.
        field: &'static str,
        /// What was found.
        found: u64,
        /// What it should be.
        expected: String,
    },
    /// The contents of a section were damaged.
    #[error("section {tag:#x} of snapshot has checksum {found:016x}, expected {expected:016x}")]
    SectionChecksum {
        /// The section.
        tag: u32,
        /// The checksum of what is there.
        found: u64,
        /// The checksum in the table.
        expected: u64,
    },
}

/// An open snapshot file. Cloning is cheap; the file stays mapped until the last
/// clone and the last [`SectionBytes`] are gone.
#[derive(Clone, Debug)]
pub struct Snapshot {
    map: Arc<Mmap>,
    header: SnapshotHeader,
    sections: Arc<[Placed]>,
}

impl Snapshot {
    /// Opens a snapshot file and checks everything but the contents of the sections.
    ///
    /// Maps the file instead of reading it. Blocks on the file system.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`] says what is wrong with the file.
    pub fn open(path: &Path) -> Result<Self, SnapshotError> {
        let failed = |source| SnapshotError::Io { path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        let map = map(&file).map_err(failed)?;
        let Layout { header, sections } = layout::read(&map)?;
        Ok(Self { map: Arc::new(map), header, sections: sections.into() })
    }

    /// Checks the contents of every section. Reads the whole file.
    ///
    /// # Errors
    ///
    /// [`SnapshotError::SectionChecksum`] names the first damaged section.
    pub fn verify(&self) -> Result<(), SnapshotError> {
        self.sections.iter().try_for_each(|section| section.verify(&self.map))
    }

    /// The section with this tag, or `None`.
    #[must_use]
    pub fn section(&self, tag: u32) -> Option<SectionBytes> {
        let placed = self.sections.iter().find(|section| section.tag == tag)?;
        Some(SectionBytes {
            map: Arc::clone(&self.map),
            range: placed.range.clone(),
            element_bytes: placed.element_bytes,
        })
    }

    /// The shop whose model it is.
    #[must_use]
    pub fn shop(&self) -> ShopId {
        self.header.shop
    }

    /// Whether it was learnt from simulated events.
    #[must_use]
    pub fn simulated(&self) -> bool {
        self.header.simulated
    }

    /// The length of the file in bytes.
    #[must_use]
    pub fn file_bytes(&self) -> u64 {
        self.map.len() as u64
    }
}

/// The bytes of one section, which keep the file mapped. They begin at a multiple
/// of [`ALIGNMENT`] in memory. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct SectionBytes {
    map: Arc<Mmap>,
    range: Range<usize>,
    element_bytes: u32,
}

impl SectionBytes {
    /// The size of one element; the length is a multiple of it.
    #[must_use]
    pub fn element_bytes(&self) -> u32 {
        self.element_bytes
    }
}

impl AsRef<[u8]> for SectionBytes {
    fn as_ref(&self) -> &[u8] {
        &self.map[self.range.clone()]
    }
}

#[allow(unsafe_code)]
fn map(file: &File) -> std::io::Result<Mmap> {
    // SAFETY: a map is sound as long as nobody changes or cuts the file under it.
    // That is assumed, not enforced: snapshot files are written under another name,
    // then renamed, and from then on only ever removed, which leaves the map intact.
    // Whoever overwrites one in place breaks this; the folder belongs to us alone.
    unsafe { Mmap::map(file) }
}
