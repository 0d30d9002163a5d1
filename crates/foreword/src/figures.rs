//! Numbers as people read them.

use std::time::Duration;

/// `1234567` → `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1`, `"user"` → `1 user`; `2,000 users`.
pub(crate) fn counted(number: u64, thing: &str) -> String {
    format!("{} {thing}{}", count(number), if number == 1 { "" } else { "s" })
}

/// `0.0123` seconds → `12 ms`, `12.34` → `12.3 s`.
pub(crate) fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 1.0 { format!("{:.0} ms", seconds * 1e3) } else { format!("{seconds:.1} s") }
}

/// `1234.5` microseconds → `1.23 ms`: three digits.
pub(crate) fn microseconds(us: f64) -> String {
    let (amount, unit) = match us {
        ..999.5 => (us, "µs"),
        ..999_500.0 => (us / 1e3, "ms"),
        _ => (us / 1e6, "s"),
    };
    let decimals = match amount {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{amount:.decimals$} {unit}")
}

/// `1234567` → `1.2 MB`.
pub(crate) fn bytes(bytes: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let mut amount = bytes as f64;
    let mut unit = 0;
    while amount >= 999.5 && unit + 1 < units.len() {
        amount /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{amount:.1} {}", units[unit]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_given_units() {
        assert_eq!(
            [count(0), count(999), count(1000), count(1_234_567)],
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!([bytes(999), bytes(1000), bytes(1_250_000)], ["999 B", "1.0 kB", "1.2 MB"]);
        assert_eq!([counted(1, "user"), counted(2_000, "user")], ["1 user", "2,000 users"]);
        assert_eq!(seconds(Duration::from_millis(12)), "12 ms");
        assert_eq!(seconds(Duration::from_millis(12_340)), "12.3 s");
    }

    #[test]
    fn times_have_three_digits_and_a_unit() {
        assert_eq!(
            [0.0, 12.34, 999.4, 999.9, 12_345.0, 999_900.0, 600e6].map(microseconds),
            ["0.00 µs", "12.3 µs", "999 µs", "1.00 ms", "12.3 ms", "1.00 s", "600 s"]
        );
    }
}
