//! Times as files spell them, in milliseconds since 1970-01-01 UTC.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// 1900-01-01: what is older is a mistake.
const EARLIEST_MS: i64 = -2_208_988_800_000;

const DAY_MS: i64 = 86_400_000;

/// The year 5138, which as a number of milliseconds is 1973.
const MILLISECONDS_FROM: i64 = 100_000_000_000_000;

/// 1990-01-01: an older number of seconds is rather a year, or a date without hyphens.
const SECONDS_FROM_MS: i64 = 631_152_000_000;

/// Why a text is no time of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TimeError {
    /// It is written in some other way.
    #[error(
        "expected RFC 3339 such as 2020-01-31T08:00:00Z, a date such as 2020-01-31, or Unix seconds"
    )]
    Format,
    /// It is too far in the past or the future.
    #[error("expected a time between 1900 and tomorrow")]
    Range,
    /// It fits if it counts milliseconds.
    #[error("expected seconds since 1970 and found what look like milliseconds")]
    Milliseconds,
    /// It is a number of seconds that was hardly meant as one.
    #[error(
        "as Unix seconds that is {understood}; expected RFC 3339 such as 2020-01-31T00:00:00Z, or Unix seconds from 1990 on"
    )]
    EarlySeconds {
        /// The day that it would be.
        understood: Date,
    },
}

/// Reads RFC 3339, a date, or Unix seconds from 1990 on, whole or fractional. A time
/// without an offset is UTC, a date its first moment.
///
/// # Errors
///
/// [`TimeError`]; also if it is before 1900 or more than a day after `now_ms`.
pub(super) fn parse(text: &str, now_ms: i64) -> Result<i64, TimeError> {
    let fits = |ms: i64| (EARLIEST_MS..=now_ms.saturating_add(DAY_MS)).contains(&ms);
    let time_ms = match seconds(text) {
        Some(time_ms) if time_ms >= MILLISECONDS_FROM && fits(time_ms / 1000) => {
            return Err(TimeError::Milliseconds);
        }
        Some(time_ms) if time_ms < SECONDS_FROM_MS && fits(time_ms) => {
            return Err(early(time_ms));
        }
        Some(time_ms) => time_ms,
        None => civil(text).ok_or(TimeError::Format)?.as_millisecond(),
    };
    if fits(time_ms) { Ok(time_ms) } else { Err(TimeError::Range) }
}

/// Reads a date with slashes or hyphens, year first, as its first moment in UTC.
///
/// # Errors
///
/// As [`parse`].
pub(super) fn parse_date(text: &str, now_ms: i64) -> Result<i64, TimeError> {
    let mut parts = text.splitn(3, ['/', '-']).map(str::parse::<i16>);
    let (Some(Ok(year)), Some(Ok(month)), Some(Ok(day))) =
        (parts.next(), parts.next(), parts.next())
    else {
        return Err(TimeError::Format);
    };
    let small = |number: i16| i8::try_from(number).unwrap_or(0);
    let date = Date::new(year, small(month), small(day)).map_err(|_| TimeError::Format)?;
    parse(&date.to_string(), now_ms)
}

/// Unix seconds as milliseconds, if it is a plain decimal number.
fn seconds(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.starts_with(|letter: char| letter.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if !plain {
        return None;
    }
    let seconds: f64 = text.parse().ok()?;
    // Saturates, which is out of range then.
    Some((seconds * 1000.0).round() as i64)
}

fn early(time_ms: i64) -> TimeError {
    Timestamp::from_millisecond(time_ms).map_or(TimeError::Range, |time| TimeError::EarlySeconds {
        understood: time.to_zoned(TimeZone::UTC).date(),
    })
}

fn civil(text: &str) -> Option<Timestamp> {
    if let Ok(timestamp) = text.parse() {
        return Some(timestamp);
    }
    // Without this, "2020-01-31T08:00+25:00" would be read without its offset.
    if text.contains(['+', 'Z', 'z', '[']) {
        return None;
    }
    let time: DateTime = text.parse().ok()?;
    time.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_700_000_000_000;

    #[test]
    fn times_are_read_in_several_spellings() {
        for (text, expected) in [
            ("2020-01-31T08:00:00Z", Ok(1_580_457_600_000)),
            ("2020-01-31T08:00:00+02:00", Ok(1_580_450_400_000)),
            ("2020-01-31 08:00:00.250Z", Ok(1_580_457_600_250)),
            ("2020-01-31 08:00:00", Ok(1_580_457_600_000)),
            ("2020-01-31", Ok(1_580_428_800_000)),
            ("1580457600", Ok(1_580_457_600_000)),
            ("1580457600.25", Ok(1_580_457_600_250)),
            ("631152000", Ok(631_152_000_000)),
            ("1989-12-31", Ok(631_065_600_000)),
            ("-99999999999", Err(TimeError::Range)),
            ("1700086400", Ok(NOW_MS + DAY_MS)),
            ("1700086401", Err(TimeError::Range)),
            ("1580457600000", Err(TimeError::Milliseconds)),
            ("9".repeat(400).as_str(), Err(TimeError::Range)),
            ("1899-12-31", Err(TimeError::Range)),
            ("2199-12-31", Err(TimeError::Range)),
            ("2020-02-30", Err(TimeError::Format)),
            ("31.01.2020", Err(TimeError::Format)),
            ("1.2.3", Err(TimeError::Format)),
            ("yesterday", Err(TimeError::Format)),
            ("nan", Err(TimeError::Format)),
            ("", Err(TimeError::Format)),
        ] {
            assert_eq!(parse(text, NOW_MS), expected, "{text:?}");
        }
    }

    #[test]
    fn a_year_or_a_date_without_hyphens_is_no_number_of_seconds() {
        for (text, understood) in [
            ("20200131", "1970-08-22"),
            ("2020", "1970-01-01"),
            ("2020.0", "1970-01-01"),
            ("-1", "1969-12-31"),
            ("631151999", "1989-12-31"),
        ] {
            let understood = understood.parse().unwrap();
            let expected = Err(TimeError::EarlySeconds { understood });
            assert_eq!(parse(text, NOW_MS), expected, "{text:?}");
        }
    }

    #[test]
    fn a_date_may_have_slashes() {
        for (text, expected) in [
            ("2020/01/31", Ok(1_580_428_800_000)),
            ("2020/1/31", Ok(1_580_428_800_000)),
            ("2020-01-31", Ok(1_580_428_800_000)),
            ("2020/13/01", Err(TimeError::Format)),
            ("2020/01", Err(TimeError::Format)),
            ("31/01/2020", Err(TimeError::Format)),
            ("1066/10/14", Err(TimeError::Range)),
        ] {
            assert_eq!(parse_date(text, NOW_MS), expected, "{text:?}");
        }
    }
}
