//! Impressions beside events, by attribution token.

use super::Database;
use crate::acceptance::{ACCEPTANCES_MAX, Acceptance};
use crate::error::StoreError;

/// Head, tail, shown, clicked, bought, first shown.
type Row = (String, String, i64, i64, i64, i64);

pub(super) async fn read(database: &Database, from_ms: i64) -> Result<Vec<Acceptance>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(
        "WITH shown AS (
             SELECT user_number, book_number, attribution_token AS token, min(time_ms) AS first_ms
             FROM impressions
             WHERE shop_id = $1 AND time_ms >= $2
                   AND attribution_token GLOB '[0-9]*.?*.?*.[a-z]'
                   AND substr(attribution_token, 1, instr(attribution_token, '.') - 1)
                       NOT GLOB '*[^0-9]*'
             GROUP BY user_number, book_number, attribution_token),
         done AS (
             SELECT user_number, book_number, attribution_token AS token, max(kind = 4) AS bought
             FROM events
             WHERE shop_id = $1 AND attribution_token IS NOT NULL AND retracted = 0
                   AND kind <> 7
                   AND user_number IN (SELECT user_number FROM shown)
             GROUP BY user_number, book_number, attribution_token)
         SELECT substr(token, 1, instr(token, '.') - 1), substr(token, -1), count(*),
                count(bought), coalesce(sum(bought), 0), min(first_ms)
         FROM shown LEFT JOIN done USING (user_number, book_number, token)
         GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT $3",
    )
    .bind(database.shop.0)
    .bind(from_ms)
    .bind(ACCEPTANCES_MAX)
    .fetch_all(&database.readers)
    .await?;
    let acceptance = |(head, tail, shown, clicked, bought, first_ms): Row| Acceptance {
        head,
        tail,
        shown: shown.unsigned_abs(),
        clicked: clicked.unsigned_abs(),
        bought: bought.unsigned_abs(),
        first_ms,
    };
    Ok(rows.into_iter().map(acceptance).collect())
}
