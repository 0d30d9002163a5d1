//! Prices, as they are written and read.

use api::v1::Price;

/// The most that is asked for: what `Price` holds, twelve digits.
const MINOR_UNITS_MAX: f64 = 999_999_999_999.0;

/// An amount with its currency, with as many digits as ISO 4217 gives it.
pub(crate) fn price(price: &Price) -> String {
    let digits = digits(&price.currency);
    let unit = 10_i64.pow(digits);
    let (whole, part) = (price.minor_units / unit, price.minor_units % unit);
    let width = digits as usize;
    match digits {
        0 => format!("{whole} {}", price.currency),
        _ => format!("{whole}.{part:0width$} {}", price.currency),
    }
}

/// What is added before an amount is cut to whole units, so that 9.95 × 100 is 995.
const ROUNDING: f64 = 1e-6;

/// The most that somebody wants to pay, written as a number in a currency; `None` if it is none. What
/// is less than the smallest unit is left out.
pub(crate) fn read_price(text: &str, currency: &str) -> Option<Price> {
    let amount: f64 = text.trim().parse().ok()?;
    let minor_units = (amount * f64::from(10_i32.pow(digits(currency))) + ROUNDING).floor();
    // Not a number is not in it either.
    let is_amount = (0.0..=MINOR_UNITS_MAX).contains(&minor_units);
    is_amount.then(|| Price { minor_units: minor_units as i64, currency: currency.to_owned() })
}

/// The digits after the point.
fn digits(currency: &str) -> u32 {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX"
        | "UYI" | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        "CLF" | "UYW" => 4,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_have_the_digits_of_their_currency() {
        for (minor_units, currency, expected) in [
            (1290, "EUR", "12.90 EUR"),
            (5, "EUR", "0.05 EUR"),
            (1290, "JPY", "1290 JPY"),
            (1290, "KWD", "1.290 KWD"),
        ] {
            let found = Price { minor_units, currency: currency.to_owned() };
            assert_eq!(price(&found), expected);
            let (amount, _) = expected.split_once(' ').unwrap();
            assert_eq!(read_price(amount, currency), Some(found));
        }
    }

    #[test]
    fn what_is_no_amount_is_no_price() {
        for text in ["", "cheap", "-1", "NaN", "inf", "1e30", "12,90"] {
            assert_eq!(read_price(text, "EUR"), None, "{text}");
        }
        for (text, currency, expected) in
            [(" 12.999 ", "EUR", 1299), ("9.95", "EUR", 995), ("12.5", "JPY", 12)]
        {
            assert_eq!(read_price(text, currency).unwrap().minor_units, expected, "{text}");
        }
    }
}
