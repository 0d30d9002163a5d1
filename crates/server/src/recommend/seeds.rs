//! Seeds: what lets popular books change places, without chance.

use crate::clock::now_ms;

/// Changes from day to day, for whom `reader` stands.
pub(super) fn seed_of_day(reader: u64) -> u64 {
    const DAY_MS: u64 = 86_400_000;
    (reader << 20) ^ (now_ms().unsigned_abs() / DAY_MS)
}

/// [`seed_of_day`] for an id that the shop does not know.
pub(super) fn seed_of_day_of_unknown(id: &str) -> u64 {
    seed_of_day(hash(id))
}

/// Stands for whoever is not known; changes from hour to hour, so that pages can be kept a while.
pub(super) fn seed_of_hour() -> u64 {
    const HOUR_MS: u64 = 3_600_000;
    now_ms().unsigned_abs() / HOUR_MS
}

/// A number for an id: FNV-1a.
fn hash(id: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    id.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}
