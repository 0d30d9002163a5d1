//! News of commits, by NOTIFY: one for each commit, in its transaction, so that whoever gets it
//! finds what it tells of.
//!
//! Notices are lost with the connection that listens. It is opened anew by itself, and whoever
//! listens is then told that there is news, whether or not there was.

use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor as _};
use tokio::time::{sleep, timeout};

use super::failure::silence;
use crate::backend::Notices;
use crate::error::StoreError;
use crate::store::Revisions;

/// The channel, one for each database.
pub(super) const CHANNEL: &str = "foreword";

/// After a silence of this length, the connection is asked whether it is still there.
const SILENCE_MAX: Duration = Duration::from_secs(20);

/// How long it may take to answer, and to open a connection.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// The pauses between attempts to open a connection: the first, and the longest. Each is twice
/// the one before, less up to half by chance, so that replicas do not come all at once.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(5)];

/// The statement that gives notice.
pub(super) fn statement(shop: i64, revisions: &Revisions) -> String {
    let Revisions { catalogue, events, rules, api_keys, removals, .. } = revisions;
    format!(
        "SELECT pg_notify('{CHANNEL}', '{shop} {catalogue} {events} {rules} {api_keys} {removals}');"
    )
}

/// A connection that listens.
pub(super) struct Listener {
    options: PgConnectOptions,
    greeting: Arc<str>,
    /// `None` while it is lost.
    connection: Option<PgListener>,
    attempts: u32,
}

impl Listener {
    /// Opens a connection of its own and listens.
    pub(super) async fn open(
        options: PgConnectOptions,
        greeting: Arc<str>,
    ) -> Result<Self, StoreError> {
        let connection = Some(connect(&options, &greeting).await?);
        Ok(Self { options, greeting, connection, attempts: 0 })
    }

    /// Opens a connection, trying for as long as it takes.
    async fn reconnect(&mut self) {
        loop {
            sleep(pause(self.attempts)).await;
            self.attempts = self.attempts.saturating_add(1);
            match connect(&self.options, &self.greeting).await {
                Ok(connection) => {
                    tracing::info!(attempts = self.attempts, "listening to PostgreSQL again");
                    self.connection = Some(connection);
                    self.attempts = 0;
                    return;
                }
                Err(error) => tracing::debug!(%error, "cannot listen to PostgreSQL"),
            }
        }
    }
}

#[async_trait]
impl Notices for Listener {
    async fn next(&mut self) -> Result<(), StoreError> {
        loop {
            let Some(connection) = &mut self.connection else {
                self.reconnect().await;
                return Ok(());
            };
            let lost = match timeout(SILENCE_MAX, connection.try_recv()).await {
                Ok(Ok(Some(_))) => {
                    // Many commits are one piece of news.
                    while connection.next_buffered().is_some() {}
                    return Ok(());
                }
                Ok(Ok(None)) => silence(),
                Ok(Err(error)) => error,
                Err(_) => match timeout(ANSWER_TIMEOUT, connection.execute("SELECT 1")).await {
                    Ok(Ok(_)) => continue,
                    Ok(Err(error)) => error,
                    Err(_) => silence(),
                },
            };
            tracing::warn!(error = %lost, "lost the connection that listens to PostgreSQL");
            self.connection = None;
        }
    }
}

async fn connect(options: &PgConnectOptions, greeting: &str) -> Result<PgListener, StoreError> {
    let open = async {
        // A pool of its own, so that no reader has to do without the connection.
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(ANSWER_TIMEOUT)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(options.clone());
        let mut listener = PgListener::connect_with(&pool).await?;
        // A connection that is lost is to be told of, not replaced in silence.
        listener.eager_reconnect(false);
        // What the greeting says is made of constants and durations.
        listener.execute(AssertSqlSafe(greeting)).await?;
        listener.listen(CHANNEL).await?;
        Ok(listener)
    };
    let opened = timeout(ANSWER_TIMEOUT, open).await.unwrap_or_else(|_| Err(silence()));
    opened.map_err(StoreError::Unavailable)
}

/// How long to wait before another attempt.
fn pause(attempts: u32) -> Duration {
    let [first, longest] = PAUSES;
    let pause = first.saturating_mul(1 << attempts.min(16)).min(longest);
    // Seeded by the system, anew for each: chance enough for not meeting others.
    let chance = RandomState::new().build_hasher().finish() as f64 / u64::MAX as f64;
    pause.mul_f64(1.0 - chance / 2.0)
}

/// Leaves out how to get in.
impl fmt::Debug for Listener {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Listener").field("attempts", &self.attempts).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_bound_and_are_not_all_alike() {
        let [first, longest] = PAUSES;
        for attempts in 0..100 {
            let pause = pause(attempts);
            assert!(first / 2 <= pause && pause <= longest, "{attempts}: {pause:?}");
        }
        let pauses: std::collections::HashSet<Duration> = (0..20).map(|_| pause(30)).collect();
        assert!(pauses.len() > 10 && pauses.iter().all(|pause| *pause >= longest / 2));
    }

    #[test]
    fn a_notice_says_the_shop_and_the_revisions() {
        let revisions = Revisions { catalogue: 1, events: 2, rules: 3, ..Revisions::default() };
        assert_eq!(statement(1, &revisions), "SELECT pg_notify('foreword', '1 1 2 3 0 0');");
    }
}
