//! Lists of users and of their books: tokens of pages, kinds, readers in short.

use api::v1::{EventKind as KindMessage, UserSummary};
use recommender::{EventKind, ItemNumber, UserNumber};

use crate::categories;
use crate::generation::Generation;
use crate::grpc::violations::Violations;
use crate::grpc::{category, pages, time};
use crate::library::{Place, Summary};

/// The kinds that a request names; no more of them than there are.
pub(super) fn kinds(field: &str, numbers: &[i32], found: &mut Violations) -> Vec<EventKind> {
    if numbers.len() > EventKind::ALL.len() {
        let expected = format!("at most {}", EventKind::ALL.len());
        found.add(field, format!("{} kinds", numbers.len()), &expected);
        return Vec::new();
    }
    let kind = |(place, number): (usize, &i32)| {
        let known = KindMessage::try_from(*number).ok();
        let kind = known.and_then(|kind| u8::try_from(kind as i32).ok());
        let kind = kind.and_then(EventKind::from_number);
        if kind.is_none() {
            let expected = "a kind of event that is part of histories";
            found.add(&format!("{field}[{place}]"), number, expected);
        }
        kind
    };
    numbers.iter().enumerate().filter_map(kind).collect()
}

/// Asks for the users after one.
pub(super) fn token_of_user(user: UserNumber) -> String {
    pages::token(&format!("u{}", user.0))
}

/// The user that a page begins after; `None` for the first.
pub(super) fn after_user(token: &str, found: &mut Violations) -> Option<UserNumber> {
    pages::read(token, found, |text| text.strip_prefix('u')?.parse().ok().map(UserNumber))
}

/// Asks for the books after a place.
pub(super) fn token_of_book((time_ms, recorded_ms, item): Place) -> String {
    let time_ms = time_ms.map(|time_ms| time_ms.to_string()).unwrap_or_default();
    pages::token(&format!("b{time_ms}.{recorded_ms}.{}", item.0))
}

/// The place that a page begins after; `None` for the first.
pub(super) fn after_book(token: &str, found: &mut Violations) -> Option<Place> {
    pages::read(token, found, |text| {
        let mut parts = text.strip_prefix('b')?.split('.');
        let time_ms = match parts.next()? {
            "" => None,
            text => Some(text.parse().ok()?),
        };
        let recorded_ms = parts.next()?.parse().ok()?;
        Some((time_ms, recorded_ms, ItemNumber(parts.next()?.parse().ok()?)))
    })
}

/// A user in short, as the contract has it.
pub(super) fn summary(generation: &Generation, user: &Summary) -> UserSummary {
    let favourites = user.favourites.iter().map(|slug| categories::find(generation, slug));
    UserSummary {
        user_id: user.id.clone(),
        // At most as many as events are read.
        book_count: user.books as i32,
        last_event_time: user.last_ms.map(time::timestamp),
        favourite_categories: favourites.map(|one| category::to_message(&one)).collect(),
        simulated: user.is_simulated,
    }
}
