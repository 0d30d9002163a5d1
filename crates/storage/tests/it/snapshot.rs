//! A snapshot gives back what was written, or says what is wrong with the file.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use recommender::ShopId;
use storage::snapshot::{ALIGNMENT, MAGIC};
use storage::{Section, Snapshot, SnapshotError, SnapshotHeader, write_snapshot};
use tempfile::TempDir;

const HEADER: SnapshotHeader = SnapshotHeader { shop: ShopId(7), simulated: true };

/// Writes these sections into a file of a folder of its own.
fn written(header: SnapshotHeader, sections: &[Section<'_>]) -> (PathBuf, TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("snapshot");
    let bytes = write_snapshot(&path, header, sections).expect("the sections are right");
    assert_eq!(bytes, fs::metadata(&path).expect("the file is there").len());
    (path, folder)
}

fn small() -> (PathBuf, TempDir) {
    let sections = [
        Section { tag: 1, element_bytes: 4, bytes: b"abcdefgh" },
        Section { tag: 9, element_bytes: 1, bytes: b"" },
        Section { tag: 2, element_bytes: 1, bytes: &[0; 65] },
    ];
    written(HEADER, &sections)
}

/// Opens and verifies a file with these contents.
fn open_bytes(path: &Path, bytes: &[u8]) -> Result<(), SnapshotError> {
    // A new file each time: a mapped one is never to change.
    fs::remove_file(path).expect("the file can be removed");
    fs::write(path, bytes).expect("the file can be written");
    Snapshot::open(path)?.verify()
}

/// The error that a file with these contents is refused with.
fn refusal(path: &Path, bytes: &[u8]) -> String {
    open_bytes(path, bytes).expect_err("the file is refused").to_string()
}

#[test]
fn sections_come_back_as_they_were_written() {
    let (path, _folder) = small();
    let snapshot = Snapshot::open(&path).expect("the file is right");
    snapshot.verify().expect("the contents are right");
    assert_eq!((snapshot.shop(), snapshot.simulated()), (ShopId(7), true));
    let section = snapshot.section(1).expect("there is one");
    assert_eq!((section.as_ref(), section.element_bytes()), (b"abcdefgh".as_slice(), 4));
    assert_eq!(snapshot.section(9).map(|section| section.as_ref().len()), Some(0));
    assert!(snapshot.section(3).is_none());
    let section = snapshot.section(2).expect("there is one");
    drop(snapshot);
    // The section keeps the file open, and lies where any element can be read.
    assert_eq!(section.as_ref(), [0; 65]);
    assert_eq!(section.as_ref().as_ptr().addr() % ALIGNMENT, 0);
}

#[test]
fn a_snapshot_without_sections_is_a_snapshot() {
    let header = SnapshotHeader { shop: ShopId::ONLY, simulated: false };
    let (path, _folder) = written(header, &[]);
    let snapshot = Snapshot::open(&path).expect("the file is right");
    assert_eq!((snapshot.file_bytes(), snapshot.simulated()), (64, false));
}

#[test]
fn the_same_sections_give_the_same_bytes() {
    let ((first, _a), (second, _b)) = (small(), small());
    assert_eq!(fs::read(first).expect("it reads"), fs::read(second).expect("it reads"));
}

#[test]
fn a_file_cut_anywhere_is_refused_at_opening() {
    let (path, _folder) = small();
    let whole = fs::read(&path).expect("it reads");
    let big = vec![7; 10_000];
    let (big_path, _big_folder) =
        written(HEADER, &[Section { tag: 1, element_bytes: 2, bytes: &big }]);
    let big = fs::read(&big_path).expect("it reads");
    let cuts = (0..whole.len()).map(|cut| &whole[..cut]);
    for cut in cuts.chain((0..big.len()).step_by(64).map(|cut| &big[..cut])) {
        fs::remove_file(&path).expect("it is removed");
        fs::write(&path, cut).expect("it is written");
        let refused = Snapshot::open(&path).expect_err("a cut file is refused");
        assert!(matches!(refused, SnapshotError::Length { .. }), "{} bytes: {refused}", cut.len());
    }
}

#[test]
fn every_flipped_bit_is_found() {
    let (path, _folder) = small();
    let whole = fs::read(&path).expect("it reads");
    for bit in 0..whole.len() * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(open_bytes(&path, &flipped).is_err(), "bit {bit}");
    }
    open_bytes(&path, &whole).expect("the whole file is right");
}

#[test]
fn a_file_of_another_kind_version_or_length_is_refused_with_a_reason() {
    let (path, _folder) = small();
    let whole = fs::read(&path).expect("it reads");
    let changed = |at: usize, byte: u8| {
        let mut bytes = whole.clone();
        bytes[at] = byte;
        bytes
    };
    assert_eq!(MAGIC.len(), 8);
    let message = refusal(&path, b"PK\x03\x04, a zip file");
    assert_eq!(message, r"not a snapshot: file begins with PK\x03\x04, a , expected FOREWORD");
    assert_eq!(refusal(&path, &changed(8, 2)), "snapshot has format version 2, expected 1");
    let long = [whole.as_slice(), &[0; 64]].concat();
    let length = whole.len();
    let expected = format!("snapshot has {} bytes, expected {length}", length + 64);
    assert_eq!(refusal(&path, &long), expected);
    let message = refusal(&path, &changed(16, 8));
    assert!(message.starts_with("header of snapshot has checksum "), "{message}");
    let message = refusal(&path, &changed(length - 1, 1));
    assert!(message.starts_with("section 0x2 of snapshot has checksum "), "{message}");
    fs::remove_file(&path).expect("it is removed");
    assert!(matches!(Snapshot::open(&path), Err(SnapshotError::Io { .. })));
}

#[test]
fn sections_that_cannot_be_are_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("snapshot");
    let one = |tag, element_bytes, bytes| Section { tag, element_bytes, bytes };
    for (sections, message) in [
        (vec![one(1, 4, b"abc")], "section 0x1 of snapshot has length 3, expected a multiple of 4"),
        (vec![one(1, 0, b"")], "section 0x1 of snapshot has element size 0, expected at least 1"),
        (
            vec![one(5, 1, b"a"), one(5, 1, b"")],
            "section 0x5 of snapshot has tag 5, expected each tag once",
        ),
    ] {
        let refused = write_snapshot(&path, HEADER, &sections).expect_err("it is refused");
        assert_eq!(refused.to_string(), message);
    }
    let many: Vec<Section<'_>> = (0..1_025).map(|tag| one(tag, 1, b"")).collect();
    assert!(write_snapshot(&path, HEADER, &many).is_err());
    assert!(!path.exists());
    write_snapshot(&path, HEADER, &many[1..]).expect("1024 sections fit");
    Snapshot::open(&path).expect("the file is right").verify().expect("its contents too");
}

proptest! {
    #[test]
    fn any_sections_come_back_as_they_were_written(
        contents in prop::collection::vec((1_u32..9, prop::collection::vec(any::<u8>(), 0..300)), 0..6),
        simulated: bool,
    ) {
        let contents: Vec<(u32, Vec<u8>)> = contents
            .into_iter()
            .map(|(size, mut bytes)| {
                bytes.truncate(bytes.len() / size as usize * size as usize);
                (size, bytes)
            })
            .collect();
        let sections: Vec<Section<'_>> = (100..)
            .zip(&contents)
            .map(|(tag, (element_bytes, bytes))| Section { tag, element_bytes: *element_bytes, bytes })
            .collect();
        let (path, _folder) = written(SnapshotHeader { simulated, ..HEADER }, &sections);
        let snapshot = Snapshot::open(&path).expect("the file is right");
        snapshot.verify().expect("the contents are right");
        prop_assert_eq!(snapshot.simulated(), simulated);
        for section in &sections {
            let read = snapshot.section(section.tag).expect("it was written");
            prop_assert_eq!(read.as_ref(), section.bytes);
            prop_assert_eq!(read.element_bytes(), section.element_bytes);
        }
    }

    #[test]
    fn no_bytes_make_opening_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), magic: bool) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("snapshot");
        let mut bytes = bytes;
        if magic {
            let length = (bytes.len() as u64).to_le_bytes();
            for (at, replacement) in [(0, MAGIC.as_slice()), (8, &[1, 0, 0, 0]), (24, &length)] {
                if let Some(place) = bytes.get_mut(at..at + replacement.len()) {
                    place.copy_from_slice(replacement);
                }
            }
        }
        fs::write(&path, &bytes).expect("it is written");
        if let Ok(snapshot) = Snapshot::open(&path) {
            let _ = snapshot.verify();
        }
    }
}
