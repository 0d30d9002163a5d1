//! Small bytes that unpack to very many zeros, written by hand.
//!
//! Sources: RFC 1951 and 1952 (gzip), RFC 8878 (zstd).

/// gzip: a zero, then copies of the 258 bytes before, at 13 bits each.
pub(crate) fn gzip_zeros(count: usize) -> Vec<u8> {
    let mut bits = Bits { bytes: vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255], used: 8 };
    // The last block, with the fixed code: 1, then 01, least bit first.
    bits.push(&[1, 1, 0]);
    // Literal 0 is 0011_0000; length 258 is 1100_0101, and distance 1 is 00000.
    bits.push(&[0, 0, 1, 1, 0, 0, 0, 0]);
    for _ in 0..count / 258 {
        bits.push(&[1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]);
    }
    // The end of the block. The check sum after it is wrong; nobody should get that far.
    bits.push(&[0; 7]);
    bits.bytes.extend([0; 8]);
    bits.bytes
}

/// Bits, filled into bytes from the least one.
struct Bits {
    bytes: Vec<u8>,
    /// Bits of the last byte.
    used: u8,
}

impl Bits {
    fn push(&mut self, bits: &[u8]) {
        for bit in bits {
            if self.used == 8 {
                self.bytes.push(0);
                self.used = 0;
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= bit << self.used;
            }
            self.used += 1;
        }
    }
}

/// zstd: blocks of one byte that is repeated 128 Ki times.
pub(crate) fn zstd_zeros(count: usize) -> Vec<u8> {
    const BLOCK: u32 = 128 << 10;
    // Magic number; a header without content size; a window of 1 MiB: (20 - 10) << 3.
    let mut bytes = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50];
    let blocks = count >> 17;
    for block in 1..=blocks {
        // Size, type 1 (repeated byte), and whether it is the last.
        let head = BLOCK << 3 | 1 << 1 | u32::from(block == blocks);
        bytes.extend(&head.to_le_bytes()[..3]);
        bytes.push(0);
    }
    bytes
}
