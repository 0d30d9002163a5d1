//! What is known of a reader: from the store, or from the request itself.

use recommender::history::collapse;
use recommender::shelf::{self, ShelfSettings};
use recommender::{Event, EventKind, Evidence, ItemNumber, UserNumber};
use storage::Impression;

use super::seeds::{seed_of_day, seed_of_day_of_unknown};
use super::{Fallback, Fresh, Recommender};
use crate::clock::now_ms;
use crate::generation::Generation;
use crate::histories::Known;

/// What is known of a reader.
#[derive(Default)]
pub(super) struct KnownReader {
    /// Stands for the reader where popular books change places; `None` for nobody.
    pub(super) seed: Option<u64>,
    pub(super) evidence: Vec<Evidence>,
    /// Items that a history too long to be read as a whole settles as well.
    pub(super) settled: Vec<ItemNumber>,
    /// What the reader was shown.
    pub(super) shown: Vec<Impression>,
    pub(super) fallback: Option<Fallback>,
    /// The revision of the user that this reflects.
    pub(super) revision: i64,
    /// Whether it may be behind, since the store cannot be reached.
    pub(super) is_stale: bool,
}

/// More impressions of one book than this change nothing.
const COUNTED_MAX: u32 = 20;

impl Recommender {
    pub(super) async fn known_user(&self, id: &str, fresh: Fresh) -> KnownReader {
        let found = self.histories.of_id(id, fresh).await;
        let seed = match &found {
            Known::User { number, .. } => Some(seed_of_day(number.0.into())),
            Known::Nobody => Some(seed_of_day_of_unknown(id)),
            Known::Unavailable => None,
        };
        KnownReader { seed, ..self.weighed(found) }
    }

    pub(super) async fn known(&self, user: UserNumber, fresh: Fresh) -> KnownReader {
        self.weighed(self.histories.of_number(user, fresh).await)
    }

    /// What a history says of each book.
    fn weighed(&self, found: Known) -> KnownReader {
        let unknown = Some(Fallback::UnknownUser);
        match found {
            Known::User { history, revision, is_stale, .. } => KnownReader {
                evidence: collapse(&history.events, &self.weights),
                settled: history.settled.clone(),
                shown: history.impressions.clone(),
                fallback: unknown.filter(|_| history.events.is_empty()),
                revision,
                is_stale,
                seed: None,
            },
            Known::Nobody => KnownReader { fallback: unknown, ..KnownReader::default() },
            Known::Unavailable => KnownReader {
                fallback: Some(Fallback::StoreUnavailable),
                is_stale: true,
                ..KnownReader::default()
            },
        }
    }

    pub(super) fn known_inline(
        &self,
        generation: &Generation,
        history: &[(String, Event)],
    ) -> KnownReader {
        let events: Vec<Event> = history
            .iter()
            .filter_map(|(id, event)| {
                let index = generation.index_of_id(id)?;
                Some(Event { item: generation.book(index)?.number, ..*event })
            })
            .collect();
        let nobody = history.is_empty().then_some(Fallback::UnknownUser);
        let evidence = collapse(&events, &self.weights);
        KnownReader { evidence, fallback: nobody, ..KnownReader::default() }
    }
}

/// What the reader was shown and did nothing about, as the step that goes by it takes it.
///
/// Of a book only the latest of its impressions is known by its time: all count as if they had
/// been then.
pub(super) fn impressions(
    known: &KnownReader,
    steps: &ShelfSettings,
    index: impl Fn(ItemNumber) -> Option<u32>,
) -> Vec<shelf::Impression> {
    if steps.impressions.is_none() {
        return Vec::new();
    }
    let now_ms = now_ms();
    let is_ignored = |shown: &&Impression| {
        known.evidence.binary_search_by_key(&shown.item, |one| one.item).is_err()
    };
    let counted = |shown: &Impression| {
        let age_ms = now_ms.saturating_sub(shown.last_ms);
        let impression = shelf::Impression { item: index(shown.item)?, age_ms };
        Some(std::iter::repeat_n(impression, shown.times.min(COUNTED_MAX) as usize))
    };
    known.shown.iter().filter(is_ignored).filter_map(counted).flatten().collect()
}

/// The books that the reader has, and those that are not to be shown to them again.
///
/// Of a series the volume after the last that they have comes next, so a book that they only
/// wish for, put into the cart, refused or gave back is settled and not had. Of what is too old
/// to be read only that it is settled is known, and most of that was bought or rated: it counts
/// as had.
pub(super) fn had_and_settled(known: &KnownReader) -> (Vec<ItemNumber>, Vec<ItemNumber>) {
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
            let known = KnownReader { evidence, settled, ..KnownReader::default() };
            let (had, settled) = had_and_settled(&known);
            assert_eq!(had.contains(&ItemNumber(7)), is_had, "{events:?}");
            assert_eq!(settled.contains(&ItemNumber(7)), is_settled, "{events:?}");
            assert!(had.contains(&ItemNumber(3)) && settled.contains(&ItemNumber(3)));
        }
    }
}
