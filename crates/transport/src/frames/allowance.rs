//! What is left of an allowance that grows with time and with useful traffic.

use std::time::Instant;

use super::Verdict;

/// So many seconds' worth may be used at once.
const BURST_SECONDS: u32 = 10;

/// A token bucket.
#[derive(Debug)]
pub(super) struct Allowance {
    left: u32,
    per_second: u32,
    filled: Instant,
}

impl Allowance {
    pub(super) fn new(per_second: u32, now: Instant) -> Self {
        Self { left: per_second.saturating_mul(BURST_SECONDS), per_second, filled: now }
    }

    fn burst(&self) -> u32 {
        self.per_second.saturating_mul(BURST_SECONDS)
    }

    pub(super) fn earn(&mut self, count: u32) {
        self.left = self.left.saturating_add(count).min(self.burst());
    }

    pub(super) fn take(&mut self) -> Verdict {
        if self.left == 0 {
            self.fill(Instant::now());
        }
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                Verdict::Fine
            }
            None => Verdict::Flood,
        }
    }

    /// Adds what has grown since it was last filled. The clock is asked only when nothing is
    /// left, so all of the time since then counts.
    fn fill(&mut self, now: Instant) {
        let grown = now.saturating_duration_since(self.filled).as_secs_f64();
        let grown = (grown * f64::from(self.per_second)).min(f64::from(self.burst()));
        if grown >= 1.0 {
            self.left = grown as u32;
            self.filled = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_gives_the_allowance_back() {
        let start = Instant::now();
        let mut allowance = Allowance::new(3, start);
        allowance.left = 0;
        allowance.fill(start + std::time::Duration::from_millis(100));
        assert_eq!(allowance.left, 0, "a part of a frame is none");
        allowance.fill(start + std::time::Duration::from_secs(2));
        assert_eq!(allowance.left, 6);
    }
}
