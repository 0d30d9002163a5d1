//! One transaction that reads everything.

use std::sync::LazyLock;

use async_trait::async_trait;
use recommender::{ItemNumber, UserNumber};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Row as _, Sqlite};

use super::history::{EventRow, stored_event};
use super::{Database, books, shop, users};
use crate::api_keys::{ApiKey, ApiKeyRow};
use crate::backend::Reading;
use crate::error::StoreError;
use crate::event::{EventId, number};
use crate::ids::IdSpace;
use crate::impressions::NewImpression;
use crate::rows::{Row, RowKey, RowKind};
use crate::rules::{Rule, RuleRow};

static BOOKS_AFTER: LazyLock<String> = LazyLock::new(|| {
    let select = books::SELECT_BOOKS;
    format!("{select} WHERE b.shop_id = $1 AND b.number > $2 ORDER BY b.number LIMIT $3")
});

/// A transaction on a connection that reads.
struct Snapshot {
    shop: u32,
    transaction: sqlx::Transaction<'static, Sqlite>,
}

pub(super) async fn begin(database: &Database) -> Result<Box<dyn Reading>, StoreError> {
    let mut transaction = database.readers.begin().await?;
    // What a transaction sees is decided by its first statement.
    shop::revisions(&mut *transaction, database.shop.0).await?;
    Ok(Box::new(Snapshot { shop: database.shop.0, transaction }))
}

#[async_trait]
impl Reading for Snapshot {
    async fn count_rows(&mut self) -> Result<u64, StoreError> {
        let (rows,): (i64,) = sqlx::query_as(
            "SELECT 1 + (SELECT count(*) FROM id_sequences WHERE shop_id = $1)
                 + (SELECT count(*) FROM assigned_ids WHERE shop_id = $1)
                 + (SELECT count(*) FROM books WHERE shop_id = $1)
                 + (SELECT count(*) FROM deleted_books WHERE shop_id = $1)
                 + (SELECT count(*) FROM users WHERE shop_id = $1)
                 + (SELECT count(*) FROM merged_users WHERE shop_id = $1)
                 + (SELECT count(*) FROM events WHERE shop_id = $1)
                 + (SELECT count(*) FROM impressions WHERE shop_id = $1)
                 + (SELECT count(*) FROM rules WHERE shop_id = $1)
                 + (SELECT count(*) FROM api_keys WHERE shop_id = $1)",
        )
        .bind(self.shop)
        .fetch_one(&mut *self.transaction)
        .await?;
        Ok(rows.unsigned_abs())
    }

    async fn rows_after(
        &mut self,
        kind: RowKind,
        after: Option<&RowKey>,
        limit: u32,
    ) -> Result<Vec<Row>, StoreError> {
        let page = Page { shop: self.shop, after, limit };
        let connection = &mut *self.transaction;
        match kind {
            RowKind::Shop => page.shop(connection).await,
            RowKind::Sequence => page.sequences(connection).await,
            RowKind::Id => page.ids(connection).await,
            RowKind::Book => page.books(connection).await,
            RowKind::DeletedBook => page.deleted_books(connection).await,
            RowKind::User => page.users(connection).await,
            RowKind::MergedUser => page.merged_users(connection).await,
            RowKind::Event => page.events(connection).await,
            RowKind::Impression => page.impressions(connection).await,
            RowKind::Rule => page.rules(connection).await,
            RowKind::ApiKey => page.api_keys(connection).await,
        }
    }
}

/// Which rows of a table are wanted.
struct Page<'a> {
    shop: u32,
    after: Option<&'a RowKey>,
    limit: u32,
}

impl Page<'_> {
    /// The space and the number after which to begin.
    fn number(&self) -> (u8, u32) {
        self.after.map_or((0, 0), RowKey::number)
    }

    /// The user and the event's id after which to begin. No id is empty.
    fn event(&self) -> (u32, Vec<u8>) {
        match self.after {
            Some(RowKey::Event(user, id) | RowKey::Impression(user, id)) => {
                (user.0, id.as_bytes().to_vec())
            }
            _ => (0, Vec::new()),
        }
    }

    /// The text after which to begin. No id is empty.
    fn text(&self) -> String {
        match self.after {
            Some(RowKey::Rule(id) | RowKey::ApiKey(id)) => id.clone(),
            _ => String::new(),
        }
    }

    async fn shop(&self, connection: &mut SqliteConnection) -> Result<Vec<Row>, StoreError> {
        match self.after {
            Some(_) => Ok(Vec::new()),
            None => Ok(vec![Row::Shop(shop::revisions(connection, self.shop).await?)]),
        }
    }

    async fn sequences(&self, connection: &mut SqliteConnection) -> Result<Vec<Row>, StoreError> {
        let rows: Vec<(i64, i64)> = sqlx::query_as(
            "SELECT space, next_number FROM id_sequences WHERE shop_id = $1 AND space > $2
             ORDER BY space LIMIT $3",
        )
        .bind(self.shop)
        .bind(self.number().0)
        .bind(self.limit)
        .fetch_all(connection)
        .await?;
        let sequence =
            |(space, next_number)| Ok(Row::Sequence { space: IdSpace::read(space)?, next_number });
        rows.into_iter().map(sequence).collect()
    }

    async fn ids(&self, connection: &mut SqliteConnection) -> Result<Vec<Row>, StoreError> {
        let (space, last) = self.number();
        let rows: Vec<(i64, i64, String)> = sqlx::query_as(
            "SELECT space, number, id FROM assigned_ids
             WHERE shop_id = $1 AND (space, number) > ($2, $3) ORDER BY space, number LIMIT $4",
        )
        .bind(self.shop)
        .bind(space)
        .bind(last)
        .bind(self.limit)
        .fetch_all(connection)
        .await?;
        let id = |(space, found, id)| {
            Ok(Row::Id { space: IdSpace::read(space)?, number: number("number", found)?, id })
        };
        rows.into_iter().map(id).collect()
    }

    async fn books(&self, connection: &mut SqliteConnection) -> Result<Vec<Row>, StoreError> {
        let rows: Vec<SqliteRow> = sqlx::query(BOOKS_AFTER.as_str())
            .bind(self.shop)
            .bind(self.number().1)
            .bind(self.limit)
            .fetch_all(connection)
            .await?;
        let book = |row: &SqliteRow| {
            let revision = row.try_get(books::REVISION)?;
            Ok(Row::Book { book: Box::new(books::book(row)?), revision })
        };
        rows.iter().map(book).collect()
    }

    async fn deleted_books(
        &self,
        connection: &mut SqliteConnection,
    ) -> Result<Vec<Row>, StoreError> {
        let sql = "SELECT number, revision FROM deleted_books
                   WHERE shop_id = $1 AND number > $2 ORDER BY number LIMIT $3";
        let book = |(found, revision)| {
            Ok(Row::DeletedBook { number: ItemNumber(number("number", found)?), revision })
        };
        self.pairs(connection, sql).await?.into_iter().map(book).collect()
    }

    async fn users(&self, connection: &mut SqliteConnection) -> Result<Vec<Row>, StoreError> {
        let sql = "SELECT number, revision FROM users
                   WHERE shop_id = $1 AND number > $2 ORDER BY number LIMIT $3";
        let user = |row| Ok(Row::User(users::user_revision(row)?));
        self.pairs(connection, sql).await?.into_iter().map(user).collect()
    }

    async fn merged_users(
        &self,
        connection: &mut SqliteConnection,
    ) -> Result<Vec<Row>, StoreError> {
        let sql = "SELECT number, into_number FROM merged_users
                   WHERE shop_id = $1 AND number > $2 ORDER BY number LIMIT $3";
        let user = |(from, into)| {
            let number = users::user_number("number", from)?;
            Ok(Row::MergedUser { number, into: users::user_number("into_number", into)? })
        };
        self.pairs(connection, sql).await?.into_iter().map(user).collect()
    }

    /// Rows of two numbers, of the statement `sql`.
    async fn pairs(
        &self,
        connection: &mut SqliteConnection,
        sql: &'static str,
    ) -> Result<Vec<(i64, i64)>, StoreError> {
        let query = sqlx::query_as(sql).bind(self.shop).bind(self.number().1).bind(self.limit);
        Ok(query.fetch_all(connection).await?)
    }

    async fn events(&self, connection: &mut SqliteConnection) -> Result<Vec<Row>, StoreError> {
        let (user, id) = self.event();
        let rows: Vec<EventRow> = sqlx::query_as(
            "SELECT user_number, event_id, book_number, kind, half_stars, time_ms, recorded_ms,
                    origin, attribution_token, retracted
             FROM events WHERE shop_id = $1 AND (user_number, event_id) > ($2, $3)
             ORDER BY user_number, event_id LIMIT $4",
        )
        .bind(self.shop)
        .bind(user)
        .bind(id)
        .bind(self.limit)
        .fetch_all(connection)
        .await?;
        let event = |row: EventRow| {
            let user = users::user_number("user_number", row.0)?;
            let stored = stored_event(row)?;
            Ok(Row::Event { event: stored.event.of_user(user), retracted: stored.retracted })
        };
        rows.into_iter().map(event).collect()
    }

    async fn impressions(&self, connection: &mut SqliteConnection) -> Result<Vec<Row>, StoreError> {
        type ImpressionRow = (i64, Vec<u8>, i64, i64, i64, Option<String>, i64);
        let (user, id) = self.event();
        let rows: Vec<ImpressionRow> = sqlx::query_as(
            "SELECT user_number, event_id, book_number, time_ms, recorded_ms, attribution_token,
                    sequence
             FROM impressions WHERE shop_id = $1 AND (user_number, event_id) > ($2, $3)
             ORDER BY user_number, event_id LIMIT $4",
        )
        .bind(self.shop)
        .bind(user)
        .bind(id)
        .bind(self.limit)
        .fetch_all(connection)
        .await?;
        let impression = |row: ImpressionRow| {
            let (user, id, book, time_ms, recorded_ms, attribution_token, sequence) = row;
            let impression = NewImpression {
                user: UserNumber(number("user_number", user)?),
                item: ItemNumber(number("book_number", book)?),
                event_id: EventId::new(&id)?,
                time_ms,
                recorded_ms,
                attribution_token,
            };
            Ok(Row::Impression { impression, sequence })
        };
        rows.into_iter().map(impression).collect()
    }

    async fn rules(&self, connection: &mut SqliteConnection) -> Result<Vec<Row>, StoreError> {
        let rows: Vec<RuleRow> = sqlx::query_as(
            "SELECT id, target_kind, target, effect, place, factor, surfaces, starts_ms, ends_ms,
                    note
             FROM rules WHERE shop_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        )
        .bind(self.shop)
        .bind(self.text())
        .bind(self.limit)
        .fetch_all(connection)
        .await?;
        rows.into_iter().map(|row| Ok(Row::Rule(Rule::read(row)?))).collect()
    }

    async fn api_keys(&self, connection: &mut SqliteConnection) -> Result<Vec<Row>, StoreError> {
        let rows: Vec<ApiKeyRow> = sqlx::query_as(
            "SELECT id, name, roles, secret_sha256, created_ms, expires_ms, revoked_ms
             FROM api_keys WHERE shop_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        )
        .bind(self.shop)
        .bind(self.text())
        .bind(self.limit)
        .fetch_all(connection)
        .await?;
        rows.into_iter().map(|row| Ok(Row::ApiKey(ApiKey::read(row)?))).collect()
    }
}
