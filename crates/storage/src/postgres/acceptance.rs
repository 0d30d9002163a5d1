//! Impressions beside events, by attribution token.

use crate::acceptance::{ACCEPTANCES_MAX, Acceptance};
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
            WHERE shop_id = $1 AND time_ms >= $2
                  AND attribution_token COLLATE \"C\" ~ '^[0-9]+[.].+[.].+[.][a-z]$'
            GROUP BY user_number, book_number, attribution_token),
        done AS (
            SELECT user_number, book_number, attribution_token AS token, bool_or(kind = 4) AS bought
            FROM events
            WHERE shop_id = $1 AND attribution_token IS NOT NULL AND NOT retracted
                  AND kind <> 7
                  AND user_number IN (SELECT user_number FROM shown)
            GROUP BY user_number, book_number, attribution_token)
        SELECT split_part(token, '.', 1) COLLATE \"C\" AS head, right(token, 1) COLLATE \"C\" AS tail,
               count(*), count(bought), count(*) FILTER (WHERE bought), min(first_ms)
        FROM shown LEFT JOIN done USING (user_number, book_number, token)
        GROUP BY head, tail ORDER BY 3 DESC, head, tail LIMIT $3";
    let statement = || sqlx::query(text).bind(shop).bind(from_ms).bind(ACCEPTANCES_MAX);
    let rows = pool.rows(statement).await?;
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
