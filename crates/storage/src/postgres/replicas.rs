//! Services that listen, told by the names of their connections.

use sqlx::postgres::PgConnectOptions;

use super::pool::Pool;
use super::row::get;
use crate::error::StoreError;
use crate::replicas::{Replica, replica_name};

/// Between what an operator calls the connections of a service and the name of the service itself.
const SERVES_AS: &str = " serves as ";

/// How much is left of what an operator calls them: PostgreSQL cuts names after 63 bytes.
const PREFIX_CHARS_MAX: usize = 10;

/// The most replicas that are told.
const REPLICAS_MAX: i64 = 1_000;

/// Names the connection that listens after this process.
pub(super) fn named(options: PgConnectOptions) -> PgConnectOptions {
    let called = options.get_application_name().unwrap_or("foreword");
    let called: String = called.chars().filter(char::is_ascii).take(PREFIX_CHARS_MAX).collect();
    options.application_name(&format!("{called}{SERVES_AS}{}", replica_name()))
}

pub(super) async fn all(pool: &Pool) -> Result<Vec<Replica>, StoreError> {
    let text = "SELECT split_part(application_name, $1, 2), host(client_addr),
               (extract(epoch FROM backend_start) * 1000)::bigint AS since_ms
        FROM pg_stat_activity
        WHERE datname = current_database() AND strpos(application_name, $1) > 0
        ORDER BY since_ms, 1 LIMIT $2";
    let rows = pool.rows(|| sqlx::query(text).bind(SERVES_AS).bind(REPLICAS_MAX)).await?;
    rows.iter()
        .map(|row| {
            Ok(Replica { name: get(row, 0)?, address: get(row, 1)?, since_ms: get(row, 2)? })
        })
        .collect()
}
