//! Rules changed and listed through the server that serves them.
//!
//! Invariant: what was changed counts from the next answer, since a change returns only when it is
//! served. But for a store that fails just after the change: what is stored is stored, and is
//! served as soon as it can be read.

use storage::{DeletedRule, Rule, StoreError};

use super::Live;

impl Live {
    /// Stores a rule, and serves it when it returns.
    ///
    /// # Errors
    ///
    /// As [`Store::begin`](storage::Store::begin) and
    /// [`Writer::put_rule`](storage::Writer::put_rule).
    pub async fn put_rule(&self, rule: &Rule) -> Result<(), StoreError> {
        let mut writer = self.store.begin().await?;
        writer.put_rule(rule).await?;
        writer.commit().await?;
        self.serve_change().await;
        Ok(())
    }

    /// Deletes a rule; it is not served any more when it returns.
    ///
    /// # Errors
    ///
    /// As [`Live::put_rule`].
    pub async fn delete_rule(&self, id: &str) -> Result<DeletedRule, StoreError> {
        let mut writer = self.store.begin().await?;
        let deleted = writer.delete_rule(id).await?;
        writer.commit().await?;
        self.serve_change().await;
        Ok(deleted)
    }

    /// The rules of the store, as [`Store::rules_after`](storage::Store::rules_after) has them.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn rules_after(
        &self,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Rule>, StoreError> {
        self.store.rules_after(after, limit).await
    }

    async fn serve_change(&self) {
        if let Err(error) = self.renew_rules().await {
            self.count_failure();
            tracing::error!(%error, "cannot read the rules after a change; it will count later");
        }
    }
}
