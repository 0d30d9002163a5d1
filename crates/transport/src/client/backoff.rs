//! How long is waited before something is tried again. Pure: the draw is passed in.

use std::time::Duration;

/// The longest wait after so many failures in a row: the first, doubled each time, up to a
/// most.
fn ceiling(first: Duration, most: Duration, failures: u32) -> Duration {
    let doubled = 2_u32.checked_pow(failures.saturating_sub(1)).unwrap_or(u32::MAX);
    first.saturating_mul(doubled).min(most)
}

/// A wait between nothing and the longest, so that calls that failed together do not come again
/// together. The draw is from 0 up to 1.
pub(super) fn full_jitter(first: Duration, most: Duration, failures: u32, draw: f64) -> Duration {
    ceiling(first, most, failures).mul_f64(draw)
}

/// A wait between half of the longest and all of it.
pub(super) fn half_jitter(first: Duration, most: Duration, failures: u32, draw: f64) -> Duration {
    ceiling(first, most, failures).mul_f64(0.5 + draw / 2.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn waits_double_up_to_the_most() {
        let millis = Duration::from_millis;
        for (failures, expected) in [(1, 50), (2, 100), (3, 200), (5, 800), (6, 1000), (99, 1000)] {
            assert_eq!(ceiling(millis(50), millis(1000), failures), millis(expected));
        }
    }

    proptest! {
        #[test]
        fn waits_lie_within_their_jitter(
            first in 1..1_000_000_u64, most in 1..1_000_000_u64, failures in 0..100_u32,
            draw in 0.0..1.0_f64,
        ) {
            let (first, most) = (Duration::from_micros(first), Duration::from_micros(most));
            let longest = ceiling(first, most, failures);
            prop_assert!(longest <= most);
            prop_assert!(full_jitter(first, most, failures, draw) <= longest);
            let half = half_jitter(first, most, failures, draw);
            let slack = Duration::from_nanos(1);
            prop_assert!(longest / 2 <= half + slack && half <= longest);
        }
    }
}
