//! Values on their way out of PostgreSQL, which has no unsigned numbers.

use recommender::{ItemNumber, UserNumber};
use sqlx::postgres::PgRow;
use sqlx::{Decode, Postgres, Row as _, Type};

use crate::error::StoreError;
use crate::event::number;

/// The most rows of a list that one statement handles.
pub(super) const ROWS_MAX: usize = 4096;

/// The value of a column.
pub(super) fn get<'r, T>(row: &'r PgRow, column: usize) -> Result<T, StoreError>
where
    T: Decode<'r, Postgres> + Type<Postgres>,
{
    row.try_get(column).map_err(StoreError::Database)
}

/// The number of a user or a book in a column of type integer.
pub(super) fn number_in(row: &PgRow, column: usize) -> Result<u32, StoreError> {
    number("number", i64::from(get::<i32>(row, column)?))
}

/// The user in a column.
pub(super) fn user_in(row: &PgRow, column: usize) -> Result<UserNumber, StoreError> {
    Ok(UserNumber(number_in(row, column)?))
}

/// The book in a column.
pub(super) fn item_in(row: &PgRow, column: usize) -> Result<ItemNumber, StoreError> {
    Ok(ItemNumber(number_in(row, column)?))
}

/// A count in a column.
pub(super) fn count_in(row: &PgRow, column: usize) -> Result<u64, StoreError> {
    Ok(get::<i64>(row, column)?.unsigned_abs())
}

/// Users as values of a statement.
pub(super) fn users(users: &[UserNumber]) -> Vec<i64> {
    users.iter().map(|user| i64::from(user.0)).collect()
}

/// Books as values of a statement.
pub(super) fn items(items: &[ItemNumber]) -> Vec<i64> {
    items.iter().map(|item| i64::from(item.0)).collect()
}
