//! A store that an earlier version of this program wrote opens and is brought up to date.

use std::path::Path;

use recommender::UserNumber;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqlSafeStr as _};
use storage::{FILE_NAME, Revisions, UserRevision};

use crate::support::{open, rating, tamper};

/// The migrations of the version before events were recorded.
const EARLIER: [(i64, &str, &str); 4] = [
    (1, "shop", include_str!("../../migrations/sqlite/0001_shop.sql")),
    (2, "api_keys", include_str!("../../migrations/sqlite/0002_api_keys.sql")),
    (3, "offers", include_str!("../../migrations/sqlite/0003_offers.sql")),
    (4, "rules", include_str!("../../migrations/sqlite/0004_rules.sql")),
];

async fn earlier_store(folder: &Path) {
    let options =
        SqliteConnectOptions::new().filename(folder.join(FILE_NAME)).create_if_missing(true);
    let mut connection = options.connect().await.expect("the file opens");
    let migration = |(version, name, text): (i64, &'static str, &'static str)| {
        Migration::new(version, name.into(), MigrationType::Simple, text.into_sql_str(), false)
    };
    let migrator = Migrator::with_migrations(EARLIER.map(migration).into());
    migrator.run(&mut connection).await.expect("it migrates");
    connection.close().await.expect("the file closes");
}

#[tokio::test]
async fn an_earlier_store_keeps_everything_and_goes_on_from_its_revisions() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    earlier_store(folder.path()).await;
    tamper(
        folder.path(),
        "INSERT INTO books (shop_id, number, title, authors, categories, revision)
         VALUES (1, 7, 'Les Misérables', 'Victor Hugo', '', 3);
         UPDATE shops SET catalogue_revision = 3, simulated = 1;
         INSERT INTO users (shop_id, number, revision) VALUES (1, 1, 4), (1, 2, 9);
         INSERT INTO events (shop_id, user_number, event_id, book_number, kind, recorded_ms, origin,
                             retracted)
         VALUES (1, 1, x'61', 7, 1, 2, 1, 0), (1, 2, x'61', 7, 1, 2, 1, 1),
                (1, 2, x'62', 7, 1, 2, 1, 0)",
    )
    .await;

    let store = open(folder.path()).await;
    assert_eq!(store.schema_before(), 4);
    let expected =
        Revisions { catalogue: 3, events: 9, event_changes: 4, simulated: true, ..<_>::default() };
    assert_eq!(store.revisions().await.expect("it reads"), expected);
    assert_eq!(store.counts().await.expect("it counts").events, 2);
    let found = store.search_books("miserables", 0, 10).await.expect("it reads");
    assert_eq!(found.first().map(|book| book.number.0), Some(7));

    let mut writer = store.begin().await.expect("nobody else writes");
    writer.append_events(&[rating(1, "b", 7)]).await.expect("it fits");
    writer.commit().await.expect("the commit succeeds");
    let changed = store.users_changed_after(9, None, 10).await.expect("it reads");
    assert_eq!(changed, [UserRevision { user: UserNumber(1), revision: 10 }]);
}

#[tokio::test]
async fn words_made_by_other_rules_are_made_anew_at_opening() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    earlier_store(folder.path()).await;
    // More than are folded at a time.
    tamper(
        folder.path(),
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1300)
         INSERT INTO books (shop_id, number, title, authors, categories, revision)
         SELECT 1, n, 'Élan ' || n, '', '', 1 FROM numbers",
    )
    .await;
    open(folder.path()).await.close().await;
    tamper(
        folder.path(),
        "DELETE FROM book_words; UPDATE shops SET words_version = 0;
         INSERT INTO book_words (rowid, title, names) VALUES (2147483648 + 1300, 'stale', '')",
    )
    .await;
    let store = open(folder.path()).await;
    let found = store.search_books("elan", 0, 2_000).await.expect("it reads");
    assert_eq!(found.len(), 1_300);
    assert_eq!(store.search_books("stale", 0, 10).await.expect("it reads"), []);
}
