//! The writer: one transaction, from [`Store::begin`](crate::Store::begin) to its commit.
//!
//! What it writes is seen by nobody before the commit and by everybody after it.
//! Dropping it, or failing to commit, leaves the store as it was. After a method
//! failed in the database, or its future was dropped half-way, the writer refuses to
//! go on: half a batch is never committed.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use recommender::{ShopId, UserNumber};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Sqlite, Transaction};

use crate::batch::{RowsStatement, pieces};
use crate::error::StoreError;
use crate::event::number;
use crate::history::UserRevision;
use crate::store::{catalogue_revision, has_simulated_events};

/// How many touched users a writer remembers before it writes their revisions down.
const TOUCHED_MAX: usize = 1 << 20;

static COUNT_UP: LazyLock<RowsStatement> = LazyLock::new(|| {
    RowsStatement::new(
        "INSERT INTO users (shop_id, number, revision) VALUES",
        3,
        "ON CONFLICT (shop_id, number) DO UPDATE SET revision = users.revision + 1
         RETURNING number, revision",
    )
});

/// One transaction on the store.
#[derive(Debug)]
pub struct Writer {
    pub(crate) shop: ShopId,
    transaction: Transaction<'static, Sqlite>,
    touched: BTreeSet<UserNumber>,
    touched_before: u64,
    /// The catalogue's revision after the commit, once a book changed.
    next_catalogue_revision: Option<i64>,
    /// Whether every change so far was made in full.
    whole: bool,
}

/// What a commit did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// How many users it touched.
    pub users_touched: u64,
    /// Their new revisions, by number. An import that touches more than a million
    /// users lists only the last of them.
    pub revisions: Vec<UserRevision>,
    /// The catalogue's revision.
    pub catalogue_revision: i64,
}

impl Writer {
    pub(crate) fn new(shop: ShopId, transaction: Transaction<'static, Sqlite>) -> Self {
        Self {
            shop,
            transaction,
            touched: BTreeSet::new(),
            touched_before: 0,
            next_catalogue_revision: None,
            whole: true,
        }
    }

    /// Commits. When this returns, everything is on disk and visible to every reader.
    ///
    /// The revision of each touched user counts up by one; by more if the writer
    /// touched over a million users and came back to this one. Touched is who got or
    /// lost an event. A repeated event touches nobody, but in a batch of 32 or more it
    /// may if its neighbours were new.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unfinished`] if a method of this writer failed or was abandoned
    /// half-way; [`StoreError::Database`], for instance if the disk is full. Nothing
    /// is committed then.
    pub async fn commit(mut self) -> Result<Committed, StoreError> {
        self.begin_change()?;
        let users_touched = self.touched_before + self.touched.len() as u64;
        let revisions = self.write_revisions().await?;
        let catalogue_revision = self.write_catalogue_revision().await?;
        self.transaction.commit().await?;
        Ok(Committed { users_touched, revisions, catalogue_revision })
    }

    /// Takes everything back, and waits until that is done. Dropping the writer
    /// does the same without waiting.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`] if the connection is lost; then, too, nothing is kept.
    pub async fn rollback(self) -> Result<(), StoreError> {
        Ok(self.transaction.rollback().await?)
    }

    /// Whether a simulated event was ever stored, this writer's own included. Reads one row.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub async fn has_simulated_events(&mut self) -> Result<bool, StoreError> {
        let shop = self.shop;
        has_simulated_events(self.connection(), shop).await
    }

    /// The connection that writes.
    pub(crate) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }

    /// Marks the beginning of a change which, if it fails or its future is dropped,
    /// leaves the transaction half-done.
    pub(crate) fn begin_change(&mut self) -> Result<(), StoreError> {
        if std::mem::replace(&mut self.whole, false) { Ok(()) } else { Err(StoreError::Unfinished) }
    }

    /// Marks the end of a change that was made in full.
    pub(crate) fn end_change(&mut self) {
        self.whole = true;
    }

    /// Remembers that a book changed; returns the catalogue's revision after the commit.
    pub(crate) async fn touch_catalogue(&mut self) -> Result<i64, StoreError> {
        if let Some(next) = self.next_catalogue_revision {
            return Ok(next);
        }
        // Nobody else can write before this transaction ends.
        let next = self.catalogue_revision().await? + 1;
        self.next_catalogue_revision = Some(next);
        Ok(next)
    }

    /// Writes down the catalogue's revision if a book changed; returns it in any case.
    async fn write_catalogue_revision(&mut self) -> Result<i64, StoreError> {
        let Some(next) = self.next_catalogue_revision else {
            return self.catalogue_revision().await;
        };
        sqlx::query("UPDATE shops SET catalogue_revision = $2 WHERE shop_id = $1")
            .bind(self.shop.0)
            .bind(next)
            .execute(self.connection())
            .await?;
        Ok(next)
    }

    async fn catalogue_revision(&mut self) -> Result<i64, StoreError> {
        let shop = self.shop;
        catalogue_revision(self.connection(), shop).await
    }

    /// Remembers that events of these users changed.
    pub(crate) async fn touch(
        &mut self,
        users: impl IntoIterator<Item = UserNumber>,
    ) -> Result<(), StoreError> {
        self.touched.extend(users);
        if self.touched.len() > TOUCHED_MAX {
            self.touched_before += self.touched.len() as u64;
            self.write_revisions().await?;
        }
        Ok(())
    }

    /// Counts up the revisions of the users remembered, and forgets them.
    async fn write_revisions(&mut self) -> Result<Vec<UserRevision>, StoreError> {
        let users: Vec<UserNumber> = std::mem::take(&mut self.touched).into_iter().collect();
        let mut revisions = Vec::with_capacity(users.len());
        for piece in pieces(users.len()) {
            let rows = &users[piece];
            let mut query = sqlx::query_as(COUNT_UP.text(rows.len()));
            for user in rows {
                query = query.bind(self.shop.0).bind(user.0).bind(1);
            }
            let counted: Vec<(i64, i64)> = query.fetch_all(self.connection()).await?;
            for (found, revision) in counted {
                revisions
                    .push(UserRevision { user: UserNumber(number("number", found)?), revision });
            }
        }
        // The order in which RETURNING returns is not defined.
        revisions.sort_unstable_by_key(|counted| counted.user);
        Ok(revisions)
    }
}
