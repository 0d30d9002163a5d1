//! Events: the kinds of thing a user does to an item.
//!
//! The numbers of [`EventKind`] are written into stores and onto the wire. They
//! never change; new kinds get new numbers.

use std::fmt;
use std::str::FromStr;

/// What a user did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum EventKind {
    /// Looked at the item's page.
    View = 1,
    /// Put it on a wish list.
    WantToRead = 2,
    /// Put it into the cart.
    Cart = 3,
    /// Bought or borrowed it.
    Purchase = 4,
    /// Read it to the end.
    Finish = 5,
    /// Rated it; the event carries a [`Rating`].
    Rating = 6,
    /// Said "not for me".
    Dismiss = 7,
    /// Gave up reading it.
    Abandon = 8,
    /// Gave it back for its money.
    Return = 9,
}

impl EventKind {
    /// Every kind, by number.
    pub const ALL: [Self; 9] = [
        Self::View,
        Self::WantToRead,
        Self::Cart,
        Self::Purchase,
        Self::Finish,
        Self::Rating,
        Self::Dismiss,
        Self::Abandon,
        Self::Return,
    ];

    /// The kind with this number, or `None`.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }

    /// The number that stores and the wire know it by.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The name that files and settings know it by, such as `want_to_read`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::WantToRead => "want_to_read",
            Self::Cart => "cart",
            Self::Purchase => "purchase",
            Self::Finish => "finish",
            Self::Rating => "rating",
            Self::Dismiss => "dismiss",
            Self::Abandon => "abandon",
            Self::Return => "return",
        }
    }

    /// Whether a user with such an event already has or has judged the item, so
    /// that it is not recommended to them again. Only having looked at it is not enough.
    #[must_use]
    pub fn settles(self) -> bool {
        self != Self::View
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// A name that is not an event kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown event kind {found:?}, expected one of view, want_to_read, cart, purchase, finish, rating, dismiss, abandon, return"
)]
pub struct UnknownEventKind {
    /// The name found.
    pub found: String,
}

impl FromStr for EventKind {
    type Err = UnknownEventKind;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| UnknownEventKind { found: name.to_owned() })
    }
}

/// A rating of 1 to 5 stars, halves allowed; kept as 2 to 10 half stars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rating(u8);

/// A number of stars that is not a rating.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("rating {found} is out of range, expected 1 to 5 in steps of 0.5")]
pub struct RatingError {
    /// The number found, as it was written.
    pub found: String,
}

impl Rating {
    /// The rating of this many half stars, 2 to 10, or `None`.
    #[must_use]
    pub fn from_half_stars(half_stars: u8) -> Option<Self> {
        (2..=10).contains(&half_stars).then_some(Self(half_stars))
    }

    /// The rating of this many stars.
    ///
    /// # Errors
    ///
    /// [`RatingError`] unless it is 1, 1.5, 2, … 5.
    pub fn from_stars(stars: f64) -> Result<Self, RatingError> {
        let halves = stars * 2.0;
        if (2.0..=10.0).contains(&halves) && halves.fract() == 0.0 {
            // In range and whole, as just checked.
            Ok(Self(halves as u8))
        } else {
            Err(RatingError { found: stars.to_string() })
        }
    }

    /// The number of half stars, 2 to 10.
    #[must_use]
    pub fn half_stars(self) -> u8 {
        self.0
    }

    /// The number of stars, 1.0 to 5.0.
    #[must_use]
    pub fn stars(self) -> f64 {
        f64::from(self.0) / 2.0
    }
}

impl FromStr for Rating {
    type Err = RatingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.trim()
            .parse()
            .ok()
            .and_then(|stars| Self::from_stars(stars).ok())
            .ok_or_else(|| RatingError { found: text.to_owned() })
    }
}

impl fmt::Display for Rating {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.stars().fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_keep_their_numbers_and_names() {
        for (kind, number) in EventKind::ALL.into_iter().zip(1..) {
            assert_eq!(kind.number(), number);
            assert_eq!(EventKind::from_number(number), Some(kind));
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        assert_eq!(EventKind::from_number(0), None);
        assert_eq!(EventKind::from_number(10), None);
        assert!("Purchase".parse::<EventKind>().is_err());
    }

    #[test]
    fn a_rating_is_one_to_five_in_halves() {
        for (text, half_stars) in [("1", 2), ("3.5", 7), ("5", 10), (" 4.0 ", 8)] {
            assert_eq!(text.parse::<Rating>().map(Rating::half_stars), Ok(half_stars));
        }
        for text in ["0", "0.5", "11", "5.5", "3.2", "-1", "", "NaN", "inf", "five"] {
            assert!(text.parse::<Rating>().is_err(), "{text:?}");
        }
    }
}
