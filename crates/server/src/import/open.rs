//! Opens a file as text: plain, gzip or Zstandard, told by its first bytes.
//!
//! A name says nothing: a `.gz` that a browser unpacked on its way is read all the same.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use super::zstd::ZstdFrames;

/// How much is read at once, and looked at before the first row.
const BUFFER_BYTES: usize = 64 << 10;

/// Files that are no tables of text, by how they begin, and what to do about them.
const FOREIGN: [(&[u8], &str); 14] = [
    (b"PK\x03\x04", "a zip archive or an Excel workbook; unpack it or save it as CSV"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook; save it as CSV"),
    (b"%PDF-", "a PDF document"),
    (b"SQLite format 3\0", "a SQLite database"),
    (b"BZh", "bzip2 data; unpack it"),
    (b"\xfd7zXZ\0", "xz data; unpack it"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it"),
    (b"Rar!", "a RAR archive; unpack it"),
    (b"\x04\x22\x4d\x18", "lz4 data; unpack it"),
    (b"PAR1", "a Parquet file; save it as CSV"),
    (b"\x1f\x8b", "gzip data in gzip data; unpack it once"),
    (b"\x89PNG", "an image"),
    (b"<!DOCTYPE", "a web page, not the file itself"),
    (b"<html", "a web page, not the file itself"),
];

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    Plain,
    Gzip,
    Zstd,
}

impl Packing {
    fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// What is wrong with the bytes of a file, found while reading it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Damage {
    /// The packed data stops in the middle.
    #[error("file ends early: {packing} data is cut after {bytes} bytes")]
    Cut { packing: &'static str, bytes: u64 },
    /// The packed data is not what was packed.
    #[error("{packing} data is damaged within the first {bytes} bytes: {reason}")]
    Damaged { packing: &'static str, bytes: u64, reason: String },
}

/// Why a file cannot be read as text at all.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("file is empty, expected a header line and rows")]
    Empty,
    #[error("file is UTF-16 text, expected UTF-8; save it as \"CSV UTF-8\"")]
    Utf16,
    #[error("file looks like {0}; expected CSV text in UTF-8, plain or packed with gzip or zstd")]
    Foreign(&'static str),
}

/// A text that is longer than it may be, found while reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("text is longer than {bytes_max} bytes, unpacked if it was packed; expected no more")]
pub(super) struct TooLong {
    bytes_max: u64,
}

/// Fails at the first byte beyond a bound.
struct Bounded<R> {
    source: R,
    bytes_max: u64,
    read: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.read += read as u64;
        match self.read > self.bytes_max {
            true => Err(io::Error::other(TooLong { bytes_max: self.bytes_max })),
            false => Ok(read),
        }
    }
}

/// How much of a file was read, as it lies on the disk; shared with its reader.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter(Arc<MeterState>);

#[derive(Debug, Default)]
struct MeterState {
    bytes: AtomicU64,
    ended: AtomicBool,
}

impl Meter {
    /// The bytes read so far.
    pub(super) fn bytes(&self) -> u64 {
        self.0.bytes.load(Ordering::Relaxed)
    }

    fn ended(&self) -> bool {
        self.0.ended.load(Ordering::Relaxed)
    }
}

struct Metered<R> {
    source: R,
    meter: Meter,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.meter.0.bytes.fetch_add(read as u64, Ordering::Relaxed);
        if read == 0 && !buffer.is_empty() {
            self.meter.0.ended.store(true, Ordering::Relaxed);
        }
        Ok(read)
    }
}

/// The unpacked bytes of a file, without a byte order mark.
///
/// Reading fails with [`Damage`] inside the error if the packed data is damaged.
pub(super) struct Text {
    source: Box<dyn Read + Send>,
    packing: Packing,
    meter: Meter,
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    failed: Option<io::Error>,
}

/// A file opened: its text, how far it was read, and its size if it has one.
pub(super) struct Opened {
    pub(super) text: Text,
    pub(super) meter: Meter,
    pub(super) bytes: Option<u64>,
}

/// Opens a file.
pub(super) fn open(path: &Path) -> Result<Opened, OpenError> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::Error::from(ErrorKind::IsADirectory).into());
    }
    let bytes = metadata.is_file().then_some(metadata.len());
    let meter = Meter::default();
    let text = unpack(Metered { source: file, meter: meter.clone() }, meter.clone(), u64::MAX)?;
    Ok(Opened { text, meter, bytes })
}

/// Opens a file that is in memory. Its text, unpacked, may have so many bytes; reading fails with
/// [`TooLong`] inside the error if it has more.
pub(super) fn open_bytes(bytes: Vec<u8>, text_bytes_max: u64) -> Result<Opened, OpenError> {
    let length = bytes.len() as u64;
    let meter = Meter::default();
    let source = Metered { source: io::Cursor::new(bytes), meter: meter.clone() };
    let text = unpack(source, meter.clone(), text_bytes_max)?;
    Ok(Opened { text, meter, bytes: Some(length) })
}

fn unpack(
    source: impl Read + Send + 'static,
    meter: Meter,
    text_bytes_max: u64,
) -> Result<Text, OpenError> {
    let mut source = BufReader::with_capacity(BUFFER_BYTES, source);
    let packing = match source.fill_buf()? {
        [] => return Err(OpenError::Empty),
        [0x1f, 0x8b, ..] => Packing::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Packing::Zstd,
        _ => Packing::Plain,
    };
    let source: Box<dyn Read + Send> = match packing {
        Packing::Plain => Box::new(source),
        Packing::Gzip => Box::new(MultiGzDecoder::new(source)),
        Packing::Zstd => Box::new(ZstdFrames::new(source)),
    };
    let source = Box::new(Bounded { source, bytes_max: text_bytes_max, read: 0 });
    let buffer = vec![0; BUFFER_BYTES];
    let mut text = Text { source, packing, meter, buffer, at: 0, end: 0, failed: None };
    text.fill_whole();
    text.check_head()?;
    Ok(text)
}

impl Text {
    /// What is read and not yet consumed: right after opening, the first 64 KiB, or
    /// all there is.
    pub(super) fn head(&self) -> &[u8] {
        &self.buffer[self.at..self.end]
    }

    /// Fills the whole buffer; an error is kept until what came before it was read.
    fn fill_whole(&mut self) {
        while self.end < self.buffer.len() {
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(0) => break,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failed = Some(self.explain(error));
                    break;
                }
            }
        }
    }

    /// Refuses what is no UTF-8 text at first sight, and steps over a byte order mark.
    fn check_head(&mut self) -> Result<(), OpenError> {
        if self.end == 0 {
            return Err(self.failed.take().map_or(OpenError::Empty, OpenError::Io));
        }
        let head = self.head();
        if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
            return Err(OpenError::Utf16);
        }
        let foreign = |magic: &[u8]| {
            head.get(..magic.len()).is_some_and(|start| start.eq_ignore_ascii_case(magic))
        };
        if let Some((_, what)) = FOREIGN.iter().find(|(magic, _)| foreign(magic)) {
            return Err(OpenError::Foreign(what));
        }
        if head.get(257..262) == Some(b"ustar") {
            return Err(OpenError::Foreign("a tar archive; unpack it"));
        }
        if head.contains(&0) {
            return Err(OpenError::Foreign("binary data, or UTF-16 text"));
        }
        if head.starts_with(b"\xef\xbb\xbf") {
            self.at = 3;
        }
        if self.head().is_empty() && self.failed.is_none() {
            return Err(OpenError::Empty);
        }
        Ok(())
    }

    /// An error of the packed data says so; one of the disk stays what it is.
    fn explain(&self, error: io::Error) -> io::Error {
        let is_too_long = error.get_ref().is_some_and(|inner| inner.is::<TooLong>());
        if self.packing == Packing::Plain || is_too_long || error.raw_os_error().is_some() {
            return error;
        }
        let (packing, bytes) = (self.packing.name(), self.meter.bytes());
        let cut = error.kind() == ErrorKind::UnexpectedEof || self.meter.ended();
        io::Error::other(match cut {
            true => Damage::Cut { packing, bytes },
            false => Damage::Damaged { packing, bytes, reason: error.to_string() },
        })
    }
}

impl Read for Text {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Text {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at == self.end {
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            match self.source.read(&mut self.buffer) {
                Ok(read) => {
                    (self.at, self.end) = (0, read);
                    break;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.explain(error)),
            }
        }
        Ok(&self.buffer[self.at..self.end])
    }

    fn consume(&mut self, bytes: usize) {
        self.at = (self.at + bytes).min(self.end);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    const TEXT: &str = "user,book\nann,dune\nbob,emma\n";

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(text: &[u8]) -> Vec<u8> {
        compress_to_vec(text, CompressionLevel::Fastest)
    }

    /// The text in these bytes, or the message of the error that opening or reading ends in.
    fn read(bytes: &[u8]) -> Result<String, String> {
        let meter = Meter::default();
        let source = Metered { source: io::Cursor::new(bytes.to_vec()), meter: meter.clone() };
        let unpacked = unpack(source, meter, 10_000_000);
        let mut unpacked = unpacked.map_err(|error| error.to_string())?;
        let mut text = String::new();
        unpacked.read_to_string(&mut text).map_err(|error| error.to_string())?;
        Ok(text)
    }

    #[test]
    fn packing_is_told_by_the_first_bytes() {
        let marked = format!("\u{feff}{TEXT}");
        let members = [gzip(&TEXT.as_bytes()[..10]), gzip(&TEXT.as_bytes()[10..])].concat();
        let skipped =
            [b"\x50\x2a\x4d\x18\x03\0\0\0abc".as_slice(), &zstd(TEXT.as_bytes())].concat();
        let frames = [zstd(&TEXT.as_bytes()[..10]), zstd(&TEXT.as_bytes()[10..])].concat();
        for bytes in [
            TEXT.as_bytes().to_vec(),
            marked.clone().into_bytes(),
            gzip(TEXT.as_bytes()),
            gzip(marked.as_bytes()),
            members,
            zstd(TEXT.as_bytes()),
            skipped,
            frames,
        ] {
            assert_eq!(read(&bytes).as_deref(), Ok(TEXT), "{bytes:?}");
        }
    }

    #[test]
    fn text_larger_than_the_buffer_is_whole() {
        let text: String = (0..50_000).map(|row| format!("{row},{}\n", row * 7)).collect();
        for bytes in [text.clone().into_bytes(), gzip(text.as_bytes()), zstd(text.as_bytes())] {
            assert_eq!(read(&bytes).as_deref(), Ok(text.as_str()));
        }
    }

    #[test]
    fn text_that_is_too_long_is_refused_however_small_it_is_packed() {
        let text = "a".repeat(10_000_001);
        for bytes in [text.clone().into_bytes(), gzip(text.as_bytes()), zstd(text.as_bytes())] {
            let error = read(&bytes).expect_err("it is too long");
            assert!(error.starts_with("text is longer than 10000000 bytes"), "{error}");
        }
        assert_eq!(read(&gzip(&text.as_bytes()[1..])).map(|text| text.len()), Ok(10_000_000));
    }

    #[test]
    fn packed_data_cut_anywhere_is_told() {
        for packed in [gzip(TEXT.as_bytes()), zstd(TEXT.as_bytes())] {
            for len in 4..packed.len() {
                let error = read(&packed[..len]).expect_err("it is cut");
                assert!(error.contains(&format!("cut after {len} bytes")), "{len}: {error}");
            }
        }
    }

    #[test]
    fn packed_data_with_a_wrong_checksum_is_told() {
        let mut packed = gzip(TEXT.as_bytes());
        let checksum = packed.len() - 8;
        packed[checksum] ^= 1;
        assert!(read(&packed).expect_err("it is wrong").contains("checksum"));
        let mut packed = zstd(TEXT.as_bytes());
        let checksum = packed.len() - 1;
        packed[checksum] ^= 1;
        assert!(read(&packed).expect_err("it is wrong").contains("checksum"));
    }

    #[test]
    fn what_is_no_text_is_named() {
        for (bytes, named) in [
            (b"".to_vec(), "empty"),
            (b"\xef\xbb\xbf".to_vec(), "empty"),
            (gzip(b""), "empty"),
            (b"\xff\xfeu\0s\0".to_vec(), "UTF-16"),
            (gzip(b"\xfe\xff\0u\0s"), "UTF-16"),
            (b"u\0s\0e\0r\0".to_vec(), "UTF-16"),
            (b"PK\x03\x04rest".to_vec(), "Excel"),
            (b"%PDF-1.7".to_vec(), "PDF"),
            (b"<!doctype html>".to_vec(), "web page"),
            (gzip(&gzip(b"a")), "gzip data in gzip"),
        ] {
            let error = read(&bytes).expect_err("it is refused");
            assert!(error.contains(named), "{error}");
        }
    }
}
