//! The store's events, for commands that measure by them.

use anyhow::Result;
use server::data_folder::DataFolder;
use server::progress::Progress;
use server::settings::Settings;
use server::train::{Lessons, Span, TrainError, read_lessons_of};

use crate::signal::Stop;

/// Reads the events of a span as lessons; `None` if it was told to stop.
pub(super) async fn read(
    span: Span,
    data: &DataFolder,
    settings: &Settings,
    progress: &dyn Progress,
    stop: &Stop,
) -> Result<Option<Lessons>> {
    data.check_shop(settings)?;
    let store = data.store(settings).await?;
    let lessons = read_lessons_of(span, &store, settings, progress, &stop.flag).await;
    store.close().await;
    match lessons {
        Err(TrainError::Cancelled) => Ok(None),
        lessons => Ok(Some(lessons?)),
    }
}
