//! API keys as text: `foreword_3fa9c2d1_` and 49 letters and digits.
//!
//! After a prefix that scanners for secrets can look for come the key's id, which is no secret,
//! 43 letters and digits drawn at random, which are 256 bits, and a checksum of all before it:
//! CRC-32 in six digits to the base of 62, as GitHub's tokens have it. The checksum tells a key
//! from garbage without a look at what is stored; it proves nothing.
//!
//! The store has the SHA-256 of the 43. Nobody can try 2²⁵⁶ of them, so that a slow hash, as
//! passwords need it, would only cost.

use std::fmt;

use ring::error::Unspecified;
use ring::rand::SecureRandom;

use super::hash::sha256;

/// What every key begins with.
pub const PREFIX: &str = "foreword_";

/// Length of an id: hexadecimal digits.
const ID_LEN: usize = 8;

/// Length of the secret: log2(62^43) is 256.03.
const SECRET_LEN: usize = 43;

const CHECKSUM_LEN: usize = 6;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Bytes from here up would make some digits more likely than others.
const FAIR: u8 = (256 / DIGITS.len() * DIGITS.len()) as u8;

/// A key, with its secret. `Debug` shows the id only.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    text: String,
}

impl ApiKey {
    /// Draws a new key.
    ///
    /// # Errors
    ///
    /// If there are no random numbers to be had.
    pub fn draw(random: &dyn SecureRandom) -> Result<Self, Unspecified> {
        let mut id = [0; ID_LEN / 2];
        random.fill(&mut id)?;
        let id = u32::from_be_bytes(id);
        let mut text = format!("{PREFIX}{id:08x}_");
        let end = text.len() + SECRET_LEN;
        while text.len() < end {
            let mut drawn = [0; SECRET_LEN];
            random.fill(&mut drawn)?;
            let fair = drawn.iter().filter(|byte| **byte < FAIR);
            let digits = fair.map(|byte| digit(u32::from(*byte)));
            text.extend(digits.take(end - text.len()));
        }
        text.push_str(&checksum(&text));
        Ok(Self { text })
    }

    /// A key out of its text; none if it is not whole.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (id, rest) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let is_id = id.len() == ID_LEN && id.bytes().all(is_lower_hex);
        let is_rest = rest.len() == SECRET_LEN + CHECKSUM_LEN
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let (body, end) = text.split_at_checked(text.len() - CHECKSUM_LEN)?;
        (is_id && is_rest && end == checksum(body)).then(|| Self { text: text.to_owned() })
    }

    /// Whether a text is meant to be a key.
    #[must_use]
    pub fn looks_like(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    /// Its id: no secret.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.text[PREFIX.len()..PREFIX.len() + ID_LEN]
    }

    /// The whole key. Whoever reads it can use it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// SHA-256 of the secret.
    #[must_use]
    pub fn secret_sha256(&self) -> [u8; 32] {
        let start = PREFIX.len() + ID_LEN + 1;
        sha256(&self.text.as_bytes()[start..start + SECRET_LEN])
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey").field("id", &self.id()).finish_non_exhaustive()
    }
}

fn is_lower_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

/// The last digit of a number to the base of 62.
fn digit(number: u32) -> char {
    char::from(DIGITS[number as usize % DIGITS.len()])
}

fn checksum(text: &str) -> String {
    let sum = crc32fast::hash(text.as_bytes());
    let base = DIGITS.len() as u32;
    let digits = (0..CHECKSUM_LEN as u32).rev().map(|place| digit(sum / base.pow(place)));
    digits.collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use ring::rand::SystemRandom;

    use super::*;

    #[test]
    fn a_drawn_key_reads_back_and_no_two_are_alike() {
        let random = SystemRandom::new();
        let keys: Vec<ApiKey> = (0..200).map(|_| ApiKey::draw(&random).unwrap()).collect();
        for key in &keys {
            assert_eq!(key.reveal().len(), 67, "{}", key.reveal());
            assert_eq!(ApiKey::parse(key.reveal()).as_ref(), Some(key));
        }
        let secrets: HashSet<_> = keys.iter().map(ApiKey::secret_sha256).collect();
        assert_eq!(secrets.len(), keys.len());
    }

    #[test]
    fn every_digit_is_drawn_about_as_often() {
        let random = SystemRandom::new();
        let mut counts = [0_u32; 256];
        for _ in 0..2_000 {
            let key = ApiKey::draw(&random).unwrap();
            let secret = &key.reveal()[18..18 + SECRET_LEN];
            secret.bytes().for_each(|byte| counts[usize::from(byte)] += 1);
        }
        // 86,000 draws, 1,387 of each expected, with a standard deviation of 37: eight of them.
        for digit in DIGITS {
            let count = counts[usize::from(*digit)];
            assert!((1_090..=1_690).contains(&count), "{}: {count}", char::from(*digit));
        }
    }

    /// A key whose digits were worked out by hand: CRC-32 as zlib has it.
    #[test]
    fn the_checksum_is_crc_32_to_the_base_of_62() {
        let body = "foreword_0123abcd_0000000000000000000000000000000000000000000";
        let sum = crc32fast::hash(body.as_bytes());
        let (mut left, mut digits) = (sum, Vec::new());
        for _ in 0..6 {
            digits.push(DIGITS[(left % 62) as usize]);
            left /= 62;
        }
        digits.reverse();
        let text = format!("{body}{}", String::from_utf8(digits).unwrap());
        assert_eq!(ApiKey::parse(&text).unwrap().id(), "0123abcd");
    }

    #[test]
    fn what_is_not_a_whole_key_is_none() {
        let key = ApiKey::draw(&SystemRandom::new()).unwrap();
        let text = key.reveal();
        for end in 0..text.len() {
            assert_eq!(ApiKey::parse(&text[..end]), None, "{end}");
        }
        for place in 0..text.len() {
            let mut changed = text.as_bytes().to_vec();
            changed[place] = if changed[place] == b'0' { b'1' } else { b'0' };
            assert_eq!(ApiKey::parse(&String::from_utf8(changed).unwrap()), None, "{place}");
        }
        for other in ["", "foreword_", "foreword__", "foreword_ä", "ä"] {
            assert_eq!(ApiKey::parse(other), None, "{other}");
        }
        assert_eq!(ApiKey::parse(&format!("{text}0")), None);
        assert_eq!(ApiKey::parse(&text.to_uppercase()), None);
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = ApiKey::draw(&SystemRandom::new()).unwrap();
        assert_eq!(format!("{key:?}"), format!("ApiKey {{ id: {:?}, .. }}", key.id()));
    }
}
