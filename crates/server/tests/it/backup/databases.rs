//! From one database to the other, and back.

use std::path::Path;

use storage::{DatabaseUrl, Store, StoreSettings};

use super::shops::{fill, made_up};
use super::{new_store, put_back, rows, settings, take};

async fn connect(database: &testbed::postgres::Database) -> Store {
    let url = DatabaseUrl::parse(database.url()).unwrap();
    let limits: StoreSettings = settings().store.limits();
    Store::connect(&url, &limits).await.unwrap()
}

/// Takes a backup of a store into the folder and restores it into a new PostgreSQL database; of
/// that, another, into a new folder. All three hold the same rows.
async fn check(store: &Store, folder: &Path, database: &testbed::postgres::Database) {
    let expected = rows(store).await;
    let (there, back) = (folder.join("there.jsonl.gz"), folder.join("back.jsonl.gz"));
    take(store, &there).await.unwrap();
    let postgres = connect(database).await;
    put_back(&postgres, &there).await.unwrap();
    assert_eq!(rows(&postgres).await, expected);
    assert!(postgres.size_bytes().await.unwrap() > 0);
    let taken = take(&postgres, &back).await.unwrap();
    assert_eq!(taken.header.database, "postgres");
    let (again, _folder) = new_store().await;
    put_back(&again, &back).await.unwrap();
    assert_eq!(rows(&again).await, expected);
    assert_eq!(again.search_books("dune", 0, 10).await.unwrap().len(), {
        postgres.search_books("dune", 0, 10).await.unwrap().len()
    });
    assert!(put_back(&postgres, &there).await.is_err(), "it is not empty any more");
    postgres.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_moves_from_sqlite_to_postgres_and_back() {
    let name = "a_shop_moves_from_sqlite_to_postgres_and_back";
    for seed in 0..4 {
        let Some(database) = testbed::postgres::database_or_skip(name) else { return };
        let (store, folder) = new_store().await;
        if seed == 0 {
            fill(&store).await;
        } else {
            let mut restoring = store.begin_restoring().await.unwrap();
            restoring.put(&made_up(seed)).await.unwrap();
            restoring.commit().await.unwrap();
        }
        check(&store, folder.path(), &database).await;
    }
}
