//! A file in memory, its journal, and what comes back.

use std::collections::BTreeSet;

use super::*;

const SECTOR: usize = 512;

/// A file with a journal beside it.
#[derive(Default)]
struct Disk {
    bytes: Vec<u8>,
    journal: Journal,
}

impl Disk {
    fn synced(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), journal: Journal::default() }
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) {
        let length = self.bytes.len();
        let end = offset + bytes.len();
        let old = self.bytes[offset.min(length)..end.min(length)].to_vec();
        self.journal.wrote(offset as u64, bytes.len() as u64, old, length as u64);
        self.bytes.resize(length.max(end), 0);
        self.bytes[offset..end].copy_from_slice(bytes);
    }

    fn set_length(&mut self, length: usize) {
        let tail = self.bytes.get(length..).unwrap_or_default().to_vec();
        self.journal.set_length(length as u64, tail, self.bytes.len() as u64);
        self.bytes.resize(length, 0);
    }

    fn restored(&self, survivors: Survivors<'_>) -> Vec<u8> {
        let restored = self.journal.restore(self.bytes.len() as u64, survivors);
        let mut bytes = self.bytes.clone();
        for (offset, piece) in restored.pieces {
            let offset = index(offset);
            bytes.resize(bytes.len().max(offset + piece.len()), 0);
            bytes[offset..offset + piece.len()].copy_from_slice(&piece);
        }
        bytes.resize(index(restored.length), 0);
        bytes
    }

    /// Everything that a power cut leaves, over many seeds.
    fn outcomes(&self) -> BTreeSet<Vec<u8>> {
        (0..2_000).map(|seed| self.restored(Survivors::Some(&mut Random::new(seed)))).collect()
    }
}

#[test]
fn a_failed_sync_puts_everything_back() {
    let before: Vec<u8> = (0..2_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    let mut disk = Disk::synced(&before);
    let mut random = Random::new(7);
    for round in 0..200_u8 {
        if random.below(10) == 0 {
            disk.set_length(index(random.below(3_000)));
        } else {
            let bytes = vec![round; index(random.below(700))];
            disk.write(index(random.below(3_000)), &bytes);
        }
        assert_eq!(disk.restored(Survivors::Nobody), before, "after {round}");
    }
}

#[test]
fn what_was_not_changed_is_never_lost() {
    let mut disk = Disk::synced(&[7; 4 * SECTOR]);
    disk.write(SECTOR + 10, &[1; 20]);
    for outcome in disk.outcomes() {
        assert_eq!(outcome[..SECTOR + 10], [7; SECTOR + 10]);
        assert_eq!(outcome[SECTOR + 30..], [7; 3 * SECTOR - 30]);
    }
}

#[test]
fn a_file_that_was_not_changed_stays() {
    let disk = Disk::synced(b"kept");
    assert!(disk.journal.is_empty());
    assert_eq!(disk.journal.bytes(), 0);
    assert_eq!(disk.outcomes(), BTreeSet::from([b"kept".to_vec()]));
}

#[test]
fn a_late_write_can_survive_an_early_one() {
    let mut disk = Disk::synced(&[0; 2 * SECTOR]);
    disk.write(0, &[1]);
    disk.write(SECTOR, &[2]);
    let seen: BTreeSet<_> =
        disk.outcomes().into_iter().map(|bytes| (bytes[0], bytes[SECTOR])).collect();
    assert_eq!(seen, BTreeSet::from([(0, 0), (0, 2), (1, 0), (1, 2)]));
}

#[test]
fn a_write_is_torn_between_sectors_and_never_within() {
    let mut disk = Disk::synced(&[0; 2 * SECTOR]);
    disk.write(SECTOR - 2, &[1, 2, 3, 4]);
    let near = |bytes: Vec<u8>| bytes[SECTOR - 2..SECTOR + 2].to_vec();
    let seen: BTreeSet<_> = disk.outcomes().into_iter().map(near).collect();
    let expected = [[0, 0, 0, 0], [0, 0, 3, 4], [1, 2, 0, 0], [1, 2, 3, 4]];
    assert_eq!(seen, expected.iter().map(|it| it.to_vec()).collect());
}

#[test]
fn a_sector_keeps_any_state_that_it_had() {
    let mut disk = Disk::synced(&[0; SECTOR]);
    for byte in 1..=3 {
        disk.write(0, &[byte]);
    }
    let seen: BTreeSet<_> = disk.outcomes().into_iter().map(|bytes| bytes[0]).collect();
    assert_eq!(seen, (0..=3).collect());
}

#[test]
fn an_extension_is_lost_or_is_zeros_or_holds_the_bytes() {
    let mut disk = Disk::synced(b"old");
    disk.write(3, b"new");
    let expected: [&[u8]; 3] = [b"old", b"old\0\0\0", b"oldnew"];
    assert_eq!(disk.outcomes(), expected.iter().map(|it| it.to_vec()).collect());
}

#[test]
fn nothing_from_before_a_cut_that_survived_comes_back() {
    let mut disk = Disk::synced(b"secret");
    disk.set_length(0);
    disk.write(0, b"new");
    let expected: [&[u8]; 4] = [b"secret", b"", b"\0\0\0", b"new"];
    assert_eq!(disk.outcomes(), expected.iter().map(|it| it.to_vec()).collect());
}
