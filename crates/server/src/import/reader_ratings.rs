//! What becomes of a rating in a Goodreads export if earlier exports were imported too.
//!
//! An export has the reader's current rating of a book, and does not say when it was
//! given. So it takes the place of the one from an earlier export, whatever their dates.
//! Ids of retracted events stay taken; after five stars, one star, and five stars again,
//! the third rating needs an id that neither of the others has. So an id is made of the
//! rating, and of the id of the event that it replaces.

use std::collections::HashMap;

use recommender::{EventKind, ItemNumber, Rating};
use storage::{EventId, EventOrigin, HistoryEvent, Store, StoreError};
use xxhash_rust::xxh3::xxh3_128;

use super::event_id::event_id;
use super::goodreads::book_key;
use super::sink::{BookKey, ReadEvent, ReadId};

/// How the id of a rating from Goodreads begins: a shop's own import of a rating of the
/// same book stays.
const ID_HEAD: &[u8] = b"goodreads ";

/// How many of a reader's events are looked at, far more than anybody has.
const HISTORY_EVENTS_MAX: u32 = 1_000_000;

/// The ratings of one reader that came from Goodreads.
#[derive(Default)]
pub(super) struct ReaderRatings {
    /// From exports before this one, newest first.
    earlier: HashMap<ItemNumber, Vec<HistoryEvent>>,
    /// From this one.
    current: HashMap<ItemNumber, EventId>,
}

impl ReaderRatings {
    /// Reads what the store has from this user.
    pub(super) async fn of(store: &Store, user: &str) -> Result<Self, StoreError> {
        let mut ratings = Self::default();
        let Some(number) = store.user_number(user).await? else { return Ok(ratings) };
        for event in store.history(number, HISTORY_EVENTS_MAX).await?.events {
            if is_from_goodreads(user, &event) {
                ratings.earlier.entry(event.item).or_default().push(event);
            }
        }
        Ok(ratings)
    }

    /// The event that an export's rating is. The same one as before if it did not
    /// change; of several rows of one book, the first one counts.
    pub(super) fn event(
        &mut self,
        user: &str,
        item: ItemNumber,
        rating: Rating,
        time_ms: Option<i64>,
    ) -> ReadEvent {
        let mut replaces = Vec::new();
        let id = *self.current.entry(item).or_insert_with(|| {
            let earlier = self.earlier.remove(&item).unwrap_or_default();
            let is_same =
                |event: &&HistoryEvent| event.rating == Some(rating) && event.time_ms == time_ms;
            let id = match earlier.iter().find(is_same) {
                Some(same) => same.event_id,
                None => {
                    let last = earlier.first().map(|event| event.event_id);
                    rating_id(user, item, rating, time_ms, last)
                }
            };
            replaces.extend(earlier.iter().map(|event| event.event_id).filter(|old| *old != id));
            id
        });
        ReadEvent {
            user: user.to_owned(),
            book: BookKey::Number(item),
            event_id: ReadId::Made(id),
            kind: EventKind::Rating,
            rating: Some(rating),
            time_ms,
            replaces,
        }
    }
}

fn is_from_goodreads(user: &str, event: &HistoryEvent) -> bool {
    // Until replacing was known, ratings had the ids that all other imported events have.
    let plain = || event_id(user, &book_key(event.item), EventKind::Rating, event.time_ms);
    event.kind == EventKind::Rating
        && event.origin == EventOrigin::Import
        && (event.event_id.as_bytes().starts_with(ID_HEAD) || event.event_id == plain())
}

fn rating_id(
    user: &str,
    item: ItemNumber,
    rating: Rating,
    time_ms: Option<i64>,
    replaced: Option<EventId>,
) -> EventId {
    let plain = event_id(user, &book_key(item), EventKind::Rating, time_ms);
    let replaced = replaced.as_ref().map_or(&[][..], EventId::as_bytes);
    let bytes = [plain.as_bytes(), &[rating.half_stars()], replaced].concat();
    let id = [ID_HEAD, &xxh3_128(&bytes).to_be_bytes()].concat();
    EventId::new(&id).expect("26 bytes are an id")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUNE: ItemNumber = ItemNumber(7);

    fn stored(event: &ReadEvent) -> HistoryEvent {
        HistoryEvent {
            event_id: event.event_id.id(),
            item: DUNE,
            kind: event.kind,
            rating: event.rating,
            time_ms: event.time_ms,
            recorded_ms: 0,
            origin: EventOrigin::Import,
            attribution_token: None,
        }
    }

    #[test]
    fn a_rating_that_comes_back_has_an_id_of_its_own() {
        let mut ids: Vec<EventId> = Vec::new();
        let mut last: Option<HistoryEvent> = None;
        for half_stars in [10, 2, 10, 2, 10] {
            let rating = Rating::from_half_stars(half_stars).unwrap();
            let earlier = last.iter().map(|event| (DUNE, vec![event.clone()])).collect();
            let mut ratings = ReaderRatings { earlier, current: HashMap::new() };
            let event = ratings.event("ann", DUNE, rating, None);
            let replaced: Vec<EventId> = last.iter().map(|event| event.event_id).collect();
            assert_eq!(event.replaces, replaced);
            assert!(!ids.contains(&event.event_id.id()));
            assert!(is_from_goodreads("ann", &stored(&event)));
            ids.push(event.event_id.id());
            last = Some(stored(&event));
        }
    }

    #[test]
    fn a_rating_from_a_version_that_did_not_replace_is_known_and_one_of_the_shop_is_not() {
        let rating = Rating::from_half_stars(10);
        let of = |event_id| HistoryEvent {
            event_id,
            item: DUNE,
            kind: EventKind::Rating,
            rating,
            time_ms: Some(1),
            recorded_ms: 0,
            origin: EventOrigin::Import,
            attribution_token: None,
        };
        let plain = |book: &str| of(event_id("ann", book, EventKind::Rating, Some(1)));
        assert!(is_from_goodreads("ann", &plain(&book_key(DUNE))));
        assert!(!is_from_goodreads("ann", &plain("7")));
        assert!(!is_from_goodreads("bob", &plain(&book_key(DUNE))));
    }
}
