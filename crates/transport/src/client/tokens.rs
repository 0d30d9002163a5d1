//! The token bucket that keeps retries from multiplying an outage, after gRFC A6.

use std::sync::atomic::{AtomicU64, Ordering};

use super::settings::Retries;

/// The tokens of a channel, counted in parts: one token is as many parts as calls must be
/// answered for it.
#[derive(Debug)]
pub(super) struct Tokens {
    parts: AtomicU64,
    parts_max: u64,
    token: u64,
}

impl Tokens {
    pub(super) fn new(retries: &Retries) -> Self {
        let token = u64::from(retries.answers_per_token.get());
        let parts_max = u64::from(retries.tokens_max.get()) * token;
        Self { parts: AtomicU64::new(parts_max), parts_max, token }
    }

    /// A try has failed.
    pub(super) fn failed(&self) {
        self.change(|parts| parts.saturating_sub(self.token));
    }

    /// A call was answered.
    pub(super) fn answered(&self) {
        // Almost always it is full, and a load is cheaper than a store.
        if self.parts.load(Ordering::Relaxed) < self.parts_max {
            self.change(|parts| (parts + 1).min(self.parts_max));
        }
    }

    /// Whether another try may be made.
    pub(super) fn allow(&self) -> bool {
        self.parts.load(Ordering::Relaxed) > self.parts_max / 2
    }

    fn change(&self, change: impl Fn(u64) -> u64) {
        // The closure never refuses.
        let _ = self
            .parts
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |parts| Some(change(parts)));
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use proptest::prelude::*;

    use super::*;
    use crate::client::Settings;

    fn tokens(tokens_max: u32, answers_per_token: u32) -> Tokens {
        let retries = Settings::for_a_nearby_service().retries;
        let number = |number| NonZeroU32::new(number).unwrap();
        let (tokens_max, answers_per_token) = (number(tokens_max), number(answers_per_token));
        Tokens::new(&Retries { tokens_max, answers_per_token, ..retries })
    }

    #[test]
    fn retries_end_when_half_of_the_tokens_are_gone_and_come_back_with_answers() {
        let tokens = tokens(4, 10);
        tokens.failed();
        assert!(tokens.allow());
        tokens.failed();
        assert!(!tokens.allow());
        tokens.answered();
        assert!(tokens.allow());
    }

    proptest! {
        #[test]
        fn in_an_outage_at_most_half_of_the_tokens_are_spent_on_retries(tokens_max in 1..200_u32) {
            let tokens = tokens(tokens_max, 10);
            let mut retries = 0;
            for _ in 0..1000 {
                tokens.failed();
                retries += u32::from(tokens.allow());
            }
            prop_assert!(retries <= tokens_max / 2);
        }

        #[test]
        fn tokens_stay_between_none_and_all(answers in prop::collection::vec(any::<bool>(), 0..500)) {
            let tokens = tokens(5, 3);
            for answered in answers {
                if answered { tokens.answered() } else { tokens.failed() }
                prop_assert!(tokens.parts.load(Ordering::Relaxed) <= tokens.parts_max);
            }
        }
    }
}
