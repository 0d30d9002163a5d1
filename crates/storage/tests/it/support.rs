//! What every test needs: a fresh store of a kind, books and events, a view of it all.

use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use recommender::offer::{Offer, Price};
use recommender::{EventKind, ItemNumber, Rating, UserNumber};
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};
use storage::book::PRICE_MAX;
use storage::{Book, DatabaseUrl, EventId, EventOrigin, FILE_NAME, NewEvent, Store, StoreSettings};
use tempfile::TempDir;
use testbed::postgres::{Database, database};

/// Small, and impatient, so that a test that waits in vain fails soon.
pub(crate) fn settings() -> StoreSettings {
    StoreSettings {
        readers: NonZeroU32::new(2).expect("two is not zero"),
        busy_timeout: Duration::from_millis(500),
        acquire_timeout: Duration::from_millis(500),
        cache_kib: 1024,
        writer_cache_kib: 1024,
    }
}

/// A kind of store: which database it is in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

/// Where a store is. Gone once this is dropped.
#[derive(Debug)]
pub(crate) enum Place {
    Folder(TempDir),
    Database(Database),
}

impl Kind {
    /// A store in a place of its own.
    pub(crate) async fn new_store(self) -> (Store, Place) {
        let place = match self {
            Self::Sqlite => Place::Folder(tempfile::tempdir().expect("a temporary folder")),
            Self::Postgres => Place::Database(database().expect("the test asked for the tool")),
        };
        (place.open().await, place)
    }
}

impl Kind {
    /// That one of two texts which is in its SQL.
    pub(crate) fn sql<'a>(self, sqlite: &'a str, postgres: &'a str) -> &'a str {
        match self {
            Self::Sqlite => sqlite,
            Self::Postgres => postgres,
        }
    }
}

impl Place {
    /// One more store on what is there.
    pub(crate) async fn open(&self) -> Store {
        match self {
            Self::Folder(folder) => open(folder.path()).await,
            Self::Database(database) => connect(database).await,
        }
    }

    /// What a query finds, one text a row, whoever wrote it.
    pub(crate) async fn texts(&self, query: &str) -> Vec<String> {
        let query = sqlx::AssertSqlSafe(query.to_owned());
        match self {
            Self::Folder(folder) => {
                let options = SqliteConnectOptions::new().filename(folder.path().join(FILE_NAME));
                let mut connection = options.connect().await.expect("the file opens");
                let found = sqlx::query_scalar(query).fetch_all(&mut connection).await;
                connection.close().await.expect("the file closes");
                found.expect("the query is right")
            }
            Self::Database(database) => {
                let options: PgConnectOptions = database.url().parse().expect("it is a URL");
                let options = options.options([("search_path", "foreword")]);
                let mut connection = options.connect().await.expect("the server is there");
                let found = sqlx::query_scalar(query).fetch_all(&mut connection).await;
                connection.close().await.expect("the connection closes");
                found.expect("the query is right")
            }
        }
    }

    /// Does to the database what this crate never would.
    pub(crate) async fn tamper(&self, statement: &str) {
        self.try_to_tamper(statement).await.expect("the statement is right");
    }

    /// The same with a statement that the schema may refuse.
    pub(crate) async fn try_to_tamper(&self, statement: &str) -> sqlx::Result<()> {
        match self {
            Self::Folder(folder) => try_to_tamper(folder.path(), statement).await,
            Self::Database(database) => {
                let options: PgConnectOptions = database.url().parse().expect("it is a URL");
                let options = options.options([("search_path", "foreword")]);
                let mut connection = options.connect().await.expect("the server is there");
                let done = connection.execute(AssertSqlSafe(statement.to_owned())).await;
                connection.close().await.expect("the connection closes");
                done.map(|_| ())
            }
        }
    }
}

pub(crate) async fn open(folder: &Path) -> Store {
    Store::open(folder, &settings()).await.expect("the store opens")
}

pub(crate) async fn connect(database: &Database) -> Store {
    let url = DatabaseUrl::parse(database.url()).expect("the testbed gives a URL");
    Store::connect(&url, &settings()).await.expect("the store opens")
}

/// A store in a folder of its own, which is gone once the second is dropped.
pub(crate) async fn new_store() -> (Store, TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    (open(folder.path()).await, folder)
}

/// Does to the database file what this crate never would.
pub(crate) async fn tamper(folder: &Path, statement: &str) {
    try_to_tamper(folder, statement).await.expect("the statement is right");
}

/// The same with a statement that the schema may refuse.
async fn try_to_tamper(folder: &Path, statement: &str) -> sqlx::Result<()> {
    let options = SqliteConnectOptions::new().filename(folder.join(FILE_NAME));
    let mut connection: SqliteConnection =
        options.create_if_missing(true).connect().await.expect("the file opens");
    let statement = AssertSqlSafe(statement.to_owned());
    let done = connection.execute(statement).await;
    connection.close().await.expect("the file closes");
    done.map(|_| ())
}

/// A rating of four stars. `id` is the event's id.
pub(crate) fn rating(user: u32, id: &str, item: u32) -> NewEvent {
    NewEvent {
        user: UserNumber(user),
        item: ItemNumber(item),
        event_id: EventId::new(id.as_bytes()).expect("the test gives a fitting id"),
        kind: EventKind::Rating,
        rating: Rating::from_half_stars(8),
        time_ms: Some(1_000),
        recorded_ms: 2_000,
        origin: EventOrigin::Client,
        attribution_token: None,
    }
}

pub(crate) fn book(number: u32, title: &str) -> Book {
    Book {
        number: ItemNumber(number),
        id: number.to_string(),
        title: title.to_owned(),
        authors: vec!["Ann Author".to_owned(), "Bob Writer".to_owned()],
        published_year: Some(1999),
        language: Some("en".to_owned()),
        categories: vec!["fantasy".to_owned(), "sci-fi".to_owned()],
        series: Some("The Series".to_owned()),
        volume: Some(1.5),
        work: Some("w1".to_owned()),
        isbn13: Some(9_780_441_172_719),
        cover_url: None,
        publisher: Some("Publisher".to_owned()),
        offer: Offer {
            stock: Some(u32::MAX),
            price: Some(Price {
                minor_units: PRICE_MAX,
                currency: "EUR".parse().expect("three letters"),
            }),
            age_min: Some(0),
        },
    }
}

/// Everything that can be read from a store, as one text.
pub(crate) async fn everything(store: &Store) -> String {
    let users = store.users_after(None, 1000).await.expect("it reads");
    let mut histories = Vec::new();
    for user in &users {
        histories.push(store.history(user.user, 1000).await.expect("it reads"));
    }
    let books = store.books_after(None, 1000).await.expect("it reads");
    let counts = store.counts().await.expect("it reads");
    let revision = store.catalogue_revision().await.expect("it reads");
    format!("{counts:#?} {revision} {users:#?} {histories:#?} {books:#?}")
}
