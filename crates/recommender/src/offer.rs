//! The offer: whether a book can be had, for how much, and from which age.
//!
//! What is not known does not stand in the way of a sale, except where a caller asks for
//! certainty: a limit of the price wants a price that is known, and a shelf for children can
//! want ages that are. What is sold out is shown to nobody who does not ask for it.

use std::fmt;
use std::str::FromStr;

/// A currency by its ISO 4217 code, such as `EUR`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Currency([u8; 3]);

/// A text is no currency's code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected the three letters of a currency (ISO 4217) such as EUR")]
pub struct CurrencyError;

impl FromStr for Currency {
    type Err = CurrencyError;

    /// Reads three letters in upper or lower case. Whether there is such a currency is not
    /// looked up: only equal ones are ever compared.
    fn from_str(text: &str) -> Result<Self, CurrencyError> {
        let code: [u8; 3] = text.as_bytes().try_into().map_err(|_| CurrencyError)?;
        let letters = code.iter().all(u8::is_ascii_alphabetic);
        letters.then(|| Self(code.map(|letter| letter.to_ascii_uppercase()))).ok_or(CurrencyError)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|letter| write!(formatter, "{}", char::from(*letter)))
    }
}

impl Currency {
    /// How many decimals of it are paid in: its minor unit by ISO 4217, such as 2 for
    /// cents.
    #[must_use]
    pub fn decimals(self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG"
            | b"RWF" | b"UGX" | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            b"CLF" | b"UYW" => 4,
            _ => 2,
        }
    }
}

/// A price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// In the smallest unit of the currency: 1290 is 12.90 EUR, and 1290 JPY.
    pub minor_units: u64,
    /// Of which currency.
    pub currency: Currency,
}

/// How a book is offered. What is not known is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// Units that can be sold; `None` if they are not counted, as of e-books.
    pub stock: Option<u32>,
    /// The price.
    pub price: Option<Price>,
    /// The age in years from which it is meant to be read.
    pub age_min: Option<u8>,
}

/// Whether books may be sold out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stock {
    /// Only what can be had now.
    #[default]
    Available,
    /// What is sold out too.
    Any,
}

/// What becomes of books without a known age.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownAge {
    /// They pass.
    #[default]
    Passes,
    /// They fail.
    Fails,
}

/// Which offers may be shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OfferFilter {
    /// Whether books may be sold out.
    pub stock: Stock,
    /// The most that a book may cost. A book without a known price in this currency
    /// fails: who names a limit must not be shown what may be over it.
    pub price_max: Option<Price>,
    /// The age of who reads, in years; books meant for older readers fail.
    pub reader_age: Option<u8>,
    /// What becomes of books without a known age.
    pub unknown_age: UnknownAge,
}

impl OfferFilter {
    /// Whether a book offered like this may be shown.
    #[must_use]
    pub fn admits(&self, offer: &Offer) -> bool {
        let in_stock = self.stock == Stock::Any || offer.stock != Some(0);
        let affordable = self.price_max.is_none_or(|limit| {
            offer.price.is_some_and(|price| {
                price.currency == limit.currency && price.minor_units <= limit.minor_units
            })
        });
        let suitable = match offer.age_min {
            Some(age_min) => self.reader_age.is_none_or(|years| age_min <= years),
            None => self.unknown_age == UnknownAge::Passes,
        };
        in_stock && affordable && suitable
    }

    /// Whether it can keep out anything that is in stock: if not, offers need not be looked at.
    #[must_use]
    pub fn looks_beyond_stock(&self) -> bool {
        self.price_max.is_some()
            || self.reader_age.is_some()
            || self.unknown_age == UnknownAge::Fails
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(minor_units: u64, currency: &str) -> Price {
        Price { minor_units, currency: currency.parse().unwrap() }
    }

    #[test]
    fn currencies_are_three_letters_in_any_case() {
        assert_eq!("eur".parse::<Currency>().unwrap().to_string(), "EUR");
        for text in ["", "EU", "EURO", "E R", "€"] {
            assert_eq!(text.parse::<Currency>(), Err(CurrencyError), "{text:?}");
        }
        for (code, decimals) in [("EUR", 2), ("JPY", 0), ("kwd", 3), ("CLF", 4)] {
            assert_eq!(code.parse::<Currency>().unwrap().decimals(), decimals, "{code}");
        }
    }

    #[test]
    fn what_a_bookshop_expects() {
        let unknown = Offer::default();
        let novel = Offer { stock: Some(3), price: Some(price(1290, "EUR")), age_min: Some(16) };
        let gone = Offer { stock: Some(0), ..novel };
        let any = OfferFilter::default();
        let limit = |limit| OfferFilter { price_max: Some(limit), ..any };
        let reader = |years| OfferFilter { reader_age: Some(years), ..any };
        let certain = |filter| OfferFilter { unknown_age: UnknownAge::Fails, ..filter };
        for (filter, offer, expected) in [
            (any, unknown, true),
            (any, novel, true),
            (any, gone, false),
            (OfferFilter { stock: Stock::Any, ..any }, gone, true),
            (limit(price(1290, "EUR")), novel, true),
            (limit(price(1289, "EUR")), novel, false),
            (limit(price(5000, "USD")), novel, false),
            (limit(price(5000, "EUR")), unknown, false),
            (limit(price(5000, "EUR")), gone, false),
            (reader(16), novel, true),
            (reader(15), novel, false),
            (reader(15), unknown, true),
            (certain(reader(15)), unknown, false),
            (certain(reader(16)), novel, true),
            (certain(any), unknown, false),
            (certain(any), novel, true),
        ] {
            assert_eq!(filter.admits(&offer), expected, "{filter:?} {offer:?}");
        }
    }
}
