//! Reading a page of users' events for training.
//!
//! Taking a row over from SQLite costs more than reading it there: every value is
//! copied into an allocation of its own and every row passes a channel. So SQLite
//! joins the events of a user into one text, and a row is a user. For 1.9 million
//! events of 53,000 users this took 1.4 s of processor time; one row an event took
//! 3.0 s with four columns and 2.0 s with two; JSON took 1.2 s without an order, and
//! texts as here, without an order, 1.0 s.

use std::sync::LazyLock;

use recommender::UserNumber;

use super::Database;
use crate::error::StoreError;
use crate::event::{TrainingEvent, number};
use crate::scan::{EventsPage, FIELD, unpack};

/// One row a user: the events, by event id, as "packed time,packed time,…". The time
/// is empty if nobody knows it; [`event`] undoes the packing.
static EVENTS_OF_USERS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT user_number, group_concat(
            (((book_number * {FIELD} + origin) * {FIELD} + coalesce(half_stars, 0)) * {FIELD} + kind)
                || ' ' || coalesce(time_ms, ''), ',' ORDER BY event_id)
        FROM events WHERE shop_id = $1 AND user_number > $2 AND retracted = 0
        GROUP BY user_number ORDER BY user_number LIMIT $3"
    )
});

pub(super) async fn page(
    database: &Database,
    after: Option<UserNumber>,
    users: u32,
) -> Result<EventsPage, StoreError> {
    let rows: Vec<(i64, String)> = sqlx::query_as(EVENTS_OF_USERS.as_str())
        .bind(database.shop.0)
        .bind(after.map_or(0, |user| user.0))
        .bind(users)
        .fetch_all(&database.readers)
        .await?;
    let mut page = EventsPage::default();
    for (user, text) in rows {
        let start = page.events.len();
        for packed in text.split(',') {
            page.events.push(event(packed)?);
        }
        let user = UserNumber(number("user_number", user)?);
        page.users.push((user, start..page.events.len()));
    }
    Ok(page)
}

/// One event out of the text that [`EVENTS_OF_USERS`] makes.
fn event(text: &str) -> Result<TrainingEvent, StoreError> {
    let malformed = || StoreError::UnexpectedValue { column: "time_ms", found: 0 };
    let (packed, time) = text.split_once(' ').ok_or_else(malformed)?;
    let packed: i64 = packed.parse().map_err(|_| malformed())?;
    let time_ms = match time {
        "" => None,
        time => Some(time.parse().map_err(|_| malformed())?),
    };
    unpack(packed, time_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_a_packed_number_and_a_time_if_it_has_one() {
        // A view of book 1, simulated.
        let packed = (FIELD + 3) * FIELD * FIELD + 1;
        let read = |text: &str| event(text).ok().map(|event| (event.item.0, event.time_ms));
        assert_eq!(read(&format!("{packed} ")), Some((1, None)));
        assert_eq!(read(&format!("{packed} -5")), Some((1, Some(-5))));
        for wrong in ["", "x 1", "0 1", &format!("{packed} x"), &packed.to_string()] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }
}
