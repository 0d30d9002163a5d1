//! The rules being served: read anew when somebody changed them, resolved anew when one begins
//! or ends.
//!
//! A campaign begins and ends by a timer, not by looking at the clock in each request: requests
//! find what holds ready, and whoever resolves it is nobody who waits for an answer.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use storage::StoreError;

use super::{Live, Serving};
use crate::blocking::blocking;
use crate::clock::now_ms;
use crate::repeat::repeat;
use crate::rules::StoredRules;

impl Live {
    /// Brings in the rules if they changed in the store. What was committed before it began is
    /// being served when it returns.
    ///
    /// # Errors
    ///
    /// As every method of [`Store`](storage::Store) that reads; the rules before stay.
    pub async fn renew_rules(&self) -> Result<(), StoreError> {
        let known = self.serving().rules().stored().revision();
        if self.store.rules_revision().await? == known {
            return Ok(());
        }
        let stored = Arc::new(StoredRules::read(&self.store).await?);
        self.resolve(Some(stored)).await;
        tracing::info!(in_force = self.serving().rules().in_force(), "rules changed");
        Ok(())
    }

    /// Resolves the rules anew if one has begun or ended since.
    async fn follow_clock(&self) {
        if !self.serving().rules().valid_ms().contains(&now_ms()) {
            self.resolve(None).await;
            tracing::info!(in_force = self.serving().rules().in_force(), "a rule has begun or ended");
        }
    }

    /// Resolves the newer of these rules and those that are served, as of now.
    async fn resolve(&self, read: Option<Arc<StoredRules>>) {
        let serving = Arc::clone(&self.serving);
        blocking(move || {
            // Whoever else swaps something in meanwhile makes it begin again, with that.
            serving.rcu(|serving| {
                let known = serving.rules().stored();
                let newer = read.as_ref().filter(|read| read.revision() > known.revision());
                Serving::new(Arc::clone(serving.generation()), Arc::clone(newer.unwrap_or(known)))
            })
        })
        .await;
    }

    /// Looks for changed rules at every `interval`, and lets them begin and end on time, until
    /// `stop` ends.
    pub async fn keep_rules_current(&self, interval: Duration, stop: impl Future<Output = ()>) {
        let pause = || {
            let next_ms = self.serving().rules().valid_ms().end.saturating_sub(now_ms());
            Duration::from_millis(u64::try_from(next_ms).unwrap_or_default()).min(interval)
        };
        let renew = || async move {
            // First, since it needs no store.
            self.follow_clock().await;
            self.renew_rules().await.inspect_err(|_| self.count_failure())
        };
        repeat(pause, renew, "cannot read the rules; those before go on", stop).await;
    }
}
