//! The frames of gRPC messages: a flag, a length of four bytes, the message.

/// Bytes before each message.
const HEAD: usize = 5;

/// Follows messages through pieces of any size. Nothing is copied.
#[derive(Clone, Debug, Default)]
pub struct Framing {
    head: [u8; HEAD],
    head_len: usize,
    /// Bytes of the current message that are still to come.
    left: usize,
    /// The length of the current message.
    len: usize,
    /// Messages that have begun: their heads were read.
    begun: u64,
}

/// A message that is not to be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FramingError {
    /// It is longer than allowed.
    #[error("message of {found} bytes, expected at most {max}")]
    TooLong {
        /// Its length.
        found: usize,
        /// What is allowed.
        max: usize,
    },
    /// Its flag is neither 0 nor 1.
    #[error("compressed flag {found}, expected 0 or 1")]
    Flag {
        /// The flag.
        found: u8,
    },
}

impl Framing {
    /// Goes on through a piece.
    ///
    /// # Errors
    ///
    /// [`FramingError`] for the first message that may not be read.
    pub fn read(&mut self, mut bytes: &[u8], max: usize) -> Result<(), FramingError> {
        loop {
            let part = self.left.min(bytes.len());
            self.left -= part;
            bytes = &bytes[part..];
            if bytes.is_empty() {
                return Ok(());
            }
            let part = (HEAD - self.head_len).min(bytes.len());
            self.head[self.head_len..self.head_len + part].copy_from_slice(&bytes[..part]);
            self.head_len += part;
            bytes = &bytes[part..];
            if self.head_len == HEAD {
                self.begin(max)?;
            }
        }
    }

    fn begin(&mut self, max: usize) -> Result<(), FramingError> {
        self.head_len = 0;
        let [flag, len @ ..] = self.head;
        let len = u32::from_be_bytes(len) as usize;
        if flag > 1 {
            return Err(FramingError::Flag { found: flag });
        }
        if len > max {
            return Err(FramingError::TooLong { found: len, max });
        }
        (self.len, self.left) = (len, len);
        self.begun += 1;
        Ok(())
    }

    /// How many messages have begun so far.
    #[must_use]
    pub fn begun(&self) -> u64 {
        self.begun
    }

    /// The length of the message that has begun and not ended; 0 if its length is not known yet.
    #[must_use]
    pub fn unfinished(&self) -> Option<usize> {
        match (self.left, self.head_len) {
            (0, 0) => None,
            (0, _) => Some(0),
            _ => Some(self.len),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(flag: u8, announced: u32, sent: usize) -> Vec<u8> {
        let mut bytes = vec![flag];
        bytes.extend(announced.to_be_bytes());
        bytes.resize(HEAD + sent, 7);
        bytes
    }

    #[test]
    fn messages_are_followed_in_pieces_of_any_size() {
        let bytes = [message(0, 3, 3), message(1, 0, 0), message(0, 70, 70)].concat();
        for size in 1..=bytes.len() {
            let mut framing = Framing::default();
            for piece in bytes.chunks(size) {
                assert_eq!(framing.read(piece, 70), Ok(()));
            }
            assert_eq!(framing.unfinished(), None, "in pieces of {size}");
        }
    }

    #[test]
    fn an_unfinished_message_counts_with_its_announced_length() {
        let mut framing = Framing::default();
        framing.read(&[0, 0], 100).unwrap();
        assert_eq!(framing.unfinished(), Some(0), "its length is not known yet");
        framing.read(&[0, 0, 100, 1], 100).unwrap();
        assert_eq!(framing.unfinished(), Some(100));
    }

    #[test]
    fn a_message_is_refused_by_its_head() {
        let too_long = FramingError::TooLong { found: 101, max: 100 };
        assert_eq!(Framing::default().read(&message(0, 101, 0), 100), Err(too_long));
        let lie = FramingError::TooLong { found: u32::MAX as usize, max: 100 };
        assert_eq!(Framing::default().read(&message(1, u32::MAX, 0), 100), Err(lie));
        let flag = FramingError::Flag { found: 2 };
        assert_eq!(Framing::default().read(&message(2, 1, 1), 100), Err(flag));
    }
}
