//! Times of the contract: to milliseconds since 1970, and back.

use std::ops::RangeInclusive;
use std::time::{SystemTime, UNIX_EPOCH};

use prost_types::Timestamp;

use super::violations::Violations;

/// The seconds that a timestamp can have: the years 1 to 9999.
const SECONDS: RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

const NANOS_PER_MS: i32 = 1_000_000;

/// Milliseconds since 1970; what is finer is cut off.
pub(super) fn milliseconds(
    field: &str,
    time: Option<Timestamp>,
    found: &mut Violations,
) -> Option<i64> {
    let time = time?;
    let nanos = Some(time.nanos).filter(|nanos| (0..1_000_000_000).contains(nanos));
    let Some(nanos) = nanos.filter(|_| SECONDS.contains(&time.seconds)) else {
        let what = format_args!("{} s and {} ns since 1970", time.seconds, time.nanos);
        found.add(field, what, "a time in the years 1 to 9999");
        return None;
    };
    Some(time.seconds * 1000 + i64::from(nanos / NANOS_PER_MS))
}

/// A time of the system; `None` for one before 1970.
pub(super) fn timestamp_of(time: SystemTime) -> Option<Timestamp> {
    let since_1970 = time.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since_1970.as_millis()).ok().map(timestamp)
}

/// A time by its milliseconds since 1970.
pub(super) fn timestamp(time_ms: i64) -> Timestamp {
    Timestamp {
        seconds: time_ms.div_euclid(1000),
        // Below 1,000.
        nanos: time_ms.rem_euclid(1000) as i32 * NANOS_PER_MS,
    }
}
