//! Commits on their way into the cache; see [`histories`](super) for why it is exact.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};

use recommender::UserNumber;
use storage::{Revisions, UserRevision};

use super::kept::{Kept, Lead, NOTHING};
use super::striped::Cleared;
use super::{Change, History};
use crate::users::Merge;

/// How far commits were taken up.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Up to this revision all were; none before somebody follows the store.
    known: Option<i64>,
    /// Of those beyond, these.
    ours: Range<i64>,
    /// How often users were removed.
    removals: i64,
}

/// What a commit of this process did.
#[derive(Debug, Default)]
pub(crate) struct Group {
    /// The events' revision after it.
    pub(crate) revision: i64,
    /// How many users have that revision since; 0 if it is another's.
    pub(crate) users_touched: u64,
    /// Where each id leads that it named.
    pub(crate) ids: Vec<(Arc<str>, UserNumber)>,
    /// What it did to whom.
    pub(crate) changes: HashMap<UserNumber, Change>,
}

impl From<Merge> for Group {
    fn from(merge: Merge) -> Self {
        Self {
            revision: merge.committed.events_revision,
            users_touched: merge.committed.users_touched,
            ids: merge.ids.into_iter().map(|id| (id, merge.users[1])).collect(),
            changes: merge.users.into_iter().map(|user| (user, Change::gone())).collect(),
        }
    }
}

/// What is dropped off the async threads.
pub(super) type Dropped = (Cleared<Arc<str>, Lead>, Cleared<UserNumber, Arc<History>>);

impl Kept {
    /// Takes up a commit of this process, before anybody is told of it. Waits for others who do,
    /// and so is nothing for async threads.
    pub(super) fn take_up(&self, group: Group) {
        let mut progress = self.progress();
        let Group { revision, users_touched, ids, changes } = group;
        if progress.known.is_some() {
            for (id, number) in ids {
                self.put_lead(id, Lead { number, revision });
            }
        }
        let is_ours = users_touched > 0;
        let is_next = is_ours && progress.known.is_some_and(|known| known + 1 == revision);
        let is_all_known = is_next || progress.known.is_some_and(|known| known >= revision);
        for (user, change) in &changes {
            let has_all_before = match change {
                change if change.touches() => is_next,
                Change { is_repeated: true, .. } => is_all_known,
                // Impressions alone have nothing to miss.
                _ => true,
            };
            self.histories.change(user, |history| match history.revision >= revision && is_ours {
                true => Some(with_bytes(history)),
                false if has_all_before => {
                    let history = Arc::unwrap_or_clone(history);
                    let after = history.after(change, revision, self.events_max)?;
                    Some(with_bytes(Arc::new(after)))
                }
                false => None,
            });
        }
        if is_ours {
            progress.add_own(revision);
            self.publish(&progress);
        }
    }

    /// Takes up what others committed: these users were touched up to the revision of the shop's
    /// row, which was read before them. Nothing for async threads, as above.
    pub(super) fn take_up_users(&self, users: &[UserRevision], revisions: &Revisions) {
        let mut progress = self.progress();
        for touched in users {
            self.histories.change(&touched.user, |history| {
                (history.revision >= touched.revision).then(|| with_bytes(history))
            });
        }
        progress.add_all(revisions.events);
        self.publish(&progress);
    }

    /// Forgets everything, with `known` what the shop's row says, which was read before. Nothing
    /// for async threads, and neither is what it returns.
    pub(super) fn forget_all(&self, revisions: &Revisions) -> Dropped {
        let mut progress = self.progress();
        let dropped = self.clear();
        *progress = Progress {
            known: Some(revisions.events),
            ours: Range::default(),
            removals: revisions.removals,
        };
        self.publish(&progress);
        dropped
    }

    /// Forgets everything; what is being read just now is not kept either. Nothing for async
    /// threads, as above.
    pub(super) fn clear(&self) -> Dropped {
        (self.users.clear(), self.histories.clear())
    }

    /// How often users were removed, as far as that is taken up.
    pub(super) fn removals(&self) -> i64 {
        self.progress().removals
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells readers how far it is. After the cache was changed, so that whoever sees the number
    /// sees the changes.
    fn publish(&self, progress: &Progress) {
        self.known.store(progress.known.unwrap_or(NOTHING), Ordering::Release);
    }
}

impl Progress {
    /// A commit of ours was taken up.
    fn add_own(&mut self, revision: i64) {
        if self.ours.end == revision && !self.ours.is_empty() {
            self.ours.end += 1;
        } else {
            self.ours = revision..revision + 1;
        }
        self.go_on();
    }

    /// All commits up to this one were.
    fn add_all(&mut self, revision: i64) {
        self.known = self.known.max(Some(revision));
        self.go_on();
    }

    /// Ours that follow on what is known are known as well.
    fn go_on(&mut self) {
        if let Some(known) = &mut self.known
            && self.ours.contains(&(*known + 1))
        {
            *known = self.ours.end - 1;
        }
    }
}

fn with_bytes(history: Arc<History>) -> (Arc<History>, usize) {
    let bytes = history.bytes();
    (history, bytes)
}
