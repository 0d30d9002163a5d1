//! Following the store: what others commit is taken up within a second.
//!
//! Other processes write too: replicas on one database, and imports. Where the database gives
//! notice of commits they are taken up at once, else at the next look.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use storage::{Notices, Revisions, StoreError};

use super::Histories;
use super::kept::NOTHING;
use super::reach::ReachChange;
use crate::backoff::Backoff;
use crate::blocking::blocking;
use crate::users::Merge;

/// The longest time between two looks, so that a second is kept.
const LOOK_EVERY_AT_MOST: Duration = Duration::from_millis(500);

/// While the store is away, the longest time between two looks.
const LOOK_AGAIN_AT_MOST: Duration = Duration::from_secs(2);

/// A look may take this long.
const LOOK_PATIENCE: Duration = Duration::from_secs(5);

/// When more users than this were touched, forgetting all is less work.
const USERS_MAX: u32 = 20_000;

/// Why a look failed.
#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the store has not answered within {LOOK_PATIENCE:?}")]
    Late,
}

impl Histories {
    /// Follows the store until `stop` ends: looks at every `interval`, and whenever there is
    /// notice of a commit.
    pub(crate) async fn follow(
        self: &Arc<Self>,
        interval: Duration,
        stop: impl Future<Output = ()>,
    ) {
        let mut stop = pin!(stop);
        let interval = interval.min(LOOK_EVERY_AT_MOST);
        let mut backoff = Backoff::new(interval, LOOK_AGAIN_AT_MOST.max(interval));
        // Kept from look to look, so that the listener's own waits come to their end.
        let mut noticing: Option<Noticing> = None;
        loop {
            let began = Instant::now();
            let looked = tokio::time::timeout(LOOK_PATIENCE, self.look()).await;
            let looked = looked.map_err(|_| LookError::Late).and_then(|look| Ok(look?));
            let wait = match &looked {
                Ok(()) => {
                    backoff.reset();
                    if self.reach.found(began) == ReachChange::Yes {
                        tracing::info!("the store can be reached again");
                    }
                    interval
                }
                Err(error) => {
                    if self.reach.missed() == ReachChange::Yes {
                        tracing::error!(%error, "the store cannot be reached; answering from memory");
                    }
                    // The connection of the notices may be gone with it.
                    noticing = None;
                    backoff.next()
                }
            };
            if looked.is_ok() && noticing.is_none() {
                let listening = self.store.listen().await.unwrap_or_default();
                noticing = listening.map(|notices| noticed(notices).boxed());
            }
            tokio::select! {
                () = &mut stop => return,
                () = tokio::time::sleep(wait) => {}
                listening = next(&mut noticing) => {
                    noticing = listening.map(|notices| noticed(notices).boxed());
                }
            }
        }
    }

    /// Takes up what was committed since the last look.
    async fn look(self: &Arc<Self>) -> Result<(), StoreError> {
        let known = self.kept.known();
        let revisions = self.store.revisions().await?;
        // Fewer than were known: a copy was put in the store's place.
        let is_new = known == NOTHING || revisions.events < known;
        if is_new || revisions.removals != self.kept.removals() {
            return self.begin_anew(revisions).await;
        }
        // As far as our own commits have taken it up by now, there is nothing to be read.
        if revisions.events <= self.kept.known() {
            return Ok(());
        }
        // At once: each page of many would begin its search anew.
        let users = self.store.users_changed_after(known, None, USERS_MAX + 1).await?;
        if users.len() > USERS_MAX as usize {
            return self.begin_anew(revisions).await;
        }
        // Who was removed since is not among them.
        let after = self.store.revisions().await?;
        if after.removals != revisions.removals {
            return self.begin_anew(after).await;
        }
        let histories = Arc::clone(self);
        blocking(move || histories.kept.take_up_users(&users, &revisions)).await;
        Ok(())
    }

    /// Forgets everything; what is put in from now on is of these revisions or newer.
    async fn begin_anew(self: &Arc<Self>, revisions: Revisions) -> Result<(), StoreError> {
        let histories = Arc::clone(self);
        blocking(move || drop(histories.kept.forget_all(&revisions))).await;
        Ok(())
    }

    /// Takes up that this process merged users, before anybody is told of it.
    pub(crate) async fn take_up_merge(self: &Arc<Self>, merge: Merge) {
        let histories = Arc::clone(self);
        blocking(move || histories.take_up(merge.into())).await;
    }

    /// Takes up that users were removed by this process, before anybody is told of it.
    ///
    /// # Errors
    ///
    /// If the store cannot be read. What was known is forgotten all the same, and how far the store
    /// is, is taken up later.
    pub(crate) async fn take_up_removal(self: &Arc<Self>) -> Result<(), StoreError> {
        let histories = Arc::clone(self);
        blocking(move || drop(histories.kept.clear())).await;
        let revisions = self.store.revisions().await?;
        self.begin_anew(revisions).await
    }
}

/// Waits for notice of a commit; gives the listener back, unless it failed.
type Noticing = BoxFuture<'static, Option<Notices>>;

async fn noticed(mut notices: Notices) -> Option<Notices> {
    notices.next().await.is_ok().then_some(notices)
}

/// Goes on with a wait, for ever where there is none.
async fn next(noticing: &mut Option<Noticing>) -> Option<Notices> {
    match noticing {
        None => std::future::pending().await,
        Some(noticing) => noticing.await,
    }
}
