//! Users as a whole: exported, deleted, merged.

use std::sync::Arc;

use recommender::UserNumber;
use storage::{Committed, EventId, Merged, NewImpression, Store, StoreError, StoredEvent};

/// How many events are read at once.
const PAGE: u32 = 1_000;

/// A user's events and impressions, read a page at a time.
#[derive(Debug)]
pub struct Export {
    store: Store,
    user: UserNumber,
    next: Next,
}

/// What comes next.
#[derive(Clone, Copy, Debug)]
enum Next {
    Merged,
    Events(Option<EventId>),
    Impressions(Option<EventId>),
    Nothing,
}

/// Some of what is stored of a user.
#[derive(Clone, Debug, PartialEq)]
pub enum Exported {
    /// The ids of users who were merged into this one.
    Merged(Vec<String>),
    /// Events, by id.
    Events(Vec<StoredEvent>),
    /// Impressions, by id.
    Impressions(Vec<NewImpression>),
}

impl Export {
    /// Everything that is stored of a user; `None` if the shop does not know them.
    ///
    /// # Errors
    ///
    /// As every method of [`Store`] that reads.
    pub async fn of(store: &Store, id: &str) -> Result<Option<Self>, StoreError> {
        let user = store.user_number(id).await?;
        let export = |user| Self { store: store.clone(), user, next: Next::Merged };
        Ok(user.map(export))
    }

    /// The next part; `None` at the end. Each is of one moment, two may be of two.
    ///
    /// # Errors
    ///
    /// As every method of [`Store`] that reads.
    pub async fn next(&mut self) -> Result<Option<Exported>, StoreError> {
        let (part, next) = match self.next {
            Next::Merged => {
                let ids = self.store.merged_user_ids(self.user).await?;
                (Exported::Merged(ids), Next::Events(None))
            }
            Next::Events(after) => {
                let events = self.store.stored_events(self.user, after, PAGE).await?;
                let next = match events.last() {
                    Some(last) => Next::Events(Some(last.event.event_id)),
                    None => Next::Impressions(None),
                };
                (Exported::Events(events), next)
            }
            Next::Impressions(after) => {
                let shown = self.store.stored_impressions(self.user, after, PAGE).await?;
                let next = match shown.last() {
                    Some(last) => Next::Impressions(Some(last.event_id)),
                    None => Next::Nothing,
                };
                (Exported::Impressions(shown), next)
            }
            Next::Nothing => return Ok(None),
        };
        self.next = next;
        Ok(Some(part))
    }
}

/// Deletes everything of a user; returns how many events that were, or `None` if the shop does not
/// know the user.
///
/// # Errors
///
/// [`StoreError::MergedBefore`] for the id of somebody who was merged into another: what was theirs
/// cannot be told from the other's any more, who would be deleted. Otherwise as every method of
/// [`Writer`](storage::Writer).
pub async fn delete(store: &Store, id: &str) -> Result<Option<u64>, StoreError> {
    let mut writer = store.begin().await?;
    let Some(user) = store.user_number(id).await? else {
        writer.rollback().await?;
        return Ok(None);
    };
    if store.user_ids(&[user]).await? != [Some(id.to_owned())] {
        let merged = writer.assign_users(&[id]).await?;
        writer.rollback().await?;
        return Err(StoreError::MergedBefore { user: merged[0], into: user });
    }
    let deleted = writer.delete_user(user).await?;
    writer.commit().await?;
    Ok(Some(deleted))
}

/// What a merge did.
#[derive(Clone, Debug)]
pub struct Merge {
    /// What became of the events.
    pub merged: Merged,
    /// The ids of both users.
    pub ids: [Arc<str>; 2],
    /// Who was merged, and who has everything since.
    pub users: [UserNumber; 2],
    /// Its commit.
    pub committed: Committed,
}

/// Gives everything of one user to another.
///
/// # Errors
///
/// As [`Writer::merge_users`](storage::Writer::merge_users).
pub async fn merge(store: &Store, source: &str, target: &str) -> Result<Merge, StoreError> {
    let mut writer = store.begin().await?;
    let numbers = writer.assign_users(&[source, target]).await?;
    let merged = writer.merge_users(numbers[0], numbers[1]).await?;
    let last = writer.resolve_users(&[target]).await?;
    let committed = writer.commit().await?;
    let ids = [source.into(), target.into()];
    Ok(Merge { merged, ids, users: [numbers[0], last[0].number], committed })
}
