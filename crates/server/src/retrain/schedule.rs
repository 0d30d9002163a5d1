//! When to train again. Pure: the time is passed in, as the time since any one moment, and so is
//! what looks like chance.
//!
//! Invariants, for any order of looks:
//! - nothing is trained that is no news;
//! - a training that took `t` is followed by a pause of at least `pause` and `pause_ratio · t`;
//! - news that presses is due after `soon`, any other after `latest`, counted from the look that first
//!   saw it, or when the pause ends, if that is later.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::news::{Mark, News, Reason};

/// How soon, and how often at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pace {
    /// News that presses waits until nothing has changed for so long,
    pub(crate) quiet: Duration,
    /// but no longer than this.
    pub(crate) soon: Duration,
    /// How long any other news waits.
    pub(crate) latest: Duration,
    /// From which share on, of the events that the model was trained on, new ones press.
    pub(crate) events_share: f64,
    /// The shortest pause after a training.
    pub(crate) pause: Duration,
    /// The pause after a training in proportion to its length.
    pub(crate) pause_ratio: f64,
    /// The pause after the first of several trainings that failed; it doubles with each,
    pub(crate) retry: Duration,
    /// up to this.
    pub(crate) retry_max: Duration,
}

/// How a training ended.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ended {
    /// There is a new model.
    Trained,
    /// There was nothing to learn from.
    NothingToLearn,
    /// Somebody else is training.
    Busy,
    /// It failed.
    Failed,
}

/// What a schedule remembers.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    /// The news that was seen last, and since when nothing has changed.
    last: Option<(Mark, Duration)>,
    /// Since when there is any news.
    news_since: Option<Duration>,
    /// Since when there is news that presses.
    pressing_since: Option<Duration>,
    /// The end of the pause.
    not_before: Duration,
    /// Trainings that failed in a row.
    failed: u32,
    /// The shop of which there was nothing to learn.
    nothing_in: Option<Mark>,
}

impl Schedule {
    /// Whether to train now, and why.
    pub(super) fn look(&mut self, now: Duration, news: &News, pace: &Pace) -> Option<Reason> {
        let reason = news.reason(pace.events_share);
        let reason = reason.filter(|_| self.nothing_in != Some(news.mark));
        let Some(reason) = reason else {
            (self.news_since, self.pressing_since) = (None, None);
            return None;
        };
        let changed = match self.last {
            Some((mark, since)) if mark == news.mark => since,
            _ => now,
        };
        self.last = Some((news.mark, changed));
        let news_since = *self.news_since.get_or_insert(now);
        let waited = now.saturating_sub(news_since);
        let is_due = if reason.presses() {
            let pressing_since = *self.pressing_since.get_or_insert(now);
            let is_quiet = now.saturating_sub(changed) >= pace.quiet;
            is_quiet || now.saturating_sub(pressing_since) >= pace.soon
        } else {
            self.pressing_since = None;
            false
        };
        let is_due = is_due || waited >= pace.latest;
        (is_due && now >= self.not_before).then_some(reason)
    }

    /// A training ended now, after it `took` so long; `chance` is from 0 to 1. `seen` is what the
    /// training was begun for. Returns how long the pause is.
    pub(super) fn ended(
        &mut self,
        now: Duration,
        took: Duration,
        how: Ended,
        seen: &News,
        pace: &Pace,
        chance: f64,
    ) -> Duration {
        let after = |took: Duration| pace.pause.max(times(took, pace.pause_ratio));
        let part = |whole: Duration| whole.mul_f64(1.0 - chance.clamp(0.0, 1.0) / 2.0);
        let pause = match how {
            Ended::Trained => {
                self.failed = 0;
                after(took)
            }
            Ended::NothingToLearn => {
                self.failed = 0;
                self.nothing_in = Some(seen.mark);
                after(took)
            }
            // Not at the same time as whoever else was refused.
            Ended::Busy => pace.pause + part(pace.pause),
            Ended::Failed => {
                let doubled = 2_u32.saturating_pow(self.failed);
                self.failed = self.failed.saturating_add(1);
                part(pace.retry.saturating_mul(doubled).min(pace.retry_max)).max(after(took))
            }
        };
        if how == Ended::Trained {
            // What is news now is so to another model.
            (self.news_since, self.pressing_since) = (None, None);
        }
        self.not_before = now.saturating_add(pause);
        pause
    }
}

/// A multiple; the longest time there is, if it is longer.
fn times(time: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(time.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests;
