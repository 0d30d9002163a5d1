//! As much of HPACK (RFC 7541) as tells whether a header block says `grpc-status: 0`.
//!
//! No text is decoded: of each field of the dynamic table it is enough to know whether it is the
//! status, and that is told from the bytes. Fields are not evicted by size but by number: they
//! are counted from the newest, so that old ones which the server has forgotten do no harm.

use std::collections::VecDeque;

/// RFC 7541, appendix A.
const STATIC_FIELDS: usize = 61;

/// A dynamic table of 4,096 bytes holds so many, of 32 bytes at least.
const DYNAMIC_FIELDS: usize = 128;

const NAME: &[u8] = b"grpc-status";

/// `grpc-status` in the code of RFC 7541, appendix B.
const NAME_CODED: &[u8] = &[0x9a, 0xca, 0xc8, 0xb2, 0x12, 0x34, 0xda, 0x8f];

const OK: &[u8] = b"0";

/// `0` in the same code.
const OK_CODED: &[u8] = &[0x07];

/// What is known of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    StatusOk,
    StatusOther,
    Other,
}

/// Reads the header blocks of one connection, all of them and in their order.
#[derive(Debug, Default)]
pub(crate) struct HeaderReader {
    newest_first: VecDeque<Field>,
}

impl HeaderReader {
    /// Whether the block says that the call went well. `None` if it is malformed.
    pub(crate) fn says_ok(&mut self, mut block: &[u8]) -> Option<bool> {
        let mut ok = false;
        while let Some(&first) = block.first() {
            let field = if first & 0x80 != 0 {
                self.field(integer(&mut block, 7)?)?
            } else if first & 0x40 != 0 {
                let field = self.literal(&mut block, 6)?;
                self.newest_first.push_front(field);
                self.newest_first.truncate(DYNAMIC_FIELDS);
                field
            } else if first & 0x20 != 0 {
                // The table has another size now.
                integer(&mut block, 5)?;
                continue;
            } else {
                self.literal(&mut block, 4)?
            };
            ok |= field == Field::StatusOk;
        }
        Some(ok)
    }

    fn field(&self, index: usize) -> Option<Field> {
        match index.checked_sub(STATIC_FIELDS + 1) {
            Some(dynamic) => self.newest_first.get(dynamic).copied(),
            None => (index > 0).then_some(Field::Other),
        }
    }

    fn literal(&self, block: &mut &[u8], prefix_bits: u32) -> Option<Field> {
        let is_status = match integer(block, prefix_bits)? {
            0 => matches!(text(block)?, (true, NAME_CODED) | (false, NAME)),
            index => self.field(index)? != Field::Other,
        };
        let is_ok = matches!(text(block)?, (true, OK_CODED) | (false, OK));
        Some(match (is_status, is_ok) {
            (true, true) => Field::StatusOk,
            (true, false) => Field::StatusOther,
            (false, _) => Field::Other,
        })
    }
}

/// An integer whose first byte has so many bits of it, RFC 7541, section 5.1.
fn integer(block: &mut &[u8], prefix_bits: u32) -> Option<usize> {
    let full = (1 << prefix_bits) - 1;
    let mut number = usize::from(next(block)?) & full;
    if number < full {
        return Some(number);
    }
    for shift in [0, 7, 14] {
        let byte = next(block)?;
        number += usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// A string as it was sent, and whether it is coded.
fn text<'a>(block: &mut &'a [u8]) -> Option<(bool, &'a [u8])> {
    let coded = block.first()? & 0x80 != 0;
    let length = integer(block, 7)?;
    let (text, rest) = block.split_at_checked(length)?;
    *block = rest;
    Some((coded, text))
}

fn next(block: &mut &[u8]) -> Option<u8> {
    let (&first, rest) = block.split_first()?;
    *block = rest;
    Some(first)
}
