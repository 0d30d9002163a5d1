//! The lock of whoever trains: held by a connection of its own, for as long as that is there.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::Row as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::time::timeout;

use super::failure::{explain, silence};
use super::pool::connect;
use crate::backend::HeldLock;
use crate::error::StoreError;

/// The first half of the lock's key, 'FWRD'; the other is the shop.
const KEY: i32 = 0x4657_5244;

/// How long to wait for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// The lock, held.
#[derive(Debug)]
pub(super) struct Held {
    shop: i32,
    connection: PgConnection,
}

/// Takes the lock; `None` if somebody else has it.
pub(super) async fn lock(
    options: &PgConnectOptions,
    greeting: &str,
    shop: i32,
) -> Result<Option<Held>, StoreError> {
    let take = async {
        let mut connection = connect(options, greeting).await?;
        let row = sqlx::query("SELECT pg_try_advisory_lock($1, $2)")
            .bind(KEY)
            .bind(shop)
            .fetch_one(&mut connection)
            .await
            .map_err(explain)?;
        let is_taken: bool = row.try_get(0).map_err(StoreError::Database)?;
        Ok(is_taken.then_some(Held { shop, connection }))
    };
    timeout(ANSWER_TIMEOUT, take).await.unwrap_or_else(|_| Err(explain(silence())))
}

#[async_trait]
impl HeldLock for Held {
    async fn is_held(&mut self) -> bool {
        let ask = sqlx::query(
            "SELECT count(*) FROM pg_catalog.pg_locks
             WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid()
               AND classid = $1::oid AND objid = $2::oid",
        )
        .bind(KEY)
        .bind(self.shop)
        .fetch_one(&mut self.connection);
        let answer = timeout(ANSWER_TIMEOUT, ask).await;
        answer.is_ok_and(|row| row.and_then(|row| row.try_get(0)).is_ok_and(|held: i64| held > 0))
    }
}
