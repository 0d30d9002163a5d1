//! Whether an endpoint is fit for calls. Pure: time and draws are passed in.
//!
//! An endpoint is good until its connection cannot be made or breaks unused, or until several
//! calls in a row end `UNAVAILABLE`, by a reset, or without any answer; calls whose callers gave
//! them up count half. It is then ejected for a while, twice as long each time in a row. A connection that comes about afterwards shows that the peer is
//! back, unless it was the calls that failed: then it is on probation, with one call at a time,
//! until one is answered.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::backoff::half_jitter;
use super::settings::Ejection;

/// How an endpoint stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Good,
    /// It may have one call at a time.
    Probation,
    /// It is left out until then.
    Ejected(Instant),
}

/// What made an ejection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// There is no connection, or it broke.
    Connection,
    /// Calls failed on a connection that seems sound.
    Calls,
}

/// How much the failure of a call says about an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Evidence {
    /// It had its chance, or says itself that it could not.
    Full,
    /// The caller lost patience, which may be the caller's fault.
    Half,
}

/// The health of one endpoint.
#[derive(Debug)]
pub(super) struct Health {
    standing: Standing,
    cause: Cause,
    /// What the calls that failed in a row say, in halves.
    failures: u32,
    /// Ejections in a row.
    in_a_row: u32,
    ejections: u64,
    reason: Option<Arc<str>>,
}

impl Health {
    pub(super) fn new() -> Self {
        Self {
            standing: Standing::Good,
            cause: Cause::Connection,
            failures: 0,
            in_a_row: 0,
            ejections: 0,
            reason: None,
        }
    }

    pub(super) fn standing(&self, now: Instant) -> Standing {
        match self.standing {
            Standing::Ejected(until) if until <= now => Standing::Probation,
            standing => standing,
        }
    }

    /// Whether nothing has gone wrong since something went well.
    pub(super) fn is_good(&self) -> bool {
        self.in_a_row == 0
    }

    /// How often it was ejected.
    pub(super) fn ejections(&self) -> u64 {
        self.ejections
    }

    /// Why it was ejected last, if nothing has gone well since.
    pub(super) fn reason(&self) -> Option<Arc<str>> {
        self.reason.clone()
    }

    /// A call was answered.
    pub(super) fn answered(&mut self) {
        self.failures = 0;
        if self.in_a_row > 0 {
            self.in_a_row = 0;
            self.reason = None;
            self.standing = Standing::Good;
        }
    }

    /// There is a connection.
    pub(super) fn connected(&mut self) {
        if self.standing != Standing::Good {
            self.standing = match self.cause {
                Cause::Connection => Standing::Good,
                Cause::Calls => Standing::Probation,
            };
        }
    }

    /// It is tried before its time, since there is no other.
    pub(super) fn tried_early(&mut self) {
        if matches!(self.standing, Standing::Ejected(_)) {
            self.standing = Standing::Probation;
        }
    }

    /// A call has failed; whether that ejects it.
    pub(super) fn call_failed(
        &mut self,
        evidence: Evidence,
        limits: &Ejection,
        now: Instant,
        draw: f64,
        reason: &str,
    ) -> bool {
        let enough = match self.standing(now) {
            Standing::Good => limits.failures_max.get().saturating_mul(Evidence::Full.halves()),
            Standing::Probation => Evidence::Full.halves(),
            // Calls from before the ejection say nothing new.
            Standing::Ejected(_) => return false,
        };
        self.failures = self.failures.saturating_add(evidence.halves());
        let is_enough = self.failures >= enough;
        if is_enough {
            self.eject(Cause::Calls, limits, now, draw, reason);
        }
        is_enough
    }

    /// Leaves it out for a while; how long.
    pub(super) fn eject(
        &mut self,
        cause: Cause,
        limits: &Ejection,
        now: Instant,
        draw: f64,
        reason: &str,
    ) -> Duration {
        // A peer whose calls failed stays on probation until one is answered.
        let was_good = self.standing == Standing::Good;
        self.cause = if was_good { cause } else { self.cause.max(cause) };
        self.failures = 0;
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.ejections += 1;
        self.reason = Some(reason.into());
        let wait = half_jitter(limits.backoff_first, limits.backoff_max, self.in_a_row, draw);
        self.standing = Standing::Ejected(now + wait);
        wait
    }
}

impl Evidence {
    fn halves(self) -> u32 {
        match self {
            Self::Full => 2,
            Self::Half => 1,
        }
    }
}

impl Cause {
    fn max(self, other: Self) -> Self {
        if self == Self::Calls { self } else { other }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Settings;

    fn limits() -> Ejection {
        Settings::for_a_nearby_service().ejection
    }

    /// Fails so many calls; how often it was ejected.
    fn fail(health: &mut Health, calls: u32, now: Instant) -> usize {
        fail_by(health, Evidence::Full, calls, now)
    }

    fn fail_by(health: &mut Health, evidence: Evidence, calls: u32, now: Instant) -> usize {
        let failed = |_: &u32| health.call_failed(evidence, &limits(), now, 0.0, "down");
        (0..calls).filter(failed).count()
    }

    #[test]
    fn failures_in_a_row_eject_and_answers_between_them_do_not() {
        let (mut health, now) = (Health::new(), Instant::now());
        for _ in 0..10 {
            assert_eq!(fail(&mut health, 4, now), 0);
            health.answered();
        }
        assert_eq!(fail(&mut health, 5, now), 1);
        assert_eq!(health.standing(now), Standing::Ejected(now + Duration::from_millis(500)));
        assert_eq!(fail(&mut health, 50, now), 0, "it is ejected once");
    }

    #[test]
    fn calls_that_were_given_up_count_half() {
        let (mut health, now) = (Health::new(), Instant::now());
        assert_eq!(fail_by(&mut health, Evidence::Half, 9, now), 0);
        assert_eq!(fail_by(&mut health, Evidence::Half, 1, now), 1);
        let later = now + Duration::from_millis(500);
        assert_eq!(fail_by(&mut health, Evidence::Half, 1, later), 0);
        assert_eq!(
            fail_by(&mut health, Evidence::Half, 1, later),
            1,
            "on probation two are enough"
        );
    }

    #[test]
    fn an_ejected_endpoint_is_on_probation_when_its_time_is_over() {
        let (mut health, now) = (Health::new(), Instant::now());
        fail(&mut health, 5, now);
        let later = now + Duration::from_millis(500);
        assert_eq!(health.standing(later), Standing::Probation);
        assert_eq!(fail(&mut health, 1, later), 1, "one failure is enough now");
        assert_eq!(health.standing(later), Standing::Ejected(later + Duration::from_secs(1)));
        assert_eq!(health.ejections(), 2);
        health.answered();
        assert_eq!((health.standing(later), health.reason()), (Standing::Good, None));
    }

    #[test]
    fn a_new_connection_is_enough_only_if_it_was_the_connection_that_failed() {
        let now = Instant::now();
        for (cause, expected) in
            [(Cause::Connection, Standing::Good), (Cause::Calls, Standing::Probation)]
        {
            let mut health = Health::new();
            health.eject(cause, &limits(), now, 0.5, "down");
            health.connected();
            assert_eq!(health.standing(now), expected);
        }
        let mut health = Health::new();
        health.eject(Cause::Calls, &limits(), now, 0.5, "silent");
        health.eject(Cause::Connection, &limits(), now, 0.5, "refused");
        health.connected();
        assert_eq!(health.standing(now), Standing::Probation);
    }
}
