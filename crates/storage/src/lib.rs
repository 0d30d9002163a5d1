//! Books, users, events, API keys, rules and model snapshots: what outlives the process.
//!
//! Two halves that know nothing of each other:
//!
//! * [`Store`] keeps what the shop tells: books, users and events, the [API keys](ApiKey)
//!   of those who may ask, and the shop's own [rules](Rule), in a database.
//!   Many readers, one [`Writer`] at a time; what a writer committed is durable.
//! * [`ModelFolder`] keeps what training made of it: one immutable [`Snapshot`]
//!   file for each model version, and which of them is active.
//!
//! Users and items are the numbers of `recommender`; a shop's own ids become
//! numbers in [`Writer::assign_users`] and [`Writer::assign_items`], and ids again in
//! [`Store::user_ids`] and [`Store::item_ids`].
//!
//! ```
//! # use std::{num::NonZeroU32, time::Duration};
//! # use recommender::EventKind;
//! # use storage::{EventId, EventOrigin, NewEvent, Store, StoreSettings};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! # let settings = StoreSettings {
//! #     readers: NonZeroU32::MIN,
//! #     busy_timeout: Duration::from_secs(5),
//! #     acquire_timeout: Duration::from_secs(5),
//! #     cache_kib: 1024,
//! #     writer_cache_kib: 1024,
//! # };
//! let store = Store::open(folder, &settings).await?;
//!
//! let mut writer = store.begin().await?;
//! let users = writer.assign_users(&["ann"]).await?;
//! let items = writer.assign_items(&["9780441172719"]).await?;
//! let event = NewEvent {
//!     user: users[0],
//!     item: items[0],
//!     event_id: EventId::new(b"order 4711, line 1")?,
//!     kind: EventKind::Purchase,
//!     rating: None,
//!     time_ms: Some(1_700_000_000_000),
//!     recorded_ms: 1_700_000_000_123,
//!     origin: EventOrigin::Client,
//!     attribution_token: None,
//! };
//! assert_eq!(writer.append_events(&[event.clone()]).await?.stored, 1);
//! assert_eq!(writer.append_events(&[event]).await?.repeated, 1);
//! writer.commit().await?;
//!
//! assert_eq!(store.user_number("ann").await?, Some(users[0]));
//! assert_eq!(store.history(users[0], 100).await?.events.len(), 1);
//! # Ok(())
//! # }
//! ```

mod acceptance;
mod api_keys;
mod backend;
pub mod book;
mod books;
pub mod error;
pub mod event;
mod events;
mod history;
mod ids;
mod impressions;
#[cfg(test)]
mod migrations;
pub mod models;
mod postgres;
mod private;
mod reading;
mod record;
mod replicas;
mod restoring;
mod rows;
mod rules;
mod scan;
mod search;
pub mod snapshot;
mod sqlite;
mod stock;
mod store;
mod users;
mod writer;

pub use acceptance::Acceptance;
pub use api_keys::{API_KEYS_MAX, AddedApiKey, ApiKey, RevokedApiKey};
pub use book::{Book, BookError};
pub use books::PutBooks;
pub use error::StoreError;
pub use event::{EventId, EventOrigin, HistoryEvent, NewEvent, StoredEvent, TrainingEvent};
pub use events::Appended;
pub use history::{History, UserRevision};
pub use ids::IdSpace;
pub use impressions::{Impression, NewImpression};
pub use models::{ModelFolder, ModelFolderError, ModelVersion, TrainingLock};
pub use postgres::models::{DatabaseModels, DatabaseModelsError, StoredModel};
pub use postgres::url::{DatabaseUrl, DatabaseUrlError};
pub use reading::{ROWS_AT_ONCE_MAX, Reading, Schema};
pub use record::{Entry, Recorded};
pub use replicas::{Replica, replica_name};
pub use restoring::{RestoreError, Restoring};
pub use rows::{Row, RowChecks, RowError, RowKey, RowKind};
pub use rules::{
    DeletedRule, FACTOR_MAX, NOTE_BYTES_MAX, PLACE_MAX, RULES_MAX, Rule, RuleEffect, RuleTarget,
    Surface, Surfaces,
};
pub use search::QUERY_WORDS_MAX;
pub use snapshot::{
    Section, SectionBytes, Snapshot, SnapshotError, SnapshotHeader, write_snapshot,
};
pub use stock::{StockChange, StockMemory, StockOutcome};
pub use store::{Counts, FILE_NAME, Notices, Revisions, Store, StoreSettings, TrainingTurn};
pub use users::{Merged, ResolvedUser};
pub use writer::{Committed, Writer};
