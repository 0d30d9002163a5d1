//! What a user did, book by book: a reader's library, and a reader in short.

use std::cmp::Reverse;
use std::collections::HashMap;

use recommender::history::collapse;
use recommender::model::Liked;
use recommender::{Event, EventKind, EventWeights, ItemNumber, UserNumber};
use storage::{EventOrigin, HistoryEvent, Store, StoreError};

use crate::generation::Generation;
use crate::recommend::favourites;

/// How many of a user's events are looked at for their library, the latest.
const LIBRARY_EVENTS_MAX: u32 = 10_000;

/// How many categories a reader in short has.
const FAVOURITES: usize = 3;

/// A book with what a user did to it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct UserBook {
    /// The book.
    pub(crate) item: ItemNumber,
    /// Of each kind the latest event; the latest first. At least one.
    pub(crate) actions: Vec<HistoryEvent>,
}

/// Where a book stands in a library: when something was last done to it, and its number.
pub(crate) type Place = (Option<i64>, i64, ItemNumber);

/// Which books of a library are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kinds {
    /// Something of one of these kinds was done to them; empty: whatever.
    pub(crate) any: Vec<EventKind>,
    /// Nothing of these kinds was.
    pub(crate) none: Vec<EventKind>,
}

/// A page of a library.
#[derive(Debug)]
pub(crate) struct Page {
    /// The books.
    pub(crate) books: Vec<UserBook>,
    /// Where the next page begins; `None` if there is none.
    pub(crate) next: Option<Place>,
    /// How many books there are on all pages.
    pub(crate) total: usize,
}

/// A user in short.
#[derive(Debug)]
pub(crate) struct Summary {
    /// The user's id.
    pub(crate) id: String,
    /// How many books they did something to.
    pub(crate) books: usize,
    /// When they did something last, in milliseconds since 1970, if known.
    pub(crate) last_ms: Option<i64>,
    /// The slugs of the categories that they like best, the best first.
    pub(crate) favourites: Vec<String>,
    /// Whether any of it is made up.
    pub(crate) is_simulated: bool,
}

impl UserBook {
    fn place(&self) -> Place {
        let latest = self.actions.first();
        let time_ms = latest.and_then(|event| event.time_ms);
        (time_ms, latest.map_or(0, |event| event.recorded_ms), self.item)
    }

    fn has(&self, kind: EventKind) -> bool {
        self.actions.iter().any(|event| event.kind == kind)
    }
}

/// The books of a user, what they did something to last first: from the first after a place, at most
/// `limit`. `None` if the shop does not know the user.
///
/// # Errors
///
/// As every method of [`Store`] that reads.
pub(crate) async fn page(
    store: &Store,
    user_id: &str,
    kinds: &Kinds,
    after: Option<Place>,
    limit: usize,
) -> Result<Option<Page>, StoreError> {
    let Some(user) = store.user_number(user_id).await? else { return Ok(None) };
    let mut books = by_book(store.history(user, LIBRARY_EVENTS_MAX).await?.events);
    books.retain(|book| kinds.any.is_empty() || kinds.any.iter().any(|kind| book.has(*kind)));
    books.retain(|book| !kinds.none.iter().any(|kind| book.has(*kind)));
    let total = books.len();
    books.retain(|book| after.is_none_or(|after| book.place() < after));
    let has_more = books.len() > limit;
    books.truncate(limit);
    let next = books.last().filter(|_| has_more).map(UserBook::place);
    Ok(Some(Page { books, next, total }))
}

/// What a user did to one book; `None` if nothing, or the shop does not know the user.
///
/// # Errors
///
/// As every method of [`Store`] that reads.
pub(crate) async fn book(
    store: &Store,
    user_id: &str,
    item: ItemNumber,
) -> Result<Option<UserBook>, StoreError> {
    let Some(user) = store.user_number(user_id).await? else { return Ok(None) };
    let events = store.history_of_book(user, item, LIBRARY_EVENTS_MAX).await?;
    Ok(by_book(events).pop())
}

/// Events, the newest first, by book: what came last first.
fn by_book(events: Vec<HistoryEvent>) -> Vec<UserBook> {
    let mut places: HashMap<ItemNumber, usize> = HashMap::new();
    let mut books: Vec<UserBook> = Vec::new();
    for event in events {
        let place = *places.entry(event.item).or_insert_with(|| {
            books.push(UserBook { item: event.item, actions: Vec::new() });
            books.len() - 1
        });
        if !books[place].has(event.kind) {
            books[place].actions.push(event);
        }
    }
    books.sort_by_key(|book| Reverse(book.place()));
    books
}

/// Users in short, by number from the first after one, at most `limit`; and whether others follow,
/// by the last of them. Of each user the latest `events_max` events are read.
///
/// # Errors
///
/// As every method of [`Store`] that reads.
pub(crate) async fn summaries(
    store: &Store,
    generation: &Generation,
    weights: &EventWeights,
    after: Option<UserNumber>,
    limit: u32,
    events_max: u32,
) -> Result<(Vec<Summary>, Option<UserNumber>), StoreError> {
    let mut users = store.users_after(after, limit + 1).await?;
    let has_more = users.len() > limit as usize;
    users.truncate(limit as usize);
    let numbers: Vec<UserNumber> = users.iter().map(|user| user.user).collect();
    let ids = store.user_ids(&numbers).await?;
    let mut summaries = Vec::with_capacity(numbers.len());
    for (user, id) in numbers.iter().zip(ids) {
        // Whoever was deleted in between has none.
        let Some(id) = id else { continue };
        let events = store.history(*user, events_max).await?.events;
        if !events.is_empty() {
            summaries.push(summary(generation, weights, id, &events));
        }
    }
    Ok((summaries, numbers.last().copied().filter(|_| has_more)))
}

fn summary(
    generation: &Generation,
    weights: &EventWeights,
    id: String,
    events: &[HistoryEvent],
) -> Summary {
    let history: Vec<Event> = events.iter().map(Event::from).collect();
    let evidence = collapse(&history, weights);
    let judged: Vec<Liked> = evidence
        .iter()
        .filter_map(|one| Some(Liked { item: generation.index_of(one.item)?, weight: one.weight }))
        .collect();
    Summary {
        id,
        books: evidence.len(),
        last_ms: events.iter().filter_map(|event| event.time_ms).max(),
        favourites: favourites::categories(generation, &judged, FAVOURITES, &[]),
        is_simulated: events.iter().any(|event| event.origin == EventOrigin::Simulated),
    }
}

#[cfg(test)]
mod tests {
    use storage::EventId;

    use super::*;

    fn event(item: u32, kind: EventKind, time_ms: Option<i64>) -> HistoryEvent {
        HistoryEvent {
            event_id: EventId::new(b"id").unwrap(),
            item: ItemNumber(item),
            kind,
            rating: None,
            time_ms,
            recorded_ms: 7,
            origin: EventOrigin::Client,
            attribution_token: None,
        }
    }

    #[test]
    fn of_each_book_the_latest_event_of_each_kind_is_there() {
        use EventKind::{Finish, Purchase, View};
        let events = vec![
            event(1, View, Some(9)),
            event(2, Finish, Some(8)),
            event(1, View, Some(7)),
            event(1, Purchase, Some(6)),
            event(3, View, None),
        ];
        let books = by_book(events);
        let told: Vec<(u32, Vec<_>)> = books
            .iter()
            .map(|book| {
                let actions = book.actions.iter().map(|event| (event.kind, event.time_ms));
                (book.item.0, actions.collect())
            })
            .collect();
        assert_eq!(
            told,
            [
                (1, vec![(View, Some(9)), (Purchase, Some(6))]),
                (2, vec![(Finish, Some(8))]),
                (3, vec![(View, None)]),
            ]
        );
    }
}
