//! The shop's row, and how much there is.

use sqlx::postgres::PgRow;

use crate::error::StoreError;
use crate::store::{Counts, Revisions};

use super::pool::{Lease, Pool, Statement};
use super::row::{count_in, get};
use super::users::users_counted;

pub(super) async fn counts(pool: &Pool, shop: i64) -> Result<Counts, StoreError> {
    let text = concat!(
        "SELECT (SELECT count(*) FROM books WHERE shop_id = $1), ",
        users_counted!(),
        ", count(*), count(*) FILTER (WHERE origin = 3)
        FROM events WHERE shop_id = $1 AND NOT retracted"
    );
    let row = pool.row(|| sqlx::query(text).bind(shop)).await?;
    Ok(Counts {
        books: count_in(&row, 0)?,
        users: count_in(&row, 1)?,
        events: count_in(&row, 2)?,
        simulated_events: count_in(&row, 3)?,
    })
}

pub(super) async fn revisions(pool: &Pool, shop: i64) -> Result<Revisions, StoreError> {
    let text = "SELECT catalogue_revision, events_revision, rules_revision, api_keys_revision,
               removals_revision, event_changes, simulated
        FROM shops WHERE shop_id = $1";
    read(&pool.row(|| sqlx::query(text).bind(shop)).await?)
}

/// The same, as a transaction sees it.
pub(super) async fn read_in(lease: &mut Lease, shop: i64) -> Result<Revisions, StoreError> {
    let text = "SELECT catalogue_revision, events_revision, rules_revision, api_keys_revision,
               removals_revision, event_changes, simulated
        FROM shops WHERE shop_id = $1";
    read(&lease.row(sqlx::query(text).bind(shop)).await?)
}

/// Reads the shop's row and locks it until the transaction ends: whoever has it writes.
pub(super) async fn lock(lease: &mut Lease, shop: i64) -> Result<Revisions, StoreError> {
    let text = "SELECT catalogue_revision, events_revision, rules_revision, api_keys_revision,
               removals_revision, event_changes, simulated
        FROM shops WHERE shop_id = $1 FOR UPDATE";
    read(&lease.row(sqlx::query(text).bind(shop)).await?)
}

pub(super) fn set(shop: i64, revisions: &Revisions) -> Statement<'static> {
    let text = "UPDATE shops SET catalogue_revision = $2, events_revision = $3,
            rules_revision = $4, api_keys_revision = $5, removals_revision = $6,
            event_changes = $7, simulated = $8
        WHERE shop_id = $1";
    sqlx::query(text)
        .bind(shop)
        .bind(revisions.catalogue)
        .bind(revisions.events)
        .bind(revisions.rules)
        .bind(revisions.api_keys)
        .bind(revisions.removals)
        .bind(revisions.event_changes)
        .bind(revisions.simulated)
}

fn read(row: &PgRow) -> Result<Revisions, StoreError> {
    Ok(Revisions {
        catalogue: get(row, 0)?,
        events: get(row, 1)?,
        rules: get(row, 2)?,
        api_keys: get(row, 3)?,
        removals: get(row, 4)?,
        event_changes: get(row, 5)?,
        simulated: get(row, 6)?,
    })
}
