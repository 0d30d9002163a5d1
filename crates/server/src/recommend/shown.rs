//! What was shown: the token that keeps pages and shelves from repeating each other.
//!
//! The token holds the numbers of the items that were shown, oldest first, each as the zigzag
//! difference to the one before in LEB128, after a byte for the format; in URL-safe Base64. Numbers
//! stay what they are over trainings and restarts, so a token never goes stale: whatever has
//! changed between two pages, nothing that was shown comes again. It grants nothing: one that was
//! made up leaves books out, no more.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use recommender::ItemNumber;

/// The most items that a token holds; the oldest are forgotten first.
const ITEMS_MAX: usize = 1000;

/// The longest token. Each item takes five bytes at most, and four letters hold three bytes.
const TOKEN_BYTES_MAX: usize = (1 + 5 * ITEMS_MAX).div_ceil(3) * 4;

const FORMAT: u8 = 1;

/// What was shown, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown(Vec<ItemNumber>);

/// A text that is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a token of what was shown")]
pub struct BadToken;

impl Shown {
    /// What a token says; an empty one says nothing.
    ///
    /// # Errors
    ///
    /// [`BadToken`] if it is not one that [`Shown::token`] made.
    pub fn read(token: &str) -> Result<Self, BadToken> {
        if token.is_empty() {
            return Ok(Self::default());
        }
        if token.len() > TOKEN_BYTES_MAX {
            return Err(BadToken);
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| BadToken)?;
        let (&FORMAT, mut rest) = bytes.split_first().ok_or(BadToken)? else {
            return Err(BadToken);
        };
        let mut items = Vec::with_capacity(rest.len().min(ITEMS_MAX));
        let mut last = 0_i64;
        while !rest.is_empty() {
            let difference;
            (difference, rest) = read_number(rest).ok_or(BadToken)?;
            last += (difference >> 1) as i64 ^ -((difference & 1) as i64);
            items.push(ItemNumber(u32::try_from(last).map_err(|_| BadToken)?));
        }
        if items.len() > ITEMS_MAX { Err(BadToken) } else { Ok(Self(items)) }
    }

    /// Notes what is shown now.
    pub(super) fn add(&mut self, items: impl Iterator<Item = ItemNumber>) {
        self.0.extend(items);
        let forgotten = self.0.len().saturating_sub(ITEMS_MAX);
        self.0.drain(..forgotten);
    }

    /// The items.
    #[must_use]
    pub fn items(&self) -> &[ItemNumber] {
        &self.0
    }

    /// The token for it.
    #[must_use]
    pub fn token(&self) -> String {
        let mut bytes = Vec::with_capacity(1 + 4 * self.0.len());
        bytes.push(FORMAT);
        let mut last = 0_i64;
        for item in &self.0 {
            let difference = i64::from(item.0) - last;
            last = i64::from(item.0);
            write_number((difference << 1 ^ difference >> 63) as u64, &mut bytes);
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

fn write_number(mut number: u64, bytes: &mut Vec<u8>) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// A number of at most five bytes, and what follows it.
fn read_number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let length = bytes.iter().take(5).position(|byte| byte & 0x80 == 0)? + 1;
    let (number, rest) = bytes.split_at(length);
    let number = number.iter().rev().fold(0, |all, byte| all << 7 | u64::from(byte & 0x7f));
    Some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use recommender::id::LAST_NUMBER;

    fn shown(numbers: impl IntoIterator<Item = u32>) -> Shown {
        let mut shown = Shown::default();
        shown.add(numbers.into_iter().map(ItemNumber));
        shown
    }

    #[test]
    fn a_token_says_what_it_was_made_of() {
        for numbers in [vec![], vec![7], vec![LAST_NUMBER, 1, LAST_NUMBER, 0], (1..900).collect()] {
            let shown = shown(numbers);
            assert_eq!(Shown::read(&shown.token()), Ok(shown));
        }
        assert_eq!(Shown::read(""), Ok(Shown::default()));
    }

    #[test]
    fn a_token_is_bounded_and_forgets_the_oldest() {
        let far = (0..2000).map(|place| if place % 2 == 0 { LAST_NUMBER - place } else { place });
        let shown = shown(far);
        assert_eq!(shown.items().len(), ITEMS_MAX);
        assert_eq!(shown.items()[999], ItemNumber(1999));
        let token = shown.token();
        assert!(token.len() <= TOKEN_BYTES_MAX && TOKEN_BYTES_MAX < 8192, "{}", token.len());
        assert_eq!(Shown::read(&token), Ok(shown));
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let long = shown(1..999).token().repeat(20);
        for token in ["x", "AA", "!!!!", "AYA", "AQE", "AYCAgICAgICA", &long] {
            assert_eq!(Shown::read(token), Err(BadToken), "{token:.20}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(bytes in proptest::collection::vec(0_u8.., 0..40)) {
            let token = URL_SAFE_NO_PAD.encode(bytes);
            if let Ok(shown) = Shown::read(&token) {
                proptest::prop_assert_eq!(Shown::read(&shown.token()), Ok(shown));
            }
        }
    }
}
