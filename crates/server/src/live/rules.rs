//! The rules being served: read anew when somebody changed them, resolved anew when one begins
//! or ends.
//!
//! A campaign begins and ends by a timer, not by looking at the clock in each request: requests
//! find what is in force ready, and whoever resolves it is nobody who waits for an answer. The
//! timer needs no store, and a store that hangs holds no campaign up.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use storage::StoreError;

use super::{Live, Serving};
use crate::blocking::blocking;
use crate::clock::now_ms;
use crate::repeat::{Poll, WITHIN_A_SECOND};
use crate::rules::StoredRules;

/// How long a look at the rules may take.
const PATIENCE: Duration = Duration::from_secs(30);

impl Live {
    /// Brings in the rules if they changed in the store. What was committed before it began is
    /// being served when it returns.
    ///
    /// # Errors
    ///
    /// As every method of [`Store`](storage::Store) that reads; the rules before stay.
    pub async fn renew_rules(&self) -> Result<(), StoreError> {
        // Reads that began later see more. The store's revision does not tell: a copy that was
        // put in its place may have an earlier one.
        let turn = self.rule_reads.fetch_add(1, Ordering::Relaxed) + 1;
        let known = self.serving().rules().stored().revision();
        if self.store.rules_revision().await? == known {
            return Ok(());
        }
        let stored = Arc::new(StoredRules::read(&self.store, turn).await?);
        let is_swapped =
            self.resolve(move |serving| (turn > serving.rules().stored().turn()).then_some(stored));
        if is_swapped.await {
            tracing::info!(in_force = self.serving().rules().in_force(), "rules changed");
        }
        Ok(())
    }

    /// Resolves the rules anew whenever one has begun or ended, for ever. Looks at the clock at
    /// every `interval` too: somebody may set it.
    async fn follow_clock(&self, interval: Duration) {
        loop {
            let next_ms = self.serving().rules().valid_ms().end.saturating_sub(now_ms());
            let next = Duration::from_millis(u64::try_from(next_ms).unwrap_or_default());
            tokio::select! {
                () = tokio::time::sleep(next.min(interval)) => {}
                // Another rule may be the next to begin or end.
                () = self.current.swapped() => {}
            }
            let is_over = |serving: &Serving| !serving.rules().valid_ms().contains(&now_ms());
            if is_over(&self.serving()) {
                let again = move |serving: &Serving| {
                    is_over(serving).then(|| Arc::clone(serving.rules().stored()))
                };
                if self.resolve(again).await {
                    let in_force = self.serving().rules().in_force();
                    tracing::info!(in_force, "a rule has begun or ended");
                }
            }
        }
    }

    /// Resolves the rules that are chosen in view of what is served, if any, as of now; tells
    /// whether there were.
    async fn resolve(
        &self,
        choose: impl FnOnce(&Serving) -> Option<Arc<StoredRules>> + Send + 'static,
    ) -> bool {
        let current = Arc::clone(&self.current);
        let swap = move || {
            current.swap(|serving| {
                choose(serving).map(|rules| Serving::new(Arc::clone(serving.generation()), rules))
            })
        };
        blocking(swap).await.is_some()
    }

    /// Looks for changed rules at every `interval`, and lets them begin and end on time, until
    /// `stop` ends.
    pub async fn keep_rules_current(&self, interval: Duration, stop: impl Future<Output = ()>) {
        let poll = Poll {
            interval,
            wait_max: WITHIN_A_SECOND,
            patience: PATIENCE,
            failing: "cannot read the rules; those before go on",
            recovered: "the rules can be read again",
            failures: Some(&self.failed),
        };
        tokio::select! {
            () = poll.repeat(|| self.renew_rules(), stop) => {}
            () = self.follow_clock(interval) => {}
        }
    }
}
