//! Jitter and draws. Not for secrets.

use std::hash::{BuildHasher as _, RandomState};

/// A number below a bound, which must not be 0.
pub(crate) fn below(bound: usize) -> usize {
    (RandomState::new().hash_one(0) % bound as u64) as usize
}

/// A number from 0 up to, but not including, 1.
pub(crate) fn fraction() -> f64 {
    const STEPS: usize = 1 << 30;
    below(STEPS) as f64 / STEPS as f64
}

#[cfg(test)]
mod tests {
    #[test]
    fn draws_are_below_the_bound_and_differ() {
        let draws: Vec<usize> = (0..100).map(|_| super::below(1000)).collect();
        assert!(draws.iter().all(|draw| *draw < 1000));
        assert!(draws.iter().any(|draw| *draw != draws[0]));
    }
}
