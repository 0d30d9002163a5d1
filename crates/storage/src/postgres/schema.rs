//! Is this schema ours, and as new as we are? Asked before anything else uses it.
//!
//! All of it is one transaction under one lock, so that replicas that start together wait for the
//! first, and one that dies half-way leaves nothing.

use std::time::Duration;

use crate::error::StoreError;

use super::pool::{Lease, Pool};
use super::row::{count_in, get};
use super::search;

/// The schema that a store has for itself, beside whatever else the shop keeps in the database.
pub(super) const SCHEMA: &str = "foreword";

/// 'FWRD', as migration 0001 writes it; also the key of the lock.
const APPLICATION_ID: i64 = 0x4657_5244;

/// Every file of `migrations/postgres` as version, name and text, in the order in which they run.
const MIGRATIONS: [(i64, &str, &str); 3] = [
    (1, "shop", include_str!("../../migrations/postgres/0001_shop.sql")),
    (2, "stock_changes", include_str!("../../migrations/postgres/0002_stock_changes.sql")),
    (
        3,
        "stock_change_times",
        include_str!("../../migrations/postgres/0003_stock_change_times.sql"),
    ),
];

/// The newest schema that this program knows.
pub(super) const NEWEST: i64 = MIGRATIONS[MIGRATIONS.len() - 1].0;

/// The oldest server that it works with, as `server_version_num`.
const VERSION_MIN: i64 = 150_000;

/// How long to wait while another process migrates, and how long a migration may take.
const PATIENCE: Duration = Duration::from_secs(5 * 60);

/// Creates the schema or brings it up to date; refuses any that is not ours or newer than we are,
/// without changing it. The version that was there before, 0 where there was none.
pub(super) async fn prepare(pool: &Pool, shop: i64) -> Result<i64, StoreError> {
    let mut lease = pool.lease().await?;
    check_server(&mut lease).await?;
    lease.set_answer_timeout(PATIENCE * 2);
    let patience = PATIENCE.as_millis();
    let begin = format!(
        "BEGIN; SET LOCAL lock_timeout = {patience}; SET LOCAL statement_timeout = {patience};
         SELECT pg_advisory_xact_lock({APPLICATION_ID})"
    );
    lease.begin(&begin).await?;
    let before = migrate(&mut lease, shop).await?;
    lease.end("COMMIT").await?;
    Ok(before)
}

/// Refuses servers that cannot hold a store; warns of those that may lose it.
async fn check_server(lease: &mut Lease) -> Result<(), StoreError> {
    let row = lease
        .row(sqlx::query(
            "SELECT current_setting('server_version_num')::bigint, current_setting('server_version'),
                    current_setting('server_encoding'),
                    current_setting('fsync')::boolean AND current_setting('full_page_writes')::boolean,
                    pg_is_in_recovery()",
        ))
        .await?;
    let version: i64 = get(&row, 0)?;
    let encoding: String = get(&row, 2)?;
    let is_durable: bool = get(&row, 3)?;
    let is_standby: bool = get(&row, 4)?;
    let refuse = |found: String, expected: &str| {
        Err(StoreError::Unsuitable { found, expected: expected.to_owned() })
    };
    if version < VERSION_MIN {
        let found: String = get(&row, 1)?;
        return refuse(format!("PostgreSQL {found}"), "PostgreSQL 15 or newer");
    }
    if encoding != "UTF8" {
        return refuse(format!("a database in {encoding}"), "one in UTF8");
    }
    if is_standby {
        return refuse("a standby, which only reads".to_owned(), "the primary server");
    }
    if !is_durable {
        tracing::warn!(
            "fsync or full_page_writes is off in PostgreSQL: a power cut may lose acknowledged \
             events and damage the database; switch both on"
        );
    }
    Ok(())
}

/// Runs what has not run yet; the version before.
async fn migrate(lease: &mut Lease, shop: i64) -> Result<i64, StoreError> {
    let known = match owner(lease).await? {
        Owner::Nobody => {
            lease.script("CREATE SCHEMA foreword").await?;
            0
        }
        Owner::Empty => 0,
        Owner::Other => return Err(StoreError::ForeignSchema { schema: SCHEMA }),
        Owner::Store => newest_applied(lease).await?,
    };
    if known > NEWEST {
        let (found, known) = (known, NEWEST);
        return Err(StoreError::NewerSchema { path: SCHEMA.into(), found, known });
    }
    for (version, name, text) in MIGRATIONS.into_iter().filter(|(version, ..)| *version > known) {
        lease.script(text).await?;
        let note = sqlx::query("INSERT INTO migrations (version, name) VALUES ($1, $2)");
        lease.execute(note.bind(version).bind(name)).await?;
    }
    search::fill(lease, shop).await?;
    Ok(known)
}

/// The bytes of every table with its indexes.
pub(super) async fn size_bytes(lease: &mut Lease) -> Result<u64, StoreError> {
    let text = "SELECT coalesce(sum(pg_catalog.pg_total_relation_size(oid)), 0)::bigint
        FROM pg_catalog.pg_class
        WHERE relnamespace = 'foreword'::regnamespace AND relkind = 'r'";
    count_in(&lease.row(sqlx::query(text)).await?, 0)
}

/// Rewrites every table, so that nothing is left of what was deleted.
pub(super) async fn compact(lease: &mut Lease) -> Result<(), StoreError> {
    lease.script("SET statement_timeout = 0").await?;
    let text = "SELECT quote_ident(relname) FROM pg_catalog.pg_class
        WHERE relnamespace = 'foreword'::regnamespace AND relkind = 'r' ORDER BY relname";
    for row in &lease.rows(sqlx::query(text)).await? {
        let table: &str = get(row, 0)?;
        lease.script(&format!("VACUUM (FULL, ANALYZE) foreword.{table}")).await?;
    }
    // What was deleted is also in the log; from here on, the server may recycle it.
    Ok(())
}

/// Whose a schema is.
enum Owner {
    /// There is none of that name.
    Nobody,
    /// An administrator made it for us.
    Empty,
    /// It is ours.
    Store,
    /// It is somebody else's.
    Other,
}

async fn owner(lease: &mut Lease) -> Result<Owner, StoreError> {
    let row = lease
        .row(
            sqlx::query(
                "SELECT count(DISTINCT n.oid), count(c.oid),
                        count(c.oid) FILTER (WHERE c.relname IN ('application', 'migrations'))
                 FROM pg_catalog.pg_namespace AS n
                 LEFT JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid
                 WHERE n.nspname = $1",
            )
            .bind(SCHEMA),
        )
        .await?;
    let (schemas, relations, ours): (i64, i64, i64) = (get(&row, 0)?, get(&row, 1)?, get(&row, 2)?);
    Ok(match (schemas, relations, ours) {
        (0, ..) => Owner::Nobody,
        (_, 0, _) => Owner::Empty,
        (_, _, 2) if is_marked(lease).await? => Owner::Store,
        _ => Owner::Other,
    })
}

/// Whether its table `application` says that it is ours. As text, whatever the table holds.
async fn is_marked(lease: &mut Lease) -> Result<bool, StoreError> {
    let row = lease
        .row(
            sqlx::query("SELECT count(*) FROM application AS a WHERE to_jsonb(a)->>'id' = $1")
                .bind(APPLICATION_ID.to_string()),
        )
        .await?;
    Ok(get::<i64>(&row, 0)? == 1)
}

async fn newest_applied(lease: &mut Lease) -> Result<i64, StoreError> {
    let row = lease.row(sqlx::query("SELECT coalesce(max(version), 0) FROM migrations")).await?;
    get(&row, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrations::check_listed;

    #[test]
    fn every_file_of_migrations_is_listed_with_versions_from_one_up() {
        check_listed("postgres", &MIGRATIONS, NEWEST);
    }
}
