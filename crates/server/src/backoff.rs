//! How long to wait before something that failed is tried again.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

/// Waits that double up to a limit, each drawn from its upper half, so that many who failed at
/// once do not come back at once.
#[derive(Debug)]
pub(crate) struct Backoff {
    first: Duration,
    max: Duration,
    next: Duration,
}

impl Backoff {
    pub(crate) fn new(first: Duration, max: Duration) -> Self {
        Self { first, max, next: first }
    }

    /// Begins anew: it succeeded.
    pub(crate) fn reset(&mut self) {
        self.next = self.first;
    }

    /// How long to wait now.
    pub(crate) fn next(&mut self) -> Duration {
        let wait = self.next.mul_f64(0.5 + chance() / 2.0);
        self.next = (self.next * 2).min(self.max);
        wait
    }
}

/// Anything from 0 to 1, for waits: nothing depends on how good it is.
pub(crate) fn chance() -> f64 {
    // Hashers are seeded at random.
    RandomState::new().hash_one(()) as f64 / u64::MAX as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_their_limit_and_begin_anew_after_a_success() {
        let ms = Duration::from_millis;
        let mut backoff = Backoff::new(ms(100), ms(350));
        for _ in 0..2 {
            for longest in [ms(100), ms(200), ms(350), ms(350)] {
                let wait = backoff.next();
                assert!(longest / 2 <= wait && wait <= longest, "{wait:?} of {longest:?}");
            }
            backoff.reset();
        }
    }
}
