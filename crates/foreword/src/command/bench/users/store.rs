//! Stores of made-up users, which stay where they are made.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use evaluation::load::put_out_of_memory;
use serde::Serialize;
use server::data_folder::DataFolder;
use server::made_up;
use server::progress::Unit;
use server::train::{TrainError, train};
use tokio::runtime::Handle;

use super::Bench;
use crate::figures;

/// A store with a model of all that is in it.
pub(super) struct Kept {
    pub(super) data: DataFolder,
    /// The model's file.
    pub(super) model: PathBuf,
}

/// What there is, and what it took.
#[derive(Serialize)]
pub(super) struct Filled {
    pub(super) users: u32,
    pub(super) events: u64,
    pub(super) books: u32,
    /// Of the database, tables and indexes.
    pub(super) store_bytes: u64,
    pub(super) model_bytes: u64,
    /// Events that were written this time.
    pub(super) events_filled: u64,
    pub(super) fill_seconds: f64,
    /// `None` if the model was there.
    pub(super) train_seconds: Option<f64>,
}

impl Bench {
    /// Makes a store where it is missing, and trains where the model is not of all that is in it.
    /// `None` if it was told to stop.
    pub(super) fn fill(&self, users: u32) -> Result<Option<(Kept, Filled)>> {
        Handle::current().block_on(self.fill_and_train(users))
    }

    async fn fill_and_train(&self, users: u32) -> Result<Option<(Kept, Filled)>> {
        let name = match self.settings.store.is_in_folder() {
            true => format!("{users}-users"),
            false => "replica".to_owned(),
        };
        let data = DataFolder::new(&self.arguments.folder.join(name));
        let store = data.store(&self.settings).await?;
        let (events, before) = (made_up::events(users), store.user_count().await?);
        ensure!(
            before <= users.into(),
            "the store has {} already; take another one, or as many with --users",
            figures::counted(before, "user")
        );
        let began = Instant::now();
        made_up::fill(&store, events, &*self.progress, &self.cancelled).await?;
        let fill_seconds = began.elapsed().as_secs_f64();
        let models = data.models()?;
        let mut train_seconds = None;
        if !self.is_cancelled() && !made_up::is_learnt(&store, &models).await? {
            let began = Instant::now();
            match train(&store, &models, &self.settings, &self.progress, &self.cancelled).await {
                Err(TrainError::Cancelled) => {}
                trained => drop(trained?),
            }
            train_seconds = Some(began.elapsed().as_secs_f64());
        }
        let store_bytes = store.size_bytes().await?;
        self.progress.begin("closing the store", None, Unit::Count);
        store.close().await;
        self.progress.end();
        if self.is_cancelled() {
            return Ok(None);
        }
        let version = models.active()?.context("the store has no model")?;
        let model = models.path(version);
        let model_bytes = model.metadata().map(|file| file.len()).context("no model's file")?;
        let filled = Filled {
            users,
            events,
            books: made_up::BOOKS,
            store_bytes,
            model_bytes,
            events_filled: events - made_up::events(u32::try_from(before).unwrap_or(users)),
            fill_seconds,
            train_seconds,
        };
        Ok(Some((Kept { data, model }, filled)))
    }
}

impl Kept {
    /// Has the database's file read from its disk again; whether that could be.
    pub(super) fn put_out_of_memory(&self) -> bool {
        put_out_of_memory(&self.data.path().join(server::data_folder::DATABASE_FILE)).is_ok()
    }
}
