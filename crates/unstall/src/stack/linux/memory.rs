//! Memory of this process, read with the kernel's help; and copies of stacks.

use std::fs::File;
use std::os::unix::fs::FileExt;

use crate::raw;

/// Reads memory that may vanish meanwhile.
pub(super) struct Memory {
    /// For sandboxes that forbid `process_vm_readv`, as old Docker profiles do.
    file: Option<File>,
}

impl Memory {
    pub(super) fn new() -> Memory {
        Memory { file: File::open("/proc/self/mem").ok() }
    }

    /// Copies as much as is mapped; returns how much that was.
    pub(super) fn read(&self, address: u64, into: &mut [u8]) -> usize {
        if let Some(length) = raw::read_memory(address, into) {
            return length;
        }
        let from_file = |file: &File| file.read_at(into, address).ok();
        self.file.as_ref().and_then(from_file).unwrap_or(0)
    }

    /// One word.
    pub(super) fn word(&self, address: u64) -> Option<u64> {
        let mut bytes = [0; 8];
        (self.read(address, &mut bytes) == bytes.len()).then(|| u64::from_le_bytes(bytes))
    }

    /// A range, if all of it is mapped.
    pub(super) fn range(&self, address: u64, length: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; length];
        let mut done = 0;
        while done < length {
            let more = self.read(address + done as u64, &mut bytes[done..]);
            if more == 0 {
                return None;
            }
            done += more;
        }
        Some(bytes)
    }
}

/// A copy of the live part of a stack, from the stack pointer upwards.
#[derive(Clone, Copy)]
pub(super) struct Snapshot<'a> {
    pub(super) start: u64,
    pub(super) bytes: &'a [u8],
}

impl Snapshot<'_> {
    /// The word at an address that belongs to the copied part.
    pub(super) fn word(&self, address: u64) -> Option<u64> {
        let at = usize::try_from(address.checked_sub(self.start)?).ok()?;
        let bytes = self.bytes.get(at..at.checked_add(8)?)?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    }

    /// Just after its last byte.
    pub(super) fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}
