//! A shop's ids and their numbers, there and back.
//!
//! A canonical decimal below 2³⁰ is its own number and is written down nowhere.
//! Every other id is assigned one, in the order in which ids arrive.

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use recommender::id::{FIRST_ASSIGNED, LAST_NUMBER, check_id, own_number};
use recommender::{ItemNumber, UserNumber};

use crate::batch::{ROWS_MAX, RowsStatement, pad, padded, pieces};
use crate::error::StoreError;
use crate::event::number;
use crate::store::Store;
use crate::writer::Writer;

/// What an id names. Users and books are numbered apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum IdSpace {
    /// A user. The number is written into stores and never changes.
    User = 1,
    /// A book. The number is written into stores and never changes.
    Book = 2,
}

impl IdSpace {
    fn number(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for IdSpace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::User => "user",
            Self::Book => "book",
        })
    }
}

static NUMBERS_OF_IDS: LazyLock<RowsStatement> = LazyLock::new(|| {
    // With `id IN (…)` SQLite reads the whole primary key instead of looking each id up
    // in the unique index; a cross join fixes the order.
    let tail = ") SELECT a.id, a.number FROM wanted CROSS JOIN assigned_ids AS a
        ON a.id = wanted.id AND a.shop_id = ? AND a.space = ?";
    RowsStatement::new("WITH wanted (id) AS (VALUES", 1, tail)
});

static IDS_OF_NUMBERS: LazyLock<RowsStatement> = LazyLock::new(|| {
    let head =
        "SELECT number, id FROM assigned_ids WHERE shop_id = ? AND space = ? AND number IN (";
    RowsStatement::new(head, 1, ")")
});

static INSERT_IDS: LazyLock<RowsStatement> = LazyLock::new(|| {
    RowsStatement::new("INSERT INTO assigned_ids (shop_id, space, number, id) VALUES", 4, "")
});

impl Store {
    /// The number of the user with this id, or `None` if the store knows no such user.
    ///
    /// An id that is its own number is known once the user has an event; any other
    /// once [`Writer::assign_users`] was asked for it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Id`] if it cannot be an id; otherwise as [`counts`](Self::counts).
    pub async fn user_number(&self, id: &str) -> Result<Option<UserNumber>, StoreError> {
        let known = "SELECT number FROM users WHERE shop_id = $1 AND number = $2";
        Ok(self.number_of(IdSpace::User, id, known).await?.map(UserNumber))
    }

    /// The number of the item with this id, or `None` if the store knows no such item.
    ///
    /// An id that is its own number is known once there is such a book; any other
    /// once [`Writer::assign_items`] was asked for it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Id`] if it cannot be an id; otherwise as [`counts`](Self::counts).
    pub async fn item_number(&self, id: &str) -> Result<Option<ItemNumber>, StoreError> {
        let known = "SELECT number FROM books WHERE shop_id = $1 AND number = $2";
        Ok(self.number_of(IdSpace::Book, id, known).await?.map(ItemNumber))
    }

    /// The ids of these users, in the same order; `None` for a number never assigned.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn user_ids(&self, users: &[UserNumber]) -> Result<Vec<Option<String>>, StoreError> {
        let numbers: Vec<u32> = users.iter().map(|user| user.0).collect();
        self.ids_of(IdSpace::User, &numbers).await
    }

    /// The ids of these items, in the same order; `None` for a number never assigned.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn item_ids(&self, items: &[ItemNumber]) -> Result<Vec<Option<String>>, StoreError> {
        let numbers: Vec<u32> = items.iter().map(|item| item.0).collect();
        self.ids_of(IdSpace::Book, &numbers).await
    }

    async fn number_of(
        &self,
        space: IdSpace,
        id: &str,
        known: &'static str,
    ) -> Result<Option<u32>, StoreError> {
        check_id(id)?;
        let query = match own_number(id) {
            Some(own) => sqlx::query_as(known).bind(self.shop.0).bind(own),
            None => sqlx::query_as(
                "SELECT number FROM assigned_ids WHERE shop_id = $1 AND space = $2 AND id = $3",
            )
            .bind(self.shop.0)
            .bind(space.number())
            .bind(id.to_owned()),
        };
        let row: Option<(i64,)> = query.fetch_optional(self.readers()).await?;
        row.map(|(found,)| number("number", found)).transpose()
    }

    async fn ids_of(
        &self,
        space: IdSpace,
        numbers: &[u32],
    ) -> Result<Vec<Option<String>>, StoreError> {
        let mut assigned: Vec<u32> =
            numbers.iter().copied().filter(|number| *number >= FIRST_ASSIGNED).collect();
        assigned.sort_unstable();
        assigned.dedup();
        let mut ids = HashMap::with_capacity(assigned.len());
        for rows in assigned.chunks(ROWS_MAX) {
            let text = IDS_OF_NUMBERS.text(padded(rows.len()));
            let mut query = sqlx::query_as(text).bind(self.shop.0).bind(space.number());
            for number in pad(rows) {
                query = query.bind(*number);
            }
            let found: Vec<(i64, String)> = query.fetch_all(self.readers()).await?;
            for (found, id) in found {
                ids.insert(number("number", found)?, id);
            }
        }
        let id = |number: &u32| match *number {
            0 => None,
            own if own < FIRST_ASSIGNED => Some(own.to_string()),
            assigned => ids.get(&assigned).cloned(),
        };
        Ok(numbers.iter().map(id).collect())
    }
}

impl Writer {
    /// The numbers of the users with these ids, in the same order, assigning new
    /// ones where needed. An id may occur several times.
    ///
    /// # Errors
    ///
    /// [`StoreError::Id`] if one cannot be an id; [`StoreError::OutOfNumbers`].
    /// In both cases no number was assigned.
    pub async fn assign_users(&mut self, ids: &[&str]) -> Result<Vec<UserNumber>, StoreError> {
        let numbers = self.numbers(IdSpace::User, ids).await?;
        Ok(numbers.into_iter().map(UserNumber).collect())
    }

    /// The numbers of the items with these ids, in the same order, assigning new
    /// ones where needed. An id may occur several times.
    ///
    /// # Errors
    ///
    /// [`StoreError::Id`] if one cannot be an id; [`StoreError::OutOfNumbers`].
    /// In both cases no number was assigned.
    pub async fn assign_items(&mut self, ids: &[&str]) -> Result<Vec<ItemNumber>, StoreError> {
        let numbers = self.numbers(IdSpace::Book, ids).await?;
        Ok(numbers.into_iter().map(ItemNumber).collect())
    }

    async fn numbers(&mut self, space: IdSpace, ids: &[&str]) -> Result<Vec<u32>, StoreError> {
        // Distinct ids that are not their own number, in the order of their arrival.
        let mut others: Vec<&str> = Vec::new();
        let mut numbers: HashMap<&str, Option<u32>> = HashMap::new();
        for id in ids {
            check_id(id)?;
            if own_number(id).is_none() && numbers.insert(*id, None).is_none() {
                others.push(*id);
            }
        }
        for rows in others.chunks(ROWS_MAX) {
            for (id, found) in self.find_ids(space, rows).await? {
                if let Some(entry) = numbers.get_mut(id.as_str()) {
                    *entry = Some(number("number", found)?);
                }
            }
        }
        others.retain(|id| numbers.get(id) == Some(&None));
        if !others.is_empty() {
            let first = self.next_number(space, others.len()).await?;
            self.begin_change()?;
            self.assign_ids(space, first, &others).await?;
            self.end_change();
            numbers.extend(others.into_iter().zip((first..).map(Some)));
        }
        let number = |id: &&str| {
            own_number(id)
                .or_else(|| numbers.get(id).copied().flatten())
                .expect("every id is its own number, was found or was assigned one")
        };
        Ok(ids.iter().map(number).collect())
    }

    async fn find_ids(
        &mut self,
        space: IdSpace,
        ids: &[&str],
    ) -> Result<Vec<(String, i64)>, StoreError> {
        let text = NUMBERS_OF_IDS.text(padded(ids.len()));
        let mut query = sqlx::query_as(text);
        for id in pad(ids) {
            query = query.bind((*id).to_owned());
        }
        let query = query.bind(self.shop.0).bind(space.number());
        Ok(query.fetch_all(self.connection()).await?)
    }

    /// The first number still free, if that many are.
    async fn next_number(&mut self, space: IdSpace, wanted: usize) -> Result<u32, StoreError> {
        let shop = self.shop.0;
        let (next,): (i64,) = sqlx::query_as(
            "SELECT next_number FROM id_sequences WHERE shop_id = $1 AND space = $2",
        )
        .bind(shop)
        .bind(space.number())
        .fetch_one(self.connection())
        .await?;
        let first = number("next_number", next)?;
        let left = (u64::from(LAST_NUMBER) + 1).saturating_sub(u64::from(first));
        let wanted = wanted as u64;
        if wanted > left {
            return Err(StoreError::OutOfNumbers { space, wanted, left });
        }
        Ok(first)
    }

    /// Gives numbers from `first` up to these ids, and takes them out of the sequence.
    async fn assign_ids(
        &mut self,
        space: IdSpace,
        first: u32,
        ids: &[&str],
    ) -> Result<(), StoreError> {
        let mut number = first;
        for piece in pieces(ids.len()) {
            let rows = &ids[piece];
            let mut query = sqlx::query(INSERT_IDS.text(rows.len()));
            for id in rows {
                query = query.bind(self.shop.0).bind(space.number());
                query = query.bind(number).bind((*id).to_owned());
                number += 1;
            }
            query.execute(self.connection()).await?;
        }
        let shop = self.shop.0;
        sqlx::query("UPDATE id_sequences SET next_number = $3 WHERE shop_id = $1 AND space = $2")
            .bind(shop)
            .bind(space.number())
            .bind(number)
            .execute(self.connection())
            .await?;
        Ok(())
    }
}
