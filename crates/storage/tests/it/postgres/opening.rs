//! Connecting: schemas that are ours, older, newer or somebody else's; servers that refuse.

use std::time::Duration;

use storage::{Store, StoreError};
use testbed::postgres::{Database, database_or_skip};
use tokio::time::Instant;

use super::{append, connect, events, parse, settings};

async fn refused(url: &str) -> StoreError {
    Store::connect(&parse(url), &settings()).await.expect_err("it refuses")
}

/// How many relations the schema has.
fn relations(database: &Database) -> String {
    let sql = "SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace('foreword')";
    database.query(sql).expect("the server answers").trim().to_owned()
}

#[tokio::test]
async fn replicas_that_start_together_find_one_schema() {
    let Some(database) = database_or_skip("migrations by four at once") else { return };
    let url = parse(database.url());
    let start = || {
        let url = url.clone();
        tokio::spawn(async move { Store::connect(&url, &settings()).await })
    };
    let tasks: Vec<_> = (0..4).map(|_| start()).collect();
    let mut stores = Vec::new();
    for task in tasks {
        stores.push(task.await.expect("the task ends well").expect("the store opens"));
    }
    for (index, store) in stores.iter().enumerate() {
        append(store, &index.to_string()).await;
    }
    assert_eq!(events(&stores[0]).await, 4);
    let applied = database.query("SELECT count(*) FROM foreword.migrations");
    assert_eq!(applied.expect("the server answers").trim(), "3");
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_as_it_is() {
    let Some(database) = database_or_skip("newer schema is refused") else { return };
    drop(connect(&database).await);
    let newer = "INSERT INTO foreword.migrations (version, name) VALUES (99, 'later')";
    database.query(newer).expect("the server accepts it");
    let before = relations(&database);
    let error = refused(database.url()).await;
    assert!(matches!(error, StoreError::NewerSchema { found: 99, known: 3, .. }), "{error}");
    assert_eq!(relations(&database), before);
}

#[tokio::test]
async fn a_schema_of_another_application_is_refused_and_left_as_it_is() {
    let Some(database) = database_or_skip("foreign schema is refused") else { return };
    for statement in [
        "CREATE SCHEMA foreword",
        "CREATE TABLE foreword.books (isbn text)",
        // With tables of our names, too.
        "CREATE TABLE foreword.application (name text)",
        "CREATE TABLE foreword.migrations (version text)",
    ] {
        database.query(statement).expect("the server accepts it");
        if relations(&database) == "0" {
            continue;
        }
        let error = refused(database.url()).await;
        assert!(matches!(error, StoreError::ForeignSchema { .. }), "{statement}: {error}");
    }
    assert_eq!(relations(&database), "3");
}

#[tokio::test]
async fn an_empty_schema_of_our_name_is_taken() {
    let Some(database) = database_or_skip("empty schema is taken") else { return };
    database.query("CREATE SCHEMA foreword").expect("the server accepts it");
    database.query("CREATE TABLE public.books (isbn text)").expect("the server accepts it");
    append(&connect(&database).await, "a").await;
    // What else the shop keeps in the database stays as it was.
    assert_eq!(database.query("SELECT count(*) FROM public.books").expect("it reads").trim(), "0");
}

#[tokio::test]
async fn a_role_without_rights_is_told_which_it_needs() {
    let Some(database) = database_or_skip("rights of the role") else { return };
    let role = format!("role_of_{}", database.name());
    let sql = format!("CREATE ROLE {role} LOGIN PASSWORD 's3cret'");
    database.query(&sql).expect("the server accepts it");
    let url = database.url().replace("postgres@", &format!("{role}:s3cret@"));
    let error = refused(&url).await;
    let told = error.to_string();
    assert!(matches!(error, StoreError::Unsuitable { .. }), "{told}");
    assert!(told.contains("permission denied") && told.contains("GRANT CREATE"), "{told}");
    assert!(!told.contains("s3cret") && !format!("{error:?}").contains("s3cret"), "{error:?}");

    let sql = format!("CREATE SCHEMA foreword AUTHORIZATION {role}");
    database.query(&sql).expect("the server accepts it");
    let store =
        Store::connect(&parse(&url), &settings()).await.expect("a schema of its own will do");
    append(&store, "a").await;
    let shown = format!("{store:?} {:?}", store.begin().await);
    assert!(!shown.contains("s3cret"), "{shown}");
    store.compact().await.expect("the owner may");
    drop(store);
    // A role outlives its database.
    let sql = format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role}");
    database.query(&sql).expect("the server accepts it");
}

#[tokio::test]
async fn where_there_is_no_server_the_error_comes_soon_and_has_no_secret() {
    // Discard: nothing listens there, and a test server would not.
    let start = Instant::now();
    let error = refused("postgres://ann:s3cret@127.0.0.1:9/shop").await;
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("refused") && !shown.contains("s3cret"), "{shown}");
}

#[tokio::test]
async fn a_database_that_does_not_exist_is_named() {
    let Some(database) = database_or_skip("no such database") else { return };
    let error = refused(&database.url().replace(database.name(), "no_such_shop")).await;
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    assert!(error.to_string().contains("no_such_shop"), "{error}");
}
