//! What every test needs: a folder of files, a store, and what the store holds.

use std::future::pending;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use server::import::{ColumnNames, ImportError, ImportOptions, Report, Source, import};
use server::progress::Silent;
use storage::{Book, Counts, HistoryEvent, Store, StoreSettings, UserRevision};
use tempfile::TempDir;

/// 2023-11-14.
pub(crate) const NOW_MS: i64 = 1_700_000_000_000;

pub(crate) struct Scratch {
    folder: TempDir,
    pub(crate) store: Store,
}

/// Everything a failed import must leave as it was.
#[derive(Debug, PartialEq)]
pub(crate) struct State {
    counts: Counts,
    catalogue_revision: i64,
    users: Vec<UserRevision>,
    books: Vec<Book>,
}

impl Scratch {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = StoreSettings {
            readers: NonZeroU32::new(1).unwrap(),
            busy_timeout: Duration::from_secs(20),
            acquire_timeout: Duration::from_secs(20),
            cache_kib: 1024,
            writer_cache_kib: 1024,
        };
        let store = Store::open(&folder.path().join("store"), &settings).await.unwrap();
        Self { folder, store }
    }

    /// Writes a file; returns its path.
    pub(crate) fn file(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, contents).unwrap();
        path
    }

    /// The folder of the files.
    pub(crate) fn goodbooks(&self) -> Source {
        Source::Goodbooks { folder: self.folder.path().to_owned() }
    }

    /// Two files, with columns by their usual names.
    pub(crate) fn csv(&self, books: impl AsRef<[u8]>, interactions: impl AsRef<[u8]>) -> Source {
        Source::Csv {
            books: self.file("shop_books.csv", books),
            interactions: self.file("shop_events.csv", interactions),
            columns: ColumnNames::default(),
        }
    }

    pub(crate) async fn strict(&self, source: Source) -> Result<Report, ImportError> {
        let options = ImportOptions { keep_going: false, recorded_ms: NOW_MS };
        import(&self.store, source, &options, Arc::new(Silent), pending()).await
    }

    pub(crate) async fn keep_going(&self, source: Source) -> Result<Report, ImportError> {
        let options = ImportOptions { keep_going: true, recorded_ms: NOW_MS };
        import(&self.store, source, &options, Arc::new(Silent), pending()).await
    }

    /// Imports what must fail and leave the store as it was; returns the message,
    /// without the folder.
    pub(crate) async fn refused(&self, source: Source) -> String {
        let before = self.state().await;
        let error = self.strict(source).await.expect_err("it is refused");
        assert_eq!(self.state().await, before);
        let folder = format!("{}/", self.folder.path().display());
        error.to_string().replace(&folder, "")
    }

    pub(crate) async fn state(&self) -> State {
        State {
            counts: self.store.counts().await.unwrap(),
            catalogue_revision: self.store.catalogue_revision().await.unwrap(),
            users: self.store.users_after(None, 1000).await.unwrap(),
            books: self.books().await,
        }
    }

    pub(crate) async fn books(&self) -> Vec<Book> {
        self.store.books_after(None, 1000).await.unwrap()
    }

    /// A user's events as "kind book-number stars time", in that order.
    pub(crate) async fn events(&self, user: &str) -> Vec<String> {
        let number = self.store.user_number(user).await.unwrap().expect("the user is known");
        let history = self.store.history(number, 1000).await.unwrap();
        let text = |event: &HistoryEvent| {
            let stars = event.rating.map(|rating| format!(" {rating}")).unwrap_or_default();
            let time = event.time_ms.map(|time| format!(" at {time}")).unwrap_or_default();
            format!("{} {}{stars}{time}", event.kind, event.item)
        };
        let mut events: Vec<String> = history.events.iter().map(text).collect();
        events.sort();
        events
    }
}

/// Rows stored, repeated, conflicting and refused of each file.
pub(crate) fn counts(report: &Report) -> Vec<[u64; 4]> {
    let row = |file: &server::import::FileReport| {
        [file.stored, file.repeated, file.conflicting, file.refused]
    };
    report.files.iter().map(row).collect()
}
