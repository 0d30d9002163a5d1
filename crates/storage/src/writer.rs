//! The writer: one transaction, from [`Store::begin`](crate::Store::begin) to its commit.
//!
//! What it writes is seen by nobody before the commit and by everybody after it.
//! Dropping it, or failing to commit, leaves the store as it was. After a method
//! failed in the database, or its future was dropped half-way, the writer refuses to
//! go on: half a batch is never committed.
//!
//! The revisions are read at the beginning and written at the end, once: nobody else can change
//! them in between.

use std::collections::BTreeSet;

use recommender::UserNumber;

use crate::backend::Transaction;
use crate::error::StoreError;
use crate::store::Revisions;

/// How many touched users a writer remembers before it writes their revisions down.
const TOUCHED_MAX: usize = 1 << 20;

/// One transaction on the store.
#[derive(Debug)]
pub struct Writer {
    pub(crate) transaction: Box<dyn Transaction>,
    /// As the transaction found them.
    before: Revisions,
    /// As they will be after the commit.
    revisions: Revisions,
    pub(crate) touched: BTreeSet<UserNumber>,
    touched_before: u64,
    /// Whether every change so far was made in full.
    whole: bool,
}

/// What a commit did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// How many users it touched.
    pub users_touched: u64,
    /// The revision of every user it touched, and of nobody else; if it touched none, that of
    /// the last commit that did.
    pub events_revision: i64,
    /// The catalogue's revision.
    pub catalogue_revision: i64,
}

impl Writer {
    pub(crate) async fn begin(mut transaction: Box<dyn Transaction>) -> Result<Self, StoreError> {
        let before = transaction.revisions().await?;
        Ok(Self {
            transaction,
            before,
            revisions: before,
            touched: BTreeSet::new(),
            touched_before: 0,
            whole: true,
        })
    }

    /// Commits. When this returns, everything is on disk and visible to every reader.
    ///
    /// The revision of each touched user is then the events' revision, which counts up by one.
    /// Touched is who got or lost an event, or was merged after they had one. A repeated event
    /// touches nobody, but in a batch of [`append_events`](Self::append_events) it may if its
    /// neighbours were new.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unfinished`] if a method of this writer failed or was abandoned
    /// half-way: nothing is committed then. [`StoreError::Unavailable`] or
    /// [`StoreError::Database`], for instance if the disk is full: it is not known then whether
    /// anything was, and doing it all again does no harm.
    pub async fn commit(mut self) -> Result<Committed, StoreError> {
        self.begin_change()?;
        let users_touched = self.touched_before + self.touched.len() as u64;
        self.write_touched().await?;
        if self.revisions != self.before {
            self.transaction.set_revisions(&self.revisions).await?;
        }
        self.transaction.commit().await?;
        Ok(Committed {
            users_touched,
            events_revision: self.revisions.events,
            catalogue_revision: self.revisions.catalogue,
        })
    }

    /// Takes everything back, and waits until that is done. Dropping the writer
    /// does the same without waiting.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`] if the connection is lost; then, too, nothing is kept.
    pub async fn rollback(self) -> Result<(), StoreError> {
        self.transaction.rollback().await
    }

    /// Whether a simulated event was ever stored, this writer's own included.
    #[must_use]
    pub fn has_simulated_events(&self) -> bool {
        self.revisions.simulated
    }

    /// Marks the beginning of a change which, if it fails or its future is dropped,
    /// leaves the transaction half-done.
    pub(crate) fn begin_change(&mut self) -> Result<(), StoreError> {
        if std::mem::replace(&mut self.whole, false) { Ok(()) } else { Err(StoreError::Unfinished) }
    }

    /// Marks the end of a change that was made in full.
    pub(crate) fn end_change(&mut self) {
        self.whole = true;
    }

    /// The catalogue's revision after the commit, if a book changes.
    pub(crate) fn next_catalogue_revision(&self) -> i64 {
        self.before.catalogue + 1
    }

    /// Remembers that a book changed; returns the catalogue's revision after the commit.
    pub(crate) fn touch_catalogue(&mut self) -> i64 {
        self.revisions.catalogue = self.next_catalogue_revision();
        self.revisions.catalogue
    }

    /// Remembers that a rule changed.
    pub(crate) fn touch_rules(&mut self) {
        self.revisions.rules = self.before.rules + 1;
    }

    /// Remembers that an API key changed.
    pub(crate) fn touch_api_keys(&mut self) {
        self.revisions.api_keys = self.before.api_keys + 1;
    }

    /// Remembers that users were deleted, and no longer that they were touched; returns the
    /// events' revision after the commit.
    pub(crate) fn remove(&mut self, users: &[UserNumber]) -> i64 {
        self.touched.retain(|user| !users.contains(user));
        self.revisions.removals = self.before.removals + 1;
        self.revisions.events = self.before.events + 1;
        self.revisions.events
    }

    /// Remembers that this many events were stored, retracted or deleted.
    pub(crate) fn count_changes(&mut self, changes: u64) {
        self.revisions.event_changes =
            self.revisions.event_changes.saturating_add_unsigned(changes);
    }

    /// Remembers that the shop has simulated events.
    pub(crate) fn mark_simulated(&mut self) {
        self.revisions.simulated = true;
    }

    /// Remembers that events of these users changed.
    pub(crate) async fn touch(
        &mut self,
        users: impl IntoIterator<Item = UserNumber>,
    ) -> Result<(), StoreError> {
        self.touched.extend(users);
        if !self.touched.is_empty() {
            self.revisions.events = self.before.events + 1;
        }
        if self.touched.len() > TOUCHED_MAX {
            self.touched_before += self.touched.len() as u64;
            self.write_touched().await?;
        }
        Ok(())
    }

    /// Writes down the revisions of the users remembered, and forgets them.
    async fn write_touched(&mut self) -> Result<(), StoreError> {
        let users: Vec<UserNumber> = std::mem::take(&mut self.touched).into_iter().collect();
        self.transaction.set_user_revisions(&users, self.revisions.events).await
    }
}
