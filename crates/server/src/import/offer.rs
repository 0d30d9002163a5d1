//! Stock, price and age of a row.
//!
//! They decide whether a book is shown at all, so a field that cannot be read is refused: left
//! out, it would put a book that is sold out, or not for children, onto a shelf.

use recommender::offer::{Currency, Offer, Price};
use storage::book::{AGES, PRICE_MAX};

use super::columns::{ColumnNames, Role};
use super::error::ImportError;
use super::report::Refusal;
use super::table::{Row, Table};

/// Where the fields of an offer are.
pub(super) struct OfferColumns {
    stock: Option<usize>,
    price: Option<usize>,
    currency: Option<usize>,
    min_age: Option<usize>,
}

impl OfferColumns {
    pub(super) fn of(table: &Table, names: &ColumnNames) -> Result<Self, ImportError> {
        let find = |name| names.find(table, Role::Books, name);
        Ok(Self {
            stock: find("stock")?,
            price: find("price")?,
            currency: find("currency")?,
            min_age: find("min_age")?,
        })
    }

    /// The column of a field of [`Offer`].
    pub(super) fn of_field(&self, field: &str) -> Option<usize> {
        match field {
            "price" => self.price,
            "age_min" => self.min_age,
            _ => None,
        }
    }
}

/// Reads the fields that are there; an empty one is not known.
pub(super) fn read(row: Row<'_>, columns: &OfferColumns) -> Result<Offer, Refusal> {
    let stock = field(row, columns.stock, stock, "expected the units in stock, such as 3 or 0")?;
    let ages = format!("expected years from {} to {}", AGES.start(), AGES.end());
    let age_min = field(row, columns.min_age, age, &ages)?;
    Ok(Offer { stock, price: read_price(row, columns)?, age_min })
}

fn field<T>(
    row: Row<'_>,
    column: Option<usize>,
    read: impl FnOnce(&str) -> Option<T>,
    expected: &str,
) -> Result<Option<T>, Refusal> {
    let (Some(column), Some(text)) = (column, row.optional(column)) else { return Ok(None) };
    read(text).map(Some).ok_or_else(|| row.refuse(column, expected))
}

/// Units; more goods were sold than there were in some shops, and that is none.
fn stock(text: &str) -> Option<u32> {
    let whole = text.strip_suffix(".0").unwrap_or(text);
    let units: i64 = whole.parse().ok()?;
    u32::try_from(units.max(0)).ok()
}

/// Years such as "12" or "12+".
fn age(text: &str) -> Option<u8> {
    let years = text.strip_suffix('+').unwrap_or(text).parse().ok()?;
    AGES.contains(&years).then_some(years)
}

fn read_price(row: Row<'_>, columns: &OfferColumns) -> Result<Option<Price>, Refusal> {
    let (Some(column), Some(text)) = (columns.price, row.optional(columns.price)) else {
        return Ok(None);
    };
    let (amount, beside) = split(text);
    let (code, code_column) = match row.optional(columns.currency) {
        Some(code) => (code, columns.currency.unwrap_or(column)),
        None if beside.is_empty() => {
            let expected = "expected a currency too: a column for it, or a price such as 12.90 EUR";
            return Err(row.refuse(column, expected));
        }
        None => (beside, column),
    };
    let currency: Currency = code.parse().map_err(|error| row.refuse(code_column, error))?;
    if !beside.is_empty() && beside.parse() != Ok(currency) {
        return Err(row.refuse(column, format_args!("expected a price in {currency}")));
    }
    let decimals = currency.decimals();
    let minor_units = minor_units(amount, decimals).ok_or_else(|| {
        let expected = "expected digits, with at most one point or comma before";
        let hint = if could_be_thousands(amount, decimals) {
            "; three digits after it could be thousands: write them without it, or fewer decimals"
        } else {
            ""
        };
        row.refuse(column, format_args!("{expected} {decimals} decimals of {currency}{hint}"))
    })?;
    Ok(Some(Price { minor_units, currency }))
}

/// The amount of a price, and the currency that may stand before or after it.
fn split(text: &str) -> (&str, &str) {
    let is_amount = |letter: char| letter.is_ascii_digit() || matches!(letter, '.' | ',' | '-');
    match text.find(is_amount) {
        Some(0) => {
            let end = text.find(|letter| !is_amount(letter)).unwrap_or(text.len());
            (&text[..end], text[end..].trim())
        }
        Some(start) => (&text[start..], text[..start].trim()),
        None => ("", text),
    }
}

/// Whether the only separator is before three digits that need not be decimals: "1.500 EUR".
fn could_be_thousands(amount: &str, decimals: u32) -> bool {
    let part = amount.split_once(['.', ',']).map_or("", |(_, part)| part);
    decimals != 3 && part.len() == 3 && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// "12.9" with two decimals is 1290. Thousands are not separated: "1.299" could be either, and
/// so could "1.500".
fn minor_units(amount: &str, decimals: u32) -> Option<u64> {
    let (whole, part) = amount.split_once(['.', ',']).unwrap_or((amount, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if could_be_thousands(amount, decimals) {
        return None;
    }
    // What shops without small coins write: 1290.00 JPY.
    let part = if part.len() <= 2 { part.trim_end_matches('0') } else { part };
    let missing = decimals.checked_sub(u32::try_from(part.len()).ok()?)?;
    if whole.is_empty() || !digits(whole) || !digits(part) {
        return None;
    }
    let units: u64 = format!("{whole}{part}").parse().ok()?;
    units.checked_mul(10_u64.pow(missing)).filter(|units| *units <= PRICE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_become_minor_units() {
        for (text, decimals, expected) in [
            ("12.90", 2, Some(1290)),
            ("12,9", 2, Some(1290)),
            ("12", 2, Some(1200)),
            ("0", 2, Some(0)),
            ("1290.00", 0, Some(1290)),
            ("1.250", 3, Some(1250)),
            ("1.299", 2, None),
            ("1.500", 2, None),
            ("2,000", 2, None),
            ("2.000", 0, None),
            ("2.000", 3, Some(2000)),
            ("2.0000", 2, None),
            ("12.50", 0, None),
            ("12.0", 0, Some(12)),
            ("1,299.00", 2, None),
            (".50", 2, None),
            ("-1", 2, None),
            ("", 2, None),
            ("99999999999999999999", 2, None),
            ("9999999999.99", 2, Some(PRICE_MAX)),
            ("10000000000", 2, None),
        ] {
            assert_eq!(minor_units(text, decimals), expected, "{text:?} {decimals}");
        }
    }

    #[test]
    fn a_currency_may_stand_on_either_side() {
        for (text, expected) in [
            ("12.90 EUR", ("12.90", "EUR")),
            ("EUR 12.90", ("12.90", "EUR")),
            ("12.90", ("12.90", "")),
            ("free", ("", "free")),
        ] {
            assert_eq!(split(text), expected, "{text:?}");
        }
    }

    #[test]
    fn units_and_years_are_read() {
        for (text, expected) in
            [("3", Some(3)), ("0", Some(0)), ("-2", Some(0)), ("4.0", Some(4)), ("yes", None)]
        {
            assert_eq!(stock(text), expected, "{text:?}");
        }
        for (text, expected) in
            [("12", Some(12)), ("12+", Some(12)), ("121", None), ("adult", None)]
        {
            assert_eq!(age(text), expected, "{text:?}");
        }
    }
}
