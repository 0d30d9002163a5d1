//! Writing rows as they were.

use std::sync::LazyLock;

use recommender::Rating;

use super::batch::{RowsStatement, Values, pieces};
use super::transaction::Writing;
use super::{api_keys, books, rules, shop};
use crate::book::Book;
use crate::error::StoreError;
use crate::rows::Row;

static INSERT_IDS: LazyLock<RowsStatement> = LazyLock::new(|| {
    RowsStatement::new("INSERT INTO assigned_ids (shop_id, space, number, id) VALUES", 4, "")
});

static INSERT_DELETED_BOOKS: LazyLock<RowsStatement> = LazyLock::new(|| {
    RowsStatement::new("INSERT INTO deleted_books (shop_id, number, revision) VALUES", 3, "")
});

static INSERT_USERS: LazyLock<RowsStatement> = LazyLock::new(|| {
    RowsStatement::new("INSERT INTO users (shop_id, number, revision) VALUES", 3, "")
});

static INSERT_MERGED_USERS: LazyLock<RowsStatement> = LazyLock::new(|| {
    RowsStatement::new("INSERT INTO merged_users (shop_id, number, into_number) VALUES", 3, "")
});

// OR FAIL for the reason that events have elsewhere.
static INSERT_EVENTS: LazyLock<RowsStatement> = LazyLock::new(|| {
    RowsStatement::new(
        "INSERT OR FAIL INTO events (shop_id, user_number, event_id, book_number, kind,
         half_stars, time_ms, recorded_ms, origin, attribution_token, retracted) VALUES",
        11,
        "",
    )
});

static INSERT_IMPRESSIONS: LazyLock<RowsStatement> = LazyLock::new(|| {
    RowsStatement::new(
        "INSERT OR FAIL INTO impressions (shop_id, user_number, event_id, book_number, time_ms,
         recorded_ms, attribution_token, sequence) VALUES",
        8,
        "",
    )
});

pub(super) async fn is_empty(writing: &mut Writing) -> Result<bool, StoreError> {
    let shop = writing.shop;
    if shop::revisions(writing.connection(), shop).await? != crate::store::Revisions::default() {
        return Ok(false);
    }
    let (is_empty,): (bool,) = sqlx::query_as(
        "SELECT NOT EXISTS (SELECT 1 FROM id_sequences WHERE shop_id = $1 AND next_number > $2)
            AND NOT EXISTS (SELECT 1 FROM assigned_ids WHERE shop_id = $1)
            AND NOT EXISTS (SELECT 1 FROM books WHERE shop_id = $1)
            AND NOT EXISTS (SELECT 1 FROM deleted_books WHERE shop_id = $1)
            AND NOT EXISTS (SELECT 1 FROM users WHERE shop_id = $1)
            AND NOT EXISTS (SELECT 1 FROM merged_users WHERE shop_id = $1)
            AND NOT EXISTS (SELECT 1 FROM events WHERE shop_id = $1)
            AND NOT EXISTS (SELECT 1 FROM impressions WHERE shop_id = $1)
            AND NOT EXISTS (SELECT 1 FROM rules WHERE shop_id = $1)
            AND NOT EXISTS (SELECT 1 FROM api_keys WHERE shop_id = $1)",
    )
    .bind(shop)
    .bind(recommender::id::FIRST_ASSIGNED)
    .fetch_one(writing.connection())
    .await?;
    Ok(is_empty)
}

/// Inserts rows of one kind; where there is one of each already, they replace it.
pub(super) async fn insert(writing: &mut Writing, rows: &[Row]) -> Result<(), StoreError> {
    let Some(first) = rows.first() else { return Ok(()) };
    let statement = match first {
        Row::Id { .. } => &INSERT_IDS,
        Row::DeletedBook { .. } => &INSERT_DELETED_BOOKS,
        Row::User(_) => &INSERT_USERS,
        Row::MergedUser { .. } => &INSERT_MERGED_USERS,
        Row::Event { .. } => &INSERT_EVENTS,
        Row::Impression { .. } => &INSERT_IMPRESSIONS,
        Row::Book { .. } => return insert_books(writing, rows).await,
        Row::Shop(_) | Row::Sequence { .. } | Row::Rule(_) | Row::ApiKey(_) => {
            return insert_one_by_one(writing, rows).await;
        }
    };
    for piece in pieces(rows.len()) {
        let rows = &rows[piece];
        let mut values = Values::with_capacity(11 * rows.len());
        for row in rows {
            values.add(writing.shop)?;
            add(&mut values, row)?;
        }
        let query = sqlx::query_with(statement.text(rows.len()), values.into_arguments());
        query.execute(writing.connection()).await?;
    }
    Ok(())
}

/// Adds the values of a row, in the order of its statement's columns.
fn add(values: &mut Values, row: &Row) -> Result<(), StoreError> {
    match row {
        Row::Id { space, number, id } => {
            values.add(space.number())?;
            values.add(*number)?;
            values.add(id.as_str())
        }
        Row::DeletedBook { number, revision } => {
            values.add(number.0)?;
            values.add(*revision)
        }
        Row::User(user) => {
            values.add(user.user.0)?;
            values.add(user.revision)
        }
        Row::MergedUser { number, into } => {
            values.add(number.0)?;
            values.add(into.0)
        }
        Row::Event { event, retracted } => {
            values.add(event.user.0)?;
            values.add(event.event_id.as_bytes())?;
            values.add(event.item.0)?;
            values.add(event.kind.number())?;
            values.add(event.rating.map(Rating::half_stars))?;
            values.add(event.time_ms)?;
            values.add(event.recorded_ms)?;
            values.add(event.origin.number())?;
            values.add(event.attribution_token.as_deref())?;
            values.add(*retracted)
        }
        Row::Impression { impression, sequence } => {
            values.add(impression.user.0)?;
            values.add(impression.event_id.as_bytes())?;
            values.add(impression.item.0)?;
            values.add(impression.time_ms)?;
            values.add(impression.recorded_ms)?;
            values.add(impression.attribution_token.as_deref())?;
            values.add(*sequence)
        }
        // Inserted in other ways.
        Row::Shop(_) | Row::Sequence { .. } | Row::Book { .. } | Row::Rule(_) | Row::ApiKey(_) => {
            Ok(())
        }
    }
}

async fn insert_books(writing: &mut Writing, rows: &[Row]) -> Result<(), StoreError> {
    let books: Vec<(&Book, i64)> = rows
        .iter()
        .filter_map(|row| match row {
            Row::Book { book, revision } => Some((&**book, *revision)),
            _ => None,
        })
        .collect();
    for piece in pieces(books.len()) {
        books::write(writing, &books[piece]).await?;
    }
    Ok(())
}

async fn insert_one_by_one(writing: &mut Writing, rows: &[Row]) -> Result<(), StoreError> {
    for row in rows {
        match row {
            Row::Shop(revisions) => shop::set_revisions(writing, revisions).await?,
            Row::Rule(rule) => rules::put(writing, rule).await?,
            Row::ApiKey(key) => api_keys::insert(writing, key).await?,
            Row::Sequence { space, next_number } => {
                sqlx::query(
                    "UPDATE id_sequences SET next_number = $3 WHERE shop_id = $1 AND space = $2",
                )
                .bind(writing.shop)
                .bind(space.number())
                .bind(*next_number)
                .execute(writing.connection())
                .await?;
            }
            _ => {}
        }
    }
    Ok(())
}
