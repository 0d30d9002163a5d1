//! Ids and numbers: what a shop calls its users and books, and what we call them.
//!
//! A shop's ids are strings of its choosing. Inside, users and items are 31-bit
//! numbers, so that they fit the `int32` of the tutorial's contract. A *canonical
//! decimal* id ("17", not "017") in `1..2³⁰` is its own number; every other id is
//! assigned a number from `2³⁰` up by the store, once, never reused.

use std::fmt;

/// The first number that stands for an id which is not its own number.
pub const FIRST_ASSIGNED: u32 = 1 << 30;

/// The last number there is: the largest positive `int32`.
pub const LAST_NUMBER: u32 = i32::MAX as u32;

/// The longest id, in bytes.
pub const ID_BYTES_MAX: usize = 64;

/// A shop. There is one for now; keys and files carry it all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShopId(pub u32);

impl ShopId {
    /// The only shop there is for now.
    pub const ONLY: Self = Self(1);
}

/// The number of a user, `1..=LAST_NUMBER`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserNumber(pub u32);

/// The number of an item, `1..=LAST_NUMBER`. An item is one edition of a book. The default, 0, is
/// no item's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemNumber(pub u32);

impl fmt::Display for UserNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Display for ItemNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Why a string cannot be an id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing was given.
    #[error("id is empty, expected 1 to {ID_BYTES_MAX} bytes")]
    Empty,
    /// It is longer than [`ID_BYTES_MAX`].
    #[error("id has {bytes} bytes, expected 1 to {ID_BYTES_MAX}")]
    TooLong {
        /// The length found.
        bytes: usize,
    },
    /// It holds a control character, such as a line break.
    #[error("id {id:?} has a control character, expected printable text")]
    Control {
        /// The id found.
        id: String,
    },
}

/// Checks that a string can be an id: 1 to 64 bytes of UTF-8 without control characters.
///
/// # Errors
///
/// [`IdError`] says what is wrong.
pub fn check_id(id: &str) -> Result<(), IdError> {
    if id.is_empty() {
        Err(IdError::Empty)
    } else if id.len() > ID_BYTES_MAX {
        Err(IdError::TooLong { bytes: id.len() })
    } else if id.chars().any(char::is_control) {
        Err(IdError::Control { id: id.to_owned() })
    } else {
        Ok(())
    }
}

/// The number that an id is by itself: a canonical decimal in `1..2³⁰`, or `None`.
///
/// ```
/// use recommender::id::own_number;
///
/// assert_eq!(own_number("17"), Some(17));
/// assert_eq!(own_number("017"), None);
/// assert_eq!(own_number("1073741824"), None); // 2³⁰: from here on, numbers are assigned
/// assert_eq!(own_number("dune"), None);
/// ```
#[must_use]
pub fn own_number(id: &str) -> Option<u32> {
    let first = *id.as_bytes().first()?;
    if !(b'1'..=b'9').contains(&first) || !id.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    id.parse().ok().filter(|number| *number < FIRST_ASSIGNED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_decimals_below_two_to_the_thirty_are_their_own_number() {
        for (id, number) in [
            ("1", Some(1)),
            ("1073741823", Some(FIRST_ASSIGNED - 1)),
            ("1073741824", None),
            ("99999999999999999999", None),
            ("0", None),
            ("00", None),
            ("01", None),
            ("+1", None),
            ("-1", None),
            ("1 ", None),
            ("", None),
            ("٣", None),
            ("9780439023481", None),
        ] {
            assert_eq!(own_number(id), number, "{id:?}");
        }
    }

    #[test]
    fn an_id_has_one_to_64_printable_bytes() {
        assert_eq!(check_id(""), Err(IdError::Empty));
        assert_eq!(check_id(&"a".repeat(64)), Ok(()));
        assert_eq!(check_id(&"a".repeat(65)), Err(IdError::TooLong { bytes: 65 }));
        assert!(matches!(check_id("a\nb"), Err(IdError::Control { .. })));
        assert_eq!(check_id("库存-17"), Ok(()));
    }
}
