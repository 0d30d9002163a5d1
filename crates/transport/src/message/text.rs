//! Base64 on its way, decoded only to be looked at: the service decodes it again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tonic::Status;

/// Characters that are decoded together.
const GROUP: usize = 4;

/// The characters of a group that is not whole yet.
#[derive(Debug, Default)]
pub(crate) struct Text {
    pending: Vec<u8>,
}

impl Text {
    /// Decodes what is whole. Padding may be anywhere, since each message may have its own.
    pub(super) fn decode(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Status> {
        self.pending.extend(bytes);
        let whole = self.pending.len() / GROUP * GROUP;
        let mut decoded = Vec::with_capacity(whole / GROUP * 3);
        for group in self.pending[..whole].chunks(GROUP) {
            let result = STANDARD.decode_vec(group, &mut decoded);
            result.map_err(|_| Status::invalid_argument("the body is not base64"))?;
        }
        self.pending.drain(..whole);
        Ok(decoded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_any_size_decode_alike() {
        let text =
            [STANDARD.encode(b"a"), STANDARD.encode(b"bc"), STANDARD.encode(b"def")].concat();
        for size in 1..=text.len() {
            let mut decoder = Text::default();
            let decoded =
                text.as_bytes().chunks(size).flat_map(|piece| decoder.decode(piece).unwrap());
            assert_eq!(decoded.collect::<Vec<u8>>(), b"abcdef", "in pieces of {size}");
        }
    }

    #[test]
    fn what_is_no_base64_is_refused() {
        assert!(Text::default().decode(b"a*==").is_err());
    }
}
