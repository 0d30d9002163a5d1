//! Impressions beside events, by attribution token.

use crate::acceptance::Acceptance;
use crate::error::StoreError;

use super::pool::Pool;
use super::row::{count_in, get};

pub(super) async fn read(
    pool: &Pool,
    shop: i64,
    from_ms: i64,
) -> Result<Vec<Acceptance>, StoreError> {
    let text = "WITH shown AS (
            SELECT user_number, book_number, attribution_token AS token, min(time_ms) AS first_ms
            FROM impressions
            WHERE shop_id = $1 AND attribution_token LIKE '%.%' AND time_ms >= $2
            GROUP BY user_number, book_number, attribution_token),
        done AS (
            SELECT user_number, book_number, attribution_token AS token, bool_or(kind = 4) AS bought
            FROM events
            WHERE shop_id = $1 AND attribution_token IS NOT NULL AND NOT retracted
            GROUP BY user_number, book_number, attribution_token)
        SELECT split_part(token, '.', 1), right(token, 1), count(*), count(bought),
               count(*) FILTER (WHERE bought), min(first_ms)
        FROM shown LEFT JOIN done USING (user_number, book_number, token)
        GROUP BY 1, 2";
    let rows = pool.rows(|| sqlx::query(text).bind(shop).bind(from_ms)).await?;
    rows.iter()
        .map(|row| {
            Ok(Acceptance {
                head: get(row, 0)?,
                tail: get(row, 1)?,
                shown: count_in(row, 2)?,
                clicked: count_in(row, 3)?,
                bought: count_in(row, 4)?,
                first_ms: get(row, 5)?,
            })
        })
        .collect()
}
