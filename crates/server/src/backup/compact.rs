//! Giving back the room of what was deleted.

use std::pin::pin;
use std::sync::Arc;

use serde::Serialize;
use storage::Store;

use super::error::BackupError;
use super::unless;
use crate::progress::{Progress, Unit};

/// What compacting did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Compacted {
    /// The size of the database before.
    pub bytes_before: u64,
    /// And after.
    pub bytes_after: u64,
}

/// Rewrites the database so that nothing is left of what was deleted, nor the room that it took.
/// See [`Store::compact`] for what that costs, and what others wait for.
///
/// # Errors
///
/// [`BackupError::Store`], and [`BackupError::Interrupted`]: what was deleted may be there still.
pub async fn compact(
    store: &Store,
    progress: Arc<dyn Progress>,
    stop: impl Future<Output = ()>,
) -> Result<Compacted, BackupError> {
    let stop = pin!(stop);
    let bytes_before = store.size_bytes().await?;
    progress.begin("compacting", None, Unit::Count);
    let compacted = unless(stop, async { Ok(store.compact().await?) }).await;
    progress.end();
    compacted?;
    Ok(Compacted { bytes_before, bytes_after: store.size_bytes().await? })
}
