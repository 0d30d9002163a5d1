//! One transaction that reads everything.

use std::time::Duration;

use async_trait::async_trait;
use recommender::UserNumber;
use sqlx::FromRow as _;
use sqlx::postgres::PgRow;

use super::books::{book, select_books};
use super::history::{event, event_columns};
use super::pool::{Lease, Pool, Statement};
use super::row::{count_in, get, item_in, number_in, user_in};
use super::shop;
use crate::api_keys::{ApiKey, ApiKeyRow};
use crate::backend::Reading;
use crate::error::StoreError;
use crate::event::EventId;
use crate::history::UserRevision;
use crate::ids::IdSpace;
use crate::impressions::NewImpression;
use crate::rows::{Row, RowKey, RowKind};
use crate::rules::{Rule, RuleRow};

/// The column of [`select_books`] with the catalogue's revision.
const BOOK_REVISION: usize = 17;

/// How long one statement may take: counting takes minutes for a billion rows, and is the longest.
const PATIENCE: Duration = Duration::from_secs(60 * 60);

/// A transaction on a connection that reads. Dropping it closes the connection.
struct Snapshot {
    shop: i64,
    lease: Lease,
}

pub(super) async fn begin(pool: &Pool, shop: i64) -> Result<Box<dyn Reading>, StoreError> {
    // A limit of its own: what is read grows with the shop. The server keeps it too, so that it does
    // not count on for whoever is gone.
    let begin = format!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL statement_timeout = {}",
        PATIENCE.as_millis()
    );
    let mut lease = pool.lease().await?;
    match lease.begin(&begin).await {
        // The connection may have been lost while it rested.
        Err(StoreError::Unavailable(_)) if !lease.is_new() => {
            drop(lease);
            lease = pool.lease().await?;
            lease.begin(&begin).await?;
        }
        begun => begun?,
    }
    // What a transaction sees is decided by its first statement.
    shop::read_in(&mut lease, shop).await?;
    Ok(Box::new(Snapshot { shop, lease }))
}

#[async_trait]
impl Reading for Snapshot {
    async fn count_rows(&mut self) -> Result<u64, StoreError> {
        let text = "SELECT 1 + (SELECT count(*) FROM id_sequences WHERE shop_id = $1)
                + (SELECT count(*) FROM assigned_ids WHERE shop_id = $1)
                + (SELECT count(*) FROM books WHERE shop_id = $1)
                + (SELECT count(*) FROM deleted_books WHERE shop_id = $1)
                + (SELECT count(*) FROM users WHERE shop_id = $1)
                + (SELECT count(*) FROM merged_users WHERE shop_id = $1)
                + (SELECT count(*) FROM events WHERE shop_id = $1)
                + (SELECT count(*) FROM impressions WHERE shop_id = $1)
                + (SELECT count(*) FROM rules WHERE shop_id = $1)
                + (SELECT count(*) FROM api_keys WHERE shop_id = $1)";
        let query = sqlx::query(text).bind(self.shop);
        let usual = self.lease.set_answer_timeout(PATIENCE);
        let counted = self.lease.row(query).await;
        self.lease.set_answer_timeout(usual);
        count_in(&counted?, 0)
    }

    async fn rows_after(
        &mut self,
        kind: RowKind,
        after: Option<&RowKey>,
        limit: u32,
    ) -> Result<Vec<Row>, StoreError> {
        let read = match kind {
            RowKind::Shop => return self.shop_after(after).await,
            RowKind::Sequence => sequence,
            RowKind::Id => id,
            RowKind::Book => book_row,
            RowKind::DeletedBook => deleted_book,
            RowKind::User => user,
            RowKind::MergedUser => merged_user,
            RowKind::Event => event_row,
            RowKind::Impression => impression,
            RowKind::Rule => rule,
            RowKind::ApiKey => api_key,
        };
        let statement = bind_after(sqlx::query(text(kind)).bind(self.shop), kind, after);
        let rows = self.lease.rows(statement.bind(i64::from(limit))).await?;
        rows.iter().map(read).collect()
    }
}

impl Snapshot {
    async fn shop_after(&mut self, after: Option<&RowKey>) -> Result<Vec<Row>, StoreError> {
        match after {
            Some(_) => Ok(Vec::new()),
            None => Ok(vec![Row::Shop(shop::read_in(&mut self.lease, self.shop).await?)]),
        }
    }
}

/// The statement that reads rows of a kind: of the shop $1, after a key of one or two values, at
/// most as many as the last value says.
fn text(kind: RowKind) -> &'static str {
    match kind {
        RowKind::Shop => "",
        RowKind::Sequence => {
            "SELECT space, next_number FROM id_sequences WHERE shop_id = $1 AND space > $2
             ORDER BY space LIMIT $3"
        }
        RowKind::Id => {
            "SELECT space, number, id FROM assigned_ids
             WHERE shop_id = $1 AND (space, number) > ($2, $3) ORDER BY space, number LIMIT $4"
        }
        RowKind::Book => {
            concat!(
                select_books!(),
                "WHERE b.shop_id = $1 AND b.number > $2 ORDER BY b.number LIMIT $3"
            )
        }
        RowKind::DeletedBook => {
            "SELECT number, revision FROM deleted_books WHERE shop_id = $1 AND number > $2
             ORDER BY number LIMIT $3"
        }
        RowKind::User => {
            "SELECT number, revision FROM users WHERE shop_id = $1 AND number > $2
             ORDER BY number LIMIT $3"
        }
        RowKind::MergedUser => {
            "SELECT number, into_number FROM merged_users WHERE shop_id = $1 AND number > $2
             ORDER BY number LIMIT $3"
        }
        RowKind::Event => {
            concat!(
                "SELECT e.user_number, e.retracted, ",
                event_columns!(),
                " FROM events AS e WHERE e.shop_id = $1 AND (e.user_number, e.event_id) > ($2, $3)
                  ORDER BY e.user_number, e.event_id LIMIT $4"
            )
        }
        RowKind::Impression => {
            "SELECT user_number, book_number, event_id, time_ms, recorded_ms, attribution_token,
                    sequence
             FROM impressions WHERE shop_id = $1 AND (user_number, event_id) > ($2, $3)
             ORDER BY user_number, event_id LIMIT $4"
        }
        RowKind::Rule => {
            "SELECT id, target_kind, target, effect, place, factor, surfaces, starts_ms, ends_ms,
                    note
             FROM rules WHERE shop_id = $1 AND id > $2 ORDER BY id LIMIT $3"
        }
        RowKind::ApiKey => {
            "SELECT id, name, roles, secret_sha256, created_ms, expires_ms, revoked_ms
             FROM api_keys WHERE shop_id = $1 AND id > $2 ORDER BY id LIMIT $3"
        }
    }
}

/// Binds the key after which to begin. No number is 0, and no id is empty.
fn bind_after<'q>(
    statement: Statement<'q>,
    kind: RowKind,
    after: Option<&'q RowKey>,
) -> Statement<'q> {
    let (space, number) = after.map_or((0, 0), RowKey::number);
    match kind {
        RowKind::Shop => statement,
        RowKind::Sequence => statement.bind(i64::from(space)),
        RowKind::Id => statement.bind(i64::from(space)).bind(i64::from(number)),
        RowKind::Book | RowKind::DeletedBook | RowKind::User | RowKind::MergedUser => {
            statement.bind(i64::from(number))
        }
        RowKind::Event | RowKind::Impression => {
            let id = match after {
                Some(RowKey::Event(_, id) | RowKey::Impression(_, id)) => id.as_bytes(),
                _ => &[],
            };
            statement.bind(i64::from(number)).bind(id)
        }
        RowKind::Rule | RowKind::ApiKey => statement.bind(match after {
            Some(RowKey::Rule(id) | RowKey::ApiKey(id)) => id.as_str(),
            _ => "",
        }),
    }
}

fn space(row: &PgRow) -> Result<IdSpace, StoreError> {
    IdSpace::read(i64::from(get::<i16>(row, 0)?))
}

fn sequence(row: &PgRow) -> Result<Row, StoreError> {
    Ok(Row::Sequence { space: space(row)?, next_number: get(row, 1)? })
}

fn id(row: &PgRow) -> Result<Row, StoreError> {
    Ok(Row::Id { space: space(row)?, number: number_in(row, 1)?, id: get(row, 2)? })
}

fn book_row(row: &PgRow) -> Result<Row, StoreError> {
    Ok(Row::Book { book: Box::new(book(row)?), revision: get(row, BOOK_REVISION)? })
}

fn deleted_book(row: &PgRow) -> Result<Row, StoreError> {
    Ok(Row::DeletedBook { number: item_in(row, 0)?, revision: get(row, 1)? })
}

fn user(row: &PgRow) -> Result<Row, StoreError> {
    Ok(Row::User(UserRevision { user: user_in(row, 0)?, revision: get(row, 1)? }))
}

fn merged_user(row: &PgRow) -> Result<Row, StoreError> {
    Ok(Row::MergedUser { number: user_in(row, 0)?, into: user_in(row, 1)? })
}

fn event_row(row: &PgRow) -> Result<Row, StoreError> {
    let user: UserNumber = user_in(row, 0)?;
    Ok(Row::Event { event: event(row, 2)?.of_user(user), retracted: get(row, 1)? })
}

fn impression(row: &PgRow) -> Result<Row, StoreError> {
    let impression = NewImpression {
        user: user_in(row, 0)?,
        item: item_in(row, 1)?,
        event_id: EventId::new(get(row, 2)?)?,
        time_ms: get(row, 3)?,
        recorded_ms: get(row, 4)?,
        attribution_token: get(row, 5)?,
    };
    Ok(Row::Impression { impression, sequence: get(row, 6)? })
}

fn rule(row: &PgRow) -> Result<Row, StoreError> {
    Ok(Row::Rule(Rule::read(RuleRow::from_row(row).map_err(StoreError::Database)?)?))
}

fn api_key(row: &PgRow) -> Result<Row, StoreError> {
    Ok(Row::ApiKey(ApiKey::read(ApiKeyRow::from_row(row).map_err(StoreError::Database)?)?))
}
