//! So many calls a second for each identity.
//!
//! Identities are counted one by one up to a bound. Beyond it, those that are new share a few
//! allowances among them, until others have been idle for long enough to be forgotten: a crowd
//! of strangers costs strangers, and never those who were here before.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;
use governor::{Quota, RateLimiter};

use crate::access::Identity;
use crate::settings::Rate;

/// Identities are spread over so many parts, each with a lock of its own.
const SHARDS: usize = 64;

/// The most identities of one part that are counted one by one: 131,072 in all.
const IDENTITIES_PER_SHARD: usize = 2048;

/// How often those that were idle are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(5);

/// More calls a second than this are no limit that a clock of nanoseconds could hold.
const CALLS_PER_SECOND_MAX: u32 = 1_000_000;

/// How many calls each identity may make; a clone is the same limit.
#[derive(Clone, Debug)]
pub struct RateLimits(Arc<ArcSwapOption<Limiter<MonotonicClock>>>);

impl RateLimits {
    /// A limit for each identity; `None` is no limit.
    #[must_use]
    pub fn new(rate: Option<Rate>) -> Self {
        Self(Arc::new(ArcSwapOption::new(limiter(rate))))
    }

    /// Changes the limit from the next call on. Unless it is the same, what has been counted is
    /// forgotten.
    pub fn set(&self, rate: Option<Rate>) {
        if self.0.load().as_ref().map(|limiter| limiter.rate) != rate {
            self.0.store(limiter(rate));
        }
    }

    /// Forgets identities that have their whole allowance again, every few seconds, for ever.
    /// Takes a millisecond or two for as many as there can be; not to be run on a thread that
    /// moves bytes.
    pub async fn keep_small(&self) {
        loop {
            tokio::time::sleep(FORGET_EVERY).await;
            if let Some(limiter) = &*self.0.load() {
                limiter.limiter.retain_recent();
            }
        }
    }

    /// Counts a call; or tells the limit, and how long to wait for the next.
    pub(crate) fn check(&self, identity: &Identity) -> Result<(), (Rate, Duration)> {
        match &*self.0.load() {
            Some(limiter) => limiter.check(identity).map_err(|wait| (limiter.rate, wait)),
            None => Ok(()),
        }
    }
}

fn limiter(rate: Option<Rate>) -> Option<Arc<Limiter<MonotonicClock>>> {
    rate.map(|rate| Arc::new(Limiter::new(rate, MonotonicClock)))
}

/// A limit, and what has been counted.
struct Limiter<C: Clock> {
    rate: Rate,
    limiter: RateLimiter<u64, Allowances, C, NoOpMiddleware<C::Instant>>,
    /// Of identities, by keys that nobody else knows: no stranger can aim at another's count.
    hashes: RandomState,
}

impl<C: Clock> Limiter<C> {
    fn new(rate: Rate, clock: C) -> Self {
        let calls_per_second = rate.calls_per_second.get().min(CALLS_PER_SECOND_MAX);
        let calls_per_second = calls_per_second.try_into().expect("neither of the two is zero");
        let quota = Quota::per_second(calls_per_second).allow_burst(rate.burst);
        let limiter = RateLimiter::new(quota, Allowances::default(), clock);
        Self { rate, limiter, hashes: RandomState::new() }
    }

    /// Counts a call, or tells how long to wait for the next.
    fn check(&self, identity: &Identity) -> Result<(), Duration> {
        let hash = self.hashes.hash_one((identity.kind, &identity.name));
        let refused = self.limiter.check_key(&hash);
        refused.map_err(|not| not.wait_time_from(self.limiter.clock().now()))
    }
}

impl<C: Clock> fmt::Debug for Limiter<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter").field("rate", &self.rate).finish_non_exhaustive()
    }
}

/// What each identity has used of its allowance, as governor counts it: the moment from which on
/// all of it is there again.
struct Allowances(Vec<Mutex<Shard>>);

#[derive(Default)]
struct Shard {
    known: HashMap<u64, Nanos>,
    /// Of all who came when there was no more room.
    strangers: Option<Nanos>,
}

impl Default for Allowances {
    fn default() -> Self {
        Self((0..SHARDS).map(|_| Mutex::default()).collect())
    }
}

impl StateStore for Allowances {
    type Key = u64;

    fn measure_and_replace<T, F, E>(&self, hash: &u64, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let shard = &self.0[(hash % SHARDS as u64) as usize];
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = shard.known.len() >= IDENTITIES_PER_SHARD;
        let known = shard.known.get(hash).copied();
        let is_stranger = is_full && known.is_none();
        let (result, used) = decide(if is_stranger { shard.strangers } else { known })?;
        if is_stranger {
            shard.strangers = Some(used);
        } else {
            shard.known.insert(*hash, used);
        }
        Ok(result)
    }
}

impl ShrinkableKeyedStateStore<u64> for Allowances {
    fn retain_recent(&self, drop_below: Nanos) {
        for shard in &self.0 {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.known.retain(|_, used| *used > drop_below);
        }
    }

    fn shrink_to_fit(&self) {}

    fn len(&self) -> usize {
        let len =
            |shard: &Mutex<Shard>| shard.lock().unwrap_or_else(PoisonError::into_inner).known.len();
        self.0.iter().map(len).sum()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;
    use crate::access::{IdentityKind, Roles};

    fn limiter(
        calls_per_second: u32,
        burst: u32,
    ) -> (Limiter<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        let rate = Rate {
            calls_per_second: calls_per_second.try_into().unwrap(),
            burst: burst.try_into().unwrap(),
        };
        (Limiter::new(rate, clock.clone()), clock)
    }

    fn identity(kind: IdentityKind, name: &str) -> Identity {
        Identity { kind, name: name.into(), roles: Roles::all() }
    }

    #[test]
    fn a_burst_passes_and_then_the_wait_is_told() {
        let (limiter, clock) = limiter(10, 3);
        let ann = identity(IdentityKind::Token, "ann");
        for _ in 0..3 {
            limiter.check(&ann).unwrap();
        }
        assert_eq!(limiter.check(&ann).unwrap_err(), Duration::from_millis(100));
        clock.advance(Duration::from_millis(60));
        assert_eq!(limiter.check(&ann).unwrap_err(), Duration::from_millis(40));
        clock.advance(Duration::from_millis(40));
        limiter.check(&ann).unwrap();
        limiter.check(&ann).unwrap_err();
    }

    #[test]
    fn each_identity_has_its_own_allowance() {
        let (limiter, _clock) = limiter(1, 1);
        let kinds = [IdentityKind::Token, IdentityKind::ApiKey];
        for identity in kinds.map(|kind| identity(kind, "ann")) {
            limiter.check(&identity).unwrap();
            limiter.check(&identity).unwrap_err();
        }
    }

    #[test]
    fn a_crowd_shares_and_takes_nothing_from_who_was_there_before() {
        let (limiter, clock) = limiter(1, 2);
        let ann = identity(IdentityKind::Token, "ann");
        limiter.check(&ann).unwrap();
        let bound = SHARDS * IDENTITIES_PER_SHARD;
        let crowd =
            (0..2 * bound).map(|number| identity(IdentityKind::Anonymous, &number.to_string()));
        let refused = crowd.filter(|stranger| limiter.check(stranger).is_err()).count();
        assert!(refused > bound / 2, "{refused}");
        assert!(limiter.limiter.len() <= bound);
        limiter.check(&ann).unwrap();

        clock.advance(Duration::from_secs(2));
        limiter.check(&ann).unwrap();
        limiter.limiter.retain_recent();
        assert_eq!(limiter.limiter.len(), 1, "all but one have their whole allowance again");
        limiter.check(&ann).unwrap();
        limiter.check(&ann).unwrap_err();
    }

    #[test]
    fn the_highest_numbers_that_settings_take_are_no_panic() {
        let (limiter, _clock) = limiter(u32::MAX, u32::MAX);
        limiter.check(&identity(IdentityKind::Token, "ann")).unwrap();
    }

    #[test]
    fn another_limit_counts_from_the_next_call_on() {
        let rate = |burst: u32| {
            Some(Rate { calls_per_second: 1.try_into().unwrap(), burst: burst.try_into().unwrap() })
        };
        let ann = identity(IdentityKind::Token, "ann");
        let limits = RateLimits::new(rate(1));
        limits.check(&ann).unwrap();
        limits.set(rate(1));
        limits.check(&ann).unwrap_err();
        limits.set(rate(2));
        limits.check(&ann).unwrap();
        limits.set(None);
        for _ in 0..100 {
            limits.check(&ann).unwrap();
        }
    }
}
