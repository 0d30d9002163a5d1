//! ISBNs as files spell them, as the 13 digits that the store keeps.

use storage::book::ISBN13_PREFIXES;

/// The ISBN-13 that a text spells: 10 or 13 digits with a right check digit, with
/// or without hyphens and spaces. Leading zeros that a spreadsheet dropped are
/// put back if the check digit agrees.
pub(crate) fn parse(text: &str) -> Option<u64> {
    let symbols: Vec<u8> = text
        .bytes()
        .filter(|byte| !matches!(byte, b'-' | b' '))
        .map(|byte| byte.to_ascii_uppercase())
        .collect();
    if symbols.len() == 13 {
        let isbn = digits(&symbols)?;
        return (is_bookland(isbn) && isbn % 10 == check_digit_13(isbn / 10)).then_some(isbn);
    }
    // No group of ISBNs begins with more than three zeros.
    if !(7..=10).contains(&symbols.len()) {
        return None;
    }
    let (check, body) = symbols.split_last()?;
    let body = digits(body)?;
    let check = if *check == b'X' { 10 } else { digits(&[*check])? };
    (check == check_digit_10(body)).then(|| of_prefix(978_000_000_000 + body))
}

/// The ISBN-13 that a spreadsheet turned into a number such as `9.78043902348e+12`.
///
/// With 13 significant digits it is all there. With fewer it was *rounded* to 12:
/// the check digit may tell whether up or down; in three cases of four it does not.
pub(super) fn parse_float(text: &str) -> Option<u64> {
    let mantissa = text.split(['e', 'E']).next()?;
    let significant = mantissa.bytes().filter(u8::is_ascii_digit).count();
    let number: f64 = text.parse().ok()?;
    if !(9.78e12..9.8e12).contains(&number) {
        return None;
    }
    // In range, and whole numbers below 2^53 are exact.
    let isbn = number as u64;
    let (down, up) = (isbn / 10, isbn / 10 - 1);
    if significant >= 13 {
        return (isbn % 10 == check_digit_13(down)).then_some(isbn);
    }
    // A check digit of 5 is rounded to the even neighbour, which may be either.
    match (check_digit_13(down) <= 5, check_digit_13(up) >= 5 && is_bookland(up * 10)) {
        (true, false) => Some(of_prefix(down)),
        (false, true) => Some(of_prefix(up)),
        _ => None,
    }
}

fn digits(symbols: &[u8]) -> Option<u64> {
    symbols.iter().try_fold(0, |number, symbol| {
        symbol.is_ascii_digit().then(|| number * 10 + u64::from(symbol - b'0'))
    })
}

/// Whether 13 digits begin as those of books do.
fn is_bookland(isbn: u64) -> bool {
    ISBN13_PREFIXES.contains(&(isbn / 10_000_000_000))
}

/// The ISBN-13 that begins with these 12 digits.
fn of_prefix(prefix: u64) -> u64 {
    prefix * 10 + check_digit_13(prefix)
}

/// The last digit of an ISBN-13, from the 12 before it: weights 1 and 3, modulo 10.
fn check_digit_13(mut prefix: u64) -> u64 {
    let mut sum = 0;
    for weight in [3, 1].into_iter().cycle().take(12) {
        sum += weight * (prefix % 10);
        prefix /= 10;
    }
    (10 - sum % 10) % 10
}

/// The last symbol of an ISBN-10, from the 9 before it: weights 10 down to 2, modulo 11.
fn check_digit_10(mut body: u64) -> u64 {
    let mut sum = 0;
    for weight in 2..=10 {
        sum += weight * (body % 10);
        body /= 10;
    }
    (11 - sum % 11) % 11
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_and_thirteen_digits_are_read_if_the_check_digit_is_right() {
        for (text, expected) in [
            ("0439023483", Some(9_780_439_023_481)),
            ("439023483", Some(9_780_439_023_481)),
            ("043942089X", Some(9_780_439_420_891)),
            ("43942089x", Some(9_780_439_420_891)),
            ("978-0-439-02348-1", Some(9_780_439_023_481)),
            ("9780439023482", None),
            ("0439023484", None),
            ("1234567890128", None),
            ("43942X893", None),
            ("", None),
            ("0", None),
            ("dune", None),
        ] {
            assert_eq!(parse(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_rounded_number_is_read_where_its_check_digit_leaves_no_doubt() {
        for (text, expected) in [
            ("9.780007119318e+12", Some(9_780_007_119_318)),
            ("9780439023481.0", Some(9_780_439_023_481)),
            ("9780439023481", Some(9_780_439_023_481)),
            ("9780439023482", None),
            ("76783609419.0", None),
            ("2.94001623192e+12", None),
            ("nan", None),
            ("", None),
        ] {
            assert_eq!(parse_float(text), expected, "{text:?}");
        }
    }

    #[test]
    fn rounding_never_gives_another_isbn() {
        let mut read = 0;
        for prefix in (978_000_000_000..979_999_999_999).step_by(999_983) {
            let isbn = of_prefix(prefix);
            // Rounded to 12 significant digits, as the files do.
            let text = format!("{:.11e}", isbn as f64).replace('e', "e+");
            if let Some(found) = parse_float(&text) {
                assert_eq!(found, isbn, "{text}");
                read += 1;
            }
        }
        assert!(read > 400, "{read}");
    }
}
