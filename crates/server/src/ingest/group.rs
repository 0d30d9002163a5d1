//! One group of entries, written in one transaction.

use std::collections::{HashMap, HashSet};

use recommender::{Event, ItemNumber, UserNumber};
use storage::{
    Entry, EventOrigin, NewEvent, NewImpression, Recorded, ResolvedUser, Store, StoreError, Writer,
};

use super::queue::Submission;
use super::{NewEntry, What};
use crate::histories::Group;

/// How many entries are prepared and written between two awaits at most, so that no thread is
/// held for long.
const ENTRIES_A_TURN: usize = 1000;

/// What became of the entries of one call, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// The revision that has them.
    pub(crate) revision: i64,
    /// Each entry.
    pub(crate) entries: Vec<WrittenEntry>,
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WrittenEntry {
    /// What the store did.
    pub(crate) recorded: Recorded,
    /// Whether its user was not known before it.
    pub(crate) is_new_user: bool,
}

/// A group that is durable.
#[derive(Debug)]
pub(super) struct Durable {
    /// What became of each submission.
    pub(super) written: Vec<Written>,
    /// What it did to whom.
    pub(super) group: Group,
}

/// Writes submissions in their order and commits.
pub(super) async fn write(
    store: &Store,
    submissions: &[Submission],
    impressions_max: u64,
) -> Result<Durable, StoreError> {
    let mut writer = store.begin().await?;
    let (mut ids, mut seen, mut group) = (HashMap::new(), HashSet::new(), Group::default());
    let mut unknown = HashSet::new();
    let all: Vec<&NewEntry> = submissions.iter().flat_map(|one| &one.entries).collect();
    let mut written = Vec::with_capacity(all.len());
    for entries in all.chunks(ENTRIES_A_TURN) {
        let users = users(&mut writer, entries).await?;
        // Retractions have no book; a number that needs no row stands in for it.
        let books: Vec<&str> = entries.iter().map(|entry| entry.book_id().unwrap_or("1")).collect();
        let items = writer.assign_items(&books).await?;
        let of_users = entries.iter().zip(&users).zip(items);
        let rows: Vec<Entry> = of_users
            .filter_map(|((entry, user), item)| Some(row(entry, user.as_ref()?.number, item)))
            .collect();
        let mut recorded = rows.iter().zip(writer.record(&rows, impressions_max).await?);
        for (entry, user) in entries.iter().zip(users) {
            let done = user.and_then(|user| Some((user, recorded.next()?)));
            let Some((user, (row, recorded))) = done else {
                let is_new_user = unknown.insert(&*entry.user_id);
                written.push(WrittenEntry { recorded: Recorded::Unknown, is_new_user });
                continue;
            };
            ids.entry(&*entry.user_id).or_insert(user.number);
            note(&mut group, row, recorded);
            let is_told = unknown.contains(&*entry.user_id) || !seen.insert(user.number);
            let is_new_user = user.is_new && !is_told;
            written.push(WrittenEntry { recorded, is_new_user });
        }
    }
    let committed = writer.commit().await?;
    group.revision = committed.events_revision;
    group.users_touched = committed.users_touched;
    group.ids = ids.into_iter().map(|(id, number)| (id.into(), number)).collect();
    let mut rest = written.into_iter();
    let of_call = |submission: &Submission| Written {
        revision: committed.events_revision,
        entries: rest.by_ref().take(submission.entries.len()).collect(),
    };
    Ok(Durable { written: submissions.iter().map(of_call).collect(), group })
}

/// The users of these entries. A retraction makes nobody known: with nothing else of its user among
/// the entries, one who has no number gets none.
async fn users(
    writer: &mut Writer,
    entries: &[&NewEntry],
) -> Result<Vec<Option<ResolvedUser>>, StoreError> {
    let told = entries.iter().filter(|entry| entry.book_id().is_some());
    let told: HashSet<&str> = told.map(|entry| &*entry.user_id).collect();
    let mut retracting: Vec<&str> = entries.iter().map(|entry| &*entry.user_id).collect();
    retracting.retain(|id| !told.contains(id));
    let found = writer.find_users(&retracting).await?;
    let found = retracting.iter().zip(found).filter_map(|(id, number)| number.map(|_| *id));
    let known: HashSet<&str> = found.chain(told.iter().copied()).collect();
    let ids: Vec<&str> =
        entries.iter().map(|entry| &*entry.user_id).filter(|id| known.contains(id)).collect();
    let mut resolved = writer.resolve_users(&ids).await?.into_iter();
    let user =
        |entry: &&NewEntry| known.contains(&*entry.user_id).then(|| resolved.next()).flatten();
    Ok(entries.iter().map(user).collect())
}

impl NewEntry {
    /// The book that it is about.
    fn book_id(&self) -> Option<&str> {
        match &self.what {
            What::Event { book_id, .. } | What::Impression { book_id, .. } => Some(book_id),
            What::Retraction => None,
        }
    }
}

/// An entry as the store takes it.
fn row(entry: &NewEntry, user: UserNumber, item: ItemNumber) -> Entry {
    let event_id = entry.event_id;
    match &entry.what {
        What::Event { kind, rating, times, token, .. } => Entry::Event(NewEvent {
            user,
            item,
            event_id,
            kind: *kind,
            rating: *rating,
            time_ms: Some(times.happened_ms),
            recorded_ms: times.recorded_ms,
            origin: EventOrigin::Client,
            attribution_token: token.clone(),
        }),
        What::Impression { times, token, .. } => Entry::Impression(NewImpression {
            user,
            item,
            event_id,
            time_ms: times.happened_ms,
            recorded_ms: times.recorded_ms,
            attribution_token: token.clone(),
        }),
        What::Retraction => Entry::Retraction { user, event_id },
    }
}

/// Notes what an entry changed.
fn note(group: &mut Group, row: &Entry, recorded: Recorded) {
    match (row, recorded) {
        (Entry::Event(NewEvent { user, item, kind, rating, time_ms, .. }), Recorded::Stored) => {
            let (item, kind, rating, time_ms) = (*item, *kind, *rating, *time_ms);
            let event = Event { item, kind, rating, time_ms };
            group.changes.entry(*user).or_default().events.push(event);
        }
        (Entry::Impression(shown), Recorded::Stored) => {
            let change = group.changes.entry(shown.user).or_default();
            change.shown.push((shown.item, shown.time_ms));
        }
        (Entry::Retraction { user, .. }, Recorded::Retracted) => {
            group.changes.entry(*user).or_default().is_retracted = true;
        }
        (
            Entry::Event(NewEvent { user, .. }) | Entry::Retraction { user, .. },
            Recorded::Repeated | Recorded::Conflicting | Recorded::RetractedBefore,
        ) => group.changes.entry(*user).or_default().is_repeated = true,
        _ => {}
    }
}
