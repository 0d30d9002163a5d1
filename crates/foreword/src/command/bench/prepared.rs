//! Stores of made-up users with a model of all that is in them. They stay where they are made.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::Result;
use evaluation::load::Process;
use serde::Serialize;
use server::data_folder::DataFolder;
use server::made_up;
use server::progress::Progress;
use server::settings::Settings;
use server::train::{TrainError, train};

/// What it took.
#[derive(Serialize)]
pub(super) struct Prepared {
    /// Of the database, tables and indexes.
    pub(super) store_bytes: u64,
    /// Events that were written this time.
    pub(super) events_filled: u64,
    pub(super) fill_seconds: f64,
    /// `None` if the model was there.
    pub(super) train_seconds: Option<f64>,
    /// The most memory of this process up to the end of that: a training holds what it learns from.
    pub(super) train_peak_bytes: Option<u64>,
}

impl Prepared {
    /// Events that were written in a second, if any were.
    pub(super) fn filled_a_second(&self) -> Option<f64> {
        (self.events_filled > 0).then(|| self.events_filled as f64 / self.fill_seconds)
    }
}

/// Fills a store up to so many events, and trains where the model is not of all that is in it, so
/// that no service begins by that. `None` if it was told to stop.
pub(super) async fn prepare(
    data: &DataFolder,
    settings: &Settings,
    events: u64,
    progress: &Arc<dyn Progress>,
    cancelled: &Arc<AtomicBool>,
) -> Result<Option<Prepared>> {
    let store = data.store(settings).await?;
    let before = store.revisions().await?.event_changes;
    let began = Instant::now();
    made_up::fill(&store, events, &**progress, cancelled).await?;
    let fill_seconds = began.elapsed().as_secs_f64();
    let filled = store.revisions().await?.event_changes.saturating_sub(before);
    let models = data.models()?;
    let (mut train_seconds, mut train_peak_bytes) = (None, None);
    let is_cancelled = || cancelled.load(Ordering::Relaxed);
    if !is_cancelled() && !made_up::is_learnt(&store, &models).await? {
        let began = Instant::now();
        match train(&store, &models, settings, progress, cancelled).await {
            Err(TrainError::Cancelled) => {}
            trained => drop(trained?),
        }
        train_seconds = Some(began.elapsed().as_secs_f64());
        let usage = Process(std::process::id()).usage().ok();
        train_peak_bytes = usage.map(|usage| usage.resident_peak_bytes);
    }
    let store_bytes = store.size_bytes().await?;
    store.close().await;
    let events_filled = filled.unsigned_abs();
    let prepared =
        Prepared { store_bytes, events_filled, fill_seconds, train_seconds, train_peak_bytes };
    Ok((!is_cancelled()).then_some(prepared))
}
