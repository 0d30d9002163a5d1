//! The shop's row, and how much it holds.

use sqlx::SqliteExecutor;

use super::Database;
use super::transaction::Writing;
use super::users::users_counted;
use crate::error::StoreError;
use crate::store::{Counts, Revisions};

pub(super) async fn counts(database: &Database) -> Result<Counts, StoreError> {
    let (books, users, events, simulated_events): (i64, i64, i64, i64) = sqlx::query_as(concat!(
        "SELECT (SELECT count(*) FROM books WHERE shop_id = $1), ",
        users_counted!(),
        ", count(*), coalesce(sum(CASE WHEN origin = 3 THEN 1 ELSE 0 END), 0)
         FROM events WHERE shop_id = $1 AND retracted = 0",
    ))
    .bind(database.shop.0)
    .fetch_one(&database.readers)
    .await?;
    Ok(Counts {
        books: books.unsigned_abs(),
        users: users.unsigned_abs(),
        events: events.unsigned_abs(),
        simulated_events: simulated_events.unsigned_abs(),
    })
}

pub(super) async fn revisions(
    executor: impl SqliteExecutor<'_>,
    shop: u32,
) -> Result<Revisions, StoreError> {
    let (catalogue, events, rules, api_keys, removals, event_changes, simulated) = sqlx::query_as(
        "SELECT catalogue_revision, events_revision, rules_revision, api_keys_revision,
                removals_revision, event_changes, simulated
         FROM shops WHERE shop_id = $1",
    )
    .bind(shop)
    .fetch_one(executor)
    .await?;
    Ok(Revisions { catalogue, events, rules, api_keys, removals, event_changes, simulated })
}

pub(super) async fn set_revisions(
    writing: &mut Writing,
    revisions: &Revisions,
) -> Result<(), StoreError> {
    let Revisions { catalogue, events, rules, api_keys, removals, event_changes, simulated } =
        *revisions;
    sqlx::query(
        "UPDATE shops SET catalogue_revision = $2, events_revision = $3, rules_revision = $4,
                api_keys_revision = $5, removals_revision = $6, event_changes = $7, simulated = $8
         WHERE shop_id = $1",
    )
    .bind(writing.shop)
    .bind(catalogue)
    .bind(events)
    .bind(rules)
    .bind(api_keys)
    .bind(removals)
    .bind(event_changes)
    .bind(simulated)
    .execute(writing.connection())
    .await?;
    Ok(())
}
