//! Times in words.

use std::time::Duration;

use jiff::Timestamp;

use crate::chart::number;
use crate::language::{Words, fill};

/// A moment in UTC, to the second; empty for none.
pub(crate) fn moment(time: Option<prost_types::Timestamp>) -> String {
    let time = time.and_then(|time| Timestamp::new(time.seconds, 0).ok());
    time.map(|time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()).unwrap_or_default()
}

/// A time in hours, minutes and seconds.
pub(crate) fn duration(time: Duration, words: &Words) -> String {
    let seconds = time.as_secs();
    let part = |value: u64| value.to_string();
    let (hours, minutes, seconds) =
        (part(seconds / 3600), part(seconds / 60 % 60), part(seconds % 60));
    let values = [("hours", hours.as_str()), ("minutes", &minutes), ("seconds", &seconds)];
    fill(&words.console.duration, &values)
}

/// When something was, and how long before now; in seconds since 1970.
pub(crate) fn age(time: prost_types::Timestamp, now: i64, words: &Words) -> String {
    let ago = Duration::from_secs(u64::try_from(now - time.seconds).unwrap_or(0));
    let (time, ago) = (moment(Some(time)), duration(ago, words));
    fill(&words.console.age, &[("time", &time), ("duration", &ago)])
}

/// A short time.
pub(crate) fn milliseconds(seconds: f64, words: &Words) -> String {
    fill(&words.console.milliseconds, &[("value", &number(seconds * 1000.0))])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    #[test]
    fn times_are_told_in_utc_and_in_words() {
        let words = Language::EN.words();
        let time = prost_types::Timestamp { seconds: 1_700_000_000, nanos: 5 };
        assert_eq!(moment(Some(time)), "2023-11-14 22:13:20 UTC");
        assert_eq!(moment(None), "");
        assert_eq!(duration(Duration::from_secs(3725), words), "1 h 2 min 5 s");
        let told = age(time, 1_700_000_060, words);
        assert_eq!(told, "2023-11-14 22:13:20 UTC, 0 h 1 min 0 s ago");
        assert_eq!(milliseconds(0.0025, words), "2.5 ms");
    }
}
