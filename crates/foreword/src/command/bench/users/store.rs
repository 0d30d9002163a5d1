//! A store for each size, which stays where it is made.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use evaluation::load::put_out_of_memory;
use serde::Serialize;
use server::data_folder::{DATABASE_FILE, DataFolder};
use server::made_up;
use tokio::runtime::Handle;

use super::Bench;
use crate::command::bench::prepared::{Prepared, prepare};
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
    books: u32,
    pub(super) model_bytes: u64,
    #[serde(flatten)]
    pub(super) prepared: Prepared,
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
        self.check_size(&data, users).await?;
        let events = made_up::events(users);
        let (progress, cancelled) = (&self.progress, &self.cancelled);
        let prepared = prepare(&data, &self.settings, events, progress, cancelled).await?;
        let Some(prepared) = prepared else { return Ok(None) };
        let models = data.models()?;
        let model = models.path(models.active()?.context("the store has no model")?);
        let model_bytes = model.metadata().map(|file| file.len()).context("no model's file")?;
        let filled = Filled { users, events, books: made_up::BOOKS, model_bytes, prepared };
        Ok(Some((Kept { data, model }, filled)))
    }

    /// A store can grow, and not shrink.
    async fn check_size(&self, data: &DataFolder, users: u32) -> Result<()> {
        let store = data.store(&self.settings).await?;
        let there = store.user_count().await;
        store.close().await;
        let there = there?;
        ensure!(
            there <= users.into(),
            "the store has {} already; take another one, or as many with --users",
            figures::counted(there, "user")
        );
        Ok(())
    }
}

impl Kept {
    /// Has the database's file read from its disk again; whether that could be.
    pub(super) fn put_out_of_memory(&self) -> bool {
        put_out_of_memory(&self.data.path().join(DATABASE_FILE)).is_ok()
    }
}
