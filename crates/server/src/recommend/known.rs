//! What is known of a reader: from the store, or from the request itself.

use recommender::history::collapse;
use recommender::id::own_number;
use recommender::{Event, EventKind, Evidence, ItemNumber, UserNumber};
use storage::StoreError;

use super::seeds::{seed_of_day, seed_of_day_of_unknown};
use super::{Fallback, Recommender};
use crate::generation::Generation;

/// What is known of a reader.
#[derive(Default)]
pub(super) struct Known {
    /// Stands for the reader where popular books change places; `None` for nobody.
    pub(super) seed: Option<u64>,
    pub(super) evidence: Vec<Evidence>,
    /// Items that a history too long to be read as a whole settles as well.
    pub(super) settled: Vec<ItemNumber>,
    pub(super) fallback: Option<Fallback>,
}

impl Recommender {
    pub(super) async fn known_user(&self, id: &str) -> Known {
        let number = match own_number(id) {
            Some(number) => Ok(Some(UserNumber(number))),
            None => self.store.user_number(id).await,
        };
        match number {
            Ok(Some(number)) => {
                Known { seed: Some(seed_of_day(number.0.into())), ..self.known(number).await }
            }
            Ok(None) => Known {
                seed: Some(seed_of_day_of_unknown(id)),
                fallback: Some(Fallback::UnknownUser),
                ..Known::default()
            },
            Err(error) => unreadable(&error),
        }
    }

    pub(super) async fn known(&self, user: UserNumber) -> Known {
        self.read(user).await.unwrap_or_else(|error| unreadable(&error))
    }

    async fn read(&self, user: UserNumber) -> Result<Known, StoreError> {
        let history = self.store.history(user, self.history_events_max).await?;
        if history.events.is_empty() {
            return Ok(Known { fallback: Some(Fallback::UnknownUser), ..Known::default() });
        }
        let events: Vec<Event> = history.events.iter().map(Event::from).collect();
        // What the newest events leave out may still hold books that the user has.
        let settled = if events.len() < self.history_events_max as usize {
            Vec::new()
        } else {
            self.store.settled_items(user).await?
        };
        let evidence = collapse(&events, &self.weights);
        Ok(Known { evidence, settled, ..Known::default() })
    }

    pub(super) fn known_inline(
        &self,
        generation: &Generation,
        history: &[(String, Event)],
    ) -> Known {
        let events: Vec<Event> = history
            .iter()
            .filter_map(|(id, event)| {
                let index = generation.index_of_id(id)?;
                Some(Event { item: generation.book(index)?.number, ..*event })
            })
            .collect();
        let nobody = history.is_empty().then_some(Fallback::UnknownUser);
        let evidence = collapse(&events, &self.weights);
        Known { evidence, fallback: nobody, ..Known::default() }
    }
}

fn unreadable(error: &StoreError) -> Known {
    tracing::warn!(%error, "history cannot be read; answering with popular books");
    Known { fallback: Some(Fallback::StoreUnavailable), ..Known::default() }
}

/// The books that the reader has, and those that are not to be shown to them again.
///
/// Of a series the volume after the last that they have comes next, so a book that they only
/// wish for, put into the cart, refused or gave back is settled and not had. Of what is too old
/// to be read only that it is settled is known, and most of that was bought or rated: it counts
/// as had.
pub(super) fn had_and_settled(known: &Known) -> (Vec<ItemNumber>, Vec<ItemNumber>) {
    let has = |one: &&Evidence| {
        use EventKind::{Abandon, Finish, Purchase, Rating};
        matches!(one.kind, Purchase | Finish | Rating | Abandon)
    };
    let item = |one: &Evidence| one.item;
    // Both are in the order of the numbers.
    let read = |old: &&ItemNumber| known.evidence.binary_search_by_key(*old, item).is_ok();
    let old = known.settled.iter().filter(|old| !read(old)).copied();
    let had = known.evidence.iter().filter(has).map(item).chain(old.clone());
    let settled = known.evidence.iter().filter(|one| one.settled).map(item).chain(old);
    (had.collect(), settled.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn only_books_that_the_reader_has_move_a_series_on() {
        let settings = Settings::read(None).unwrap();
        for (events, is_had, is_settled) in [
            (&[EventKind::View][..], false, false),
            (&[EventKind::WantToRead], false, true),
            (&[EventKind::Cart], false, true),
            (&[EventKind::Dismiss], false, true),
            (&[EventKind::Purchase, EventKind::Return], false, true),
            (&[EventKind::Purchase], true, true),
            (&[EventKind::WantToRead, EventKind::Finish], true, true),
            (&[EventKind::Rating], true, true),
            (&[EventKind::Purchase, EventKind::Abandon], true, true),
        ] {
            let event = |(time, kind): (usize, &EventKind)| Event {
                item: ItemNumber(7),
                kind: *kind,
                rating: None,
                time_ms: Some(time as i64),
            };
            let history: Vec<Event> = events.iter().enumerate().map(event).collect();
            let evidence = collapse(&history, &settings.weights.engine());
            // What was read says more than the list of what is settled.
            let settled: &[u32] = if is_settled { &[3, 7] } else { &[3] };
            let settled = settled.iter().copied().map(ItemNumber).collect();
            let known = Known { evidence, settled, ..Known::default() };
            let (had, settled) = had_and_settled(&known);
            assert_eq!(had.contains(&ItemNumber(7)), is_had, "{events:?}");
            assert_eq!(settled.contains(&ItemNumber(7)), is_settled, "{events:?}");
            assert!(had.contains(&ItemNumber(3)) && settled.contains(&ItemNumber(3)));
        }
    }
}
