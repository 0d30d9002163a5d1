//! The store: many readers, one writer at a time, in a database behind it.
//!
//! Readers never wait for the writer nor the writer for readers, in this process or another. A
//! commit is durable when it returns.

use std::fmt;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::backend::{self, Backend};
use crate::error::StoreError;
use crate::postgres;
use crate::postgres::models::DatabaseModels;
use crate::postgres::url::DatabaseUrl;
use crate::sqlite;
use crate::writer::Writer;

/// The file of a store, inside its folder.
pub const FILE_NAME: &str = "foreword.db";

/// The limits of a store in a folder.
#[derive(Clone, Debug)]
pub struct StoreSettings {
    /// How many connections read at the same time.
    pub readers: NonZeroU32,
    /// How long to wait for another process that writes.
    pub busy_timeout: Duration,
    /// How long to wait for a connection of our own: a free reader or the writer.
    pub acquire_timeout: Duration,
    /// The page cache of each reader, in KiB.
    pub cache_kib: u32,
    /// The page cache of the writer, in KiB. An import in random order is fast as
    /// long as the whole file fits.
    pub writer_cache_kib: u32,
}

/// How much a store holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Books.
    pub books: u64,
    /// Users with events.
    pub users: u64,
    /// Events which were not retracted.
    pub events: u64,
    /// How many of these were simulated.
    pub simulated_events: u64,
}

/// What tells whether anything changed: the row of the shop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Revisions {
    /// Higher after every commit that stored, changed or deleted a book.
    pub catalogue: i64,
    /// Higher after every commit that touched a user's events, or merged two users. A user's own
    /// revision is this one, as the commit left it that last touched the user.
    pub events: i64,
    /// Higher after every commit that changed a rule.
    pub rules: i64,
    /// Higher after every commit that changed an API key.
    pub api_keys: i64,
    /// Higher after every commit that deleted a user: what was remembered of any may be of
    /// somebody who is gone.
    pub removals: i64,
    /// How many events were stored, retracted and deleted, ever; each counts once for each.
    pub event_changes: i64,
    /// Whether a simulated event was ever stored, even if it was retracted since.
    pub simulated: bool,
}

/// Books, users and events in a database. Cloning is cheap and shares the connections.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) backend: Arc<dyn Backend>,
}

/// News of commits to a store, by whichever process.
pub struct Notices {
    inner: Box<dyn backend::Notices>,
}

/// The lock of whoever trains on a store, among all processes; released by dropping it.
#[derive(Debug)]
pub struct TrainingTurn {
    lock: Box<dyn backend::HeldLock>,
}

impl Store {
    /// Opens `folder/foreword.db`, creating both and bringing the schema up to date.
    ///
    /// On Unix, what it creates is for its owner only; what exists keeps its mode.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`], [`NotADatabase`](StoreError::NotADatabase),
    /// [`ForeignDatabase`](StoreError::ForeignDatabase) or
    /// [`NewerSchema`](StoreError::NewerSchema): the file is then left as it was.
    /// [`StoreError::Busy`] if another process is creating or migrating it for too long.
    pub async fn open(folder: &Path, settings: &StoreSettings) -> Result<Self, StoreError> {
        let database = sqlite::Database::open(folder, settings).await?;
        Ok(Self { backend: Arc::new(database) })
    }

    /// Connects to a PostgreSQL database (15 or newer) and brings the schema `foreword` in it up
    /// to date; the rest of the database is left alone. Several processes may have it open.
    ///
    /// Of the settings, the sizes of caches are of no use here: the server has its own.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], also for a wrong password;
    /// [`Unsuitable`](StoreError::Unsuitable), [`ForeignSchema`](StoreError::ForeignSchema) or
    /// [`NewerSchema`](StoreError::NewerSchema): the database is then left as it was.
    /// [`StoreError::Busy`] if another process is migrating it for too long.
    pub async fn connect(url: &DatabaseUrl, settings: &StoreSettings) -> Result<Self, StoreError> {
        let database = postgres::Database::connect(url, settings).await?;
        Ok(Self { backend: Arc::new(database) })
    }

    /// Counts what it holds. Reads every event: a third of a second for two million.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`], [`StoreError::Closed`], [`StoreError::Unavailable`] or
    /// [`StoreError::Database`], as for every method that reads.
    pub async fn counts(&self) -> Result<Counts, StoreError> {
        self.backend.counts().await
    }

    /// What tells whether anything changed. Reads one row.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn revisions(&self) -> Result<Revisions, StoreError> {
        self.backend.revisions().await
    }

    /// Whether a simulated event was ever stored, even if it was retracted since. Reads one
    /// row.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn has_simulated_events(&self) -> Result<bool, StoreError> {
        Ok(self.revisions().await?.simulated)
    }

    /// The catalogue's revision: higher after every commit that changed a book.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn catalogue_revision(&self) -> Result<i64, StoreError> {
        Ok(self.revisions().await?.catalogue)
    }

    /// Begins to write. There is one [`Writer`] at a time: this waits for the one
    /// before, in this process or another, but no longer than the settings say.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`] if it waited in vain.
    pub async fn begin(&self) -> Result<Writer, StoreError> {
        Writer::begin(self.backend.begin().await?).await
    }

    /// Gives notice of commits; `None` if the database cannot, and
    /// [`revisions`](Self::revisions) has to be asked.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn listen(&self) -> Result<Option<Notices>, StoreError> {
        Ok(self.backend.listen().await?.map(|inner| Notices { inner }))
    }

    /// Takes the turn to train; `None` if another process has it. A store in a folder always
    /// gives it: there, the [folder of models](crate::ModelFolder) has the lock.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn lock_training(&self) -> Result<Option<TrainingTurn>, StoreError> {
        Ok(self.backend.lock_training().await?.map(|lock| TrainingTurn { lock }))
    }

    /// The models in the database, which replicas share; `None` for a store in a folder: its
    /// models lie in a [folder](crate::ModelFolder) too.
    #[must_use]
    pub fn models_in_database(&self) -> Option<DatabaseModels> {
        self.backend.models()
    }

    /// Rewrites the database so that nothing is left of what was deleted, nor the room that it
    /// took. Takes some ten seconds a gigabyte, about twice the room of the database meanwhile,
    /// and the turn of the [`Writer`]: others wait for it as they would for a writer.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`] if a writer or reader did not end in time: what was deleted may then
    /// be there still. Otherwise as [`counts`](Self::counts).
    pub async fn compact(&self) -> Result<(), StoreError> {
        self.backend.compact().await
    }

    /// The bytes that the database takes, tables and indexes; logs come on top.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn size_bytes(&self) -> Result<u64, StoreError> {
        self.backend.size_bytes().await
    }

    /// Closes every connection, waiting for those in use. Everything afterwards
    /// fails with [`StoreError::Closed`].
    pub async fn close(&self) {
        self.backend.close().await;
    }
}

impl Notices {
    /// Waits for the next commit that changed something. It may say so without one, and does
    /// after a connection was lost and found, since notices may have been missed.
    ///
    /// # Errors
    ///
    /// As [`Store::counts`].
    pub async fn next(&mut self) -> Result<(), StoreError> {
        self.inner.next().await
    }
}

impl TrainingTurn {
    /// Asks whether it is still this process's turn: it is over once the connection to the
    /// database is lost. A training that goes on all the same must not publish its model.
    pub async fn is_held(&mut self) -> bool {
        self.lock.is_held().await
    }
}

impl fmt::Debug for Notices {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Notices").finish_non_exhaustive()
    }
}
