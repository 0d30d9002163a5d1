//! What was changed in one file since it was last synced, and how much of it a power cut takes.
//!
//! Contents are seen as bytes without end, zero past the file's length, and the length apart. A
//! write replaces bytes and perhaps the length; a cut replaces the tail by zeros, and the length.
//! What a disk holds after a power cut is then: some length that the file had in between, and in
//! each sector of 512 bytes some state that this sector had, whatever its neighbours lost: a disk
//! may write late sectors early. Only cuts are kept in order with lengths, as journals of file
//! systems keep them: where a cut has reached the disk nothing from before it comes back, and where
//! it has not, what was written after it is lost.

use std::collections::BTreeMap;

use crate::random::Random;

/// What a disk writes whole or not at all.
pub(crate) const SECTOR_BYTES: u64 = 512;

/// What a change costs besides the bytes that it replaced.
const CHANGE_BYTES: u64 = 64;

/// Who survives.
pub(crate) enum Survivors<'a> {
    /// Nothing: the file is as it was synced.
    Nobody,
    /// What chance leaves.
    Some(&'a mut Random),
}

/// The changes of one file, oldest first.
#[derive(Default)]
pub(crate) struct Journal {
    changes: Vec<Change>,
    bytes: u64,
}

struct Change {
    offset: u64,
    /// How many bytes were replaced.
    count: u64,
    /// What they were; past the old length they were zeros, which are left out.
    old: Vec<u8>,
    length_before: u64,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Write,
    Length,
}

/// What to write, in this order, and how long the file is then.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Restored {
    pub(crate) pieces: Vec<(u64, Vec<u8>)>,
    pub(crate) length: u64,
    pub(crate) sectors_lost: u64,
}

impl Journal {
    /// Notes that `count` bytes at `offset` were written, over `old`, to a file of this length.
    pub(crate) fn wrote(&mut self, offset: u64, count: u64, old: Vec<u8>, length_before: u64) {
        self.push(Change { offset, count, old, length_before, kind: Kind::Write });
    }

    /// Notes that the length was changed, and which bytes a cut removed.
    pub(crate) fn set_length(&mut self, length: u64, tail: Vec<u8>, length_before: u64) {
        let count = length_before.saturating_sub(length);
        self.push(Change { offset: length, count, old: tail, length_before, kind: Kind::Length });
    }

    fn push(&mut self, change: Change) {
        self.bytes += change.old.len() as u64 + CHANGE_BYTES;
        self.changes.push(change);
    }

    /// Whether the file is as it was synced.
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// About how much memory this takes.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What a power cut or a failed sync leaves of a file that is `length` long now.
    pub(crate) fn restore(&self, length: u64, mut survivors: Survivors<'_>) -> Restored {
        let count = self.changes.len();
        // Changes of length before this one have reached the disk; half of the times all have.
        let lengths_kept = match &mut survivors {
            Survivors::Nobody => 0,
            Survivors::Some(random) => match random.below(2) {
                0 => count,
                _ => index(random.below(count as u64 + 1)),
            },
        };
        let length = self.changes.get(lengths_kept).map_or(length, |next| next.length_before);
        // Of 8 sectors, so many are in danger: sometimes all of them, sometimes none.
        let danger = match &mut survivors {
            Survivors::Nobody => 8,
            Survivors::Some(random) => [0, 1, 4, 8][index(random.below(4))],
        };
        let mut first_undone = BTreeMap::new();
        for (sector, touched) in self.sectors() {
            let least = self.kept_at_least(&touched, lengths_kept);
            let most = self.kept_at_most(&touched, lengths_kept);
            let range = (most - least) as u64 + 1;
            let kept = match &mut survivors {
                Survivors::Nobody => least,
                Survivors::Some(random) => {
                    let is_in_danger = random.below(8) < danger;
                    if is_in_danger { least + index(random.below(range)) } else { most }
                }
            };
            if let Some(first) = touched.get(kept) {
                first_undone.insert(sector, *first);
            }
        }
        let mut pieces = Vec::new();
        for (number, change) in self.changes.iter().enumerate().rev() {
            for sector in change.sectors() {
                if first_undone.get(&sector).is_some_and(|first| *first <= number) {
                    pieces.push(change.old_bytes_in(sector));
                }
            }
        }
        Restored { pieces, length, sectors_lost: first_undone.len() as u64 }
    }

    /// Each sector that was touched, with the numbers of the changes that did.
    fn sectors(&self) -> BTreeMap<u64, Vec<usize>> {
        let mut sectors = BTreeMap::<u64, Vec<usize>>::new();
        for (number, change) in self.changes.iter().enumerate() {
            for sector in change.sectors() {
                sectors.entry(sector).or_default().push(number);
            }
        }
        sectors
    }

    /// Up to the last cut that reached the disk, all has happened.
    fn kept_at_least(&self, touched: &[usize], lengths_kept: usize) -> usize {
        let is_kept_cut =
            |number: &usize| *number < lengths_kept && self.changes[*number].kind == Kind::Length;
        touched.iter().rposition(is_kept_cut).map_or(0, |place| place + 1)
    }

    /// From the first cut on that did not reach the disk, nothing has happened.
    fn kept_at_most(&self, touched: &[usize], lengths_kept: usize) -> usize {
        let is_lost_cut =
            |number: &usize| *number >= lengths_kept && self.changes[*number].kind == Kind::Length;
        touched.iter().position(is_lost_cut).unwrap_or(touched.len())
    }
}

impl Change {
    fn sectors(&self) -> std::ops::Range<u64> {
        let end = (self.offset + self.count).div_ceil(SECTOR_BYTES);
        self.offset / SECTOR_BYTES..end.max(self.offset / SECTOR_BYTES)
    }

    /// Where in this sector bytes were replaced, and what they were.
    fn old_bytes_in(&self, sector: u64) -> (u64, Vec<u8>) {
        let start = self.offset.max(sector * SECTOR_BYTES);
        let end = (self.offset + self.count).min((sector + 1) * SECTOR_BYTES);
        let byte = |at: u64| self.old.get(index(at - self.offset)).copied().unwrap_or(0);
        (start, (start..end).map(byte).collect())
    }
}

/// Offsets within what is in memory fit.
fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
