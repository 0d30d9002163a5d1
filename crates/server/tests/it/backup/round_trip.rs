//! What goes in comes out.

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::Config;
use server::backup::{BackupError, Existing, backup, restore};
use server::data_folder::DataFolder;
use server::progress::Silent;
use storage::{Row, Store};

use super::shops::{fill, made_up};
use super::{check, lines, never, new_store, put_back, rows, settings, take};

/// A store with these rows.
async fn store_of(rows: &[Row]) -> (Store, tempfile::TempDir) {
    let (store, folder) = new_store().await;
    let mut restoring = store.begin_restoring().await.unwrap();
    for some in rows.chunks(100) {
        restoring.put(some).await.unwrap();
    }
    restoring.commit().await.unwrap();
    (store, folder)
}

proptest! {
    #![proptest_config(Config { cases: 24, failure_persistence: None, ..Config::default() })]
    #[test]
    fn every_row_of_any_shop_comes_back_as_it_was(seed in any::<u64>()) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let made_up = made_up(seed);
            let (first, folder) = store_of(&made_up).await;
            assert_eq!(rows(&first).await, made_up);
            let file = folder.path().join("shop.jsonl.gz");
            let taken = take(&first, &file).await.unwrap();
            assert_eq!(taken.rows.total(), made_up.len() as u64);
            assert_eq!(lines(&file).len(), made_up.len() + 2);

            let (second, _folder) = new_store().await;
            let restored = put_back(&second, &file).await.unwrap();
            assert_eq!(restored.rows, taken.rows);
            assert_eq!(rows(&second).await, made_up);
        });
    }
}

/// What a client gets of a store: histories, exports, ids, what is found, what is new.
async fn seen(store: &Store) -> String {
    let mut seen = format!("{:?} {:?}", store.revisions().await, store.counts().await);
    for id in ["ann", "bob", "session 9", "gone", "8"] {
        let number = store.user_number(id).await.unwrap();
        seen.push_str(&format!("\n{id} {number:?}"));
        let Some(user) = number else { continue };
        let history = store.history(user, 100).await.unwrap();
        let stored = store.stored_events(user, None, 100).await.unwrap();
        let impressions = store.impressions(user, 100).await.unwrap();
        let merged = store.merged_user_ids(user).await.unwrap();
        seen.push_str(&format!("\n{history:?}\n{stored:?}\n{impressions:?}\n{merged:?}"));
    }
    for query in ["dune", "emm", "muller cafe"] {
        seen.push_str(&format!("\n{:?}", store.search_books(query, 0, 10).await));
    }
    let deleted = store.books_deleted_after(0, None, 10).await;
    let (rules, keys) = (store.rules_after(None, 10).await, store.api_keys().await);
    format!("{seen}\n{deleted:?}\n{rules:?}\n{keys:?}")
}

#[tokio::test]
async fn a_restored_shop_goes_on_where_the_first_one_was() {
    let (first, folder) = new_store().await;
    fill(&first).await;
    let file = folder.path().join("shop.jsonl.gz");
    take(&first, &file).await.unwrap();
    let (second, _folder) = new_store().await;
    put_back(&second, &file).await.unwrap();
    assert_eq!(seen(&second).await, seen(&first).await);

    let mut next = Vec::new();
    for store in [&first, &second] {
        let mut writer = store.begin().await.unwrap();
        let users = writer.assign_users(&["ann", "somebody new"]).await.unwrap();
        next.push((users, writer.assign_items(&["emma", "ulysses"]).await.unwrap()));
        writer.commit().await.unwrap();
    }
    assert_eq!(next[0], next[1], "numbers go on alike");
}

#[tokio::test]
async fn the_empty_shop_can_be_backed_up_too() {
    let (first, folder) = new_store().await;
    let file = folder.path().join("shop.jsonl.gz");
    assert_eq!(take(&first, &file).await.unwrap().rows.total(), 3);
    let (second, _folder) = new_store().await;
    put_back(&second, &file).await.unwrap();
    assert_eq!(rows(&second).await, rows(&first).await);
}

#[tokio::test]
async fn nothing_is_restored_into_a_store_in_which_something_was_stored() {
    let (first, folder) = new_store().await;
    fill(&first).await;
    let file = folder.path().join("shop.jsonl.gz");
    take(&first, &file).await.unwrap();
    let before = rows(&first).await;
    assert!(matches!(put_back(&first, &file).await, Err(BackupError::NotEmpty)));
    assert_eq!(rows(&first).await, before);
    // An id alone is something: its number is taken.
    let (second, _folder) = new_store().await;
    let mut writer = second.begin().await.unwrap();
    writer.assign_users(&["ann"]).await.unwrap();
    writer.commit().await.unwrap();
    assert!(matches!(put_back(&second, &file).await, Err(BackupError::NotEmpty)));
}

/// The names of the files in a folder that are no store's.
fn others(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut others: Vec<String> = names.filter(|name| !name.starts_with("foreword.")).collect();
    others.sort_unstable();
    others
}

#[tokio::test]
async fn a_file_is_replaced_only_if_that_is_meant() {
    let (store, folder) = new_store().await;
    fill(&store).await;
    let file = folder.path().join("shop.jsonl.gz");
    std::fs::write(&file, "the only copy").unwrap();
    assert!(matches!(take(&store, &file).await, Err(BackupError::Exists { .. })));
    assert_eq!(std::fs::read(&file).unwrap(), b"the only copy");
    backup(&store, &file, Existing::Replace, Arc::new(Silent), never()).await.unwrap();
    check(&file).await.unwrap();
    assert_eq!(others(folder.path()), ["shop.jsonl.gz"]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_backup_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;

    let (store, folder) = new_store().await;
    let file = folder.path().join("shop.jsonl.gz");
    take(&store, &file).await.unwrap();
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn what_is_stopped_leaves_nothing_behind() {
    let (store, folder) = new_store().await;
    fill(&store).await;
    let file = folder.path().join("shop.jsonl.gz");
    let stopped = backup(&store, &file, Existing::Keep, Arc::new(Silent), async {}).await;
    assert!(matches!(stopped, Err(BackupError::Interrupted)));
    assert_eq!(others(folder.path()), <[&str; 0]>::default());

    take(&store, &file).await.unwrap();
    let (second, _folder) = new_store().await;
    let empty = rows(&second).await;
    let stopped = server::backup::restore_into(&second, &file, Arc::new(Silent), async {}).await;
    assert!(matches!(stopped, Err(BackupError::Interrupted)));
    assert_eq!(rows(&second).await, empty);
}

#[tokio::test]
async fn the_folder_of_a_running_server_is_left_alone() {
    let (store, folder) = new_store().await;
    fill(&store).await;
    let file = folder.path().join("shop.jsonl.gz");
    take(&store, &file).await.unwrap();
    let other = tempfile::tempdir().unwrap();
    let data = DataFolder::new(other.path());
    let announcement = data.announce(&["127.0.0.1:50051".parse().unwrap()]).unwrap();
    let try_it = || restore(&data, &file);
    async fn restore(data: &DataFolder, file: &Path) -> Result<(), BackupError> {
        let settings = settings();
        self::restore(data, &settings, file, Arc::new(Silent), never()).await.map(drop)
    }
    assert!(matches!(try_it().await, Err(BackupError::Serving { .. })));
    drop(announcement);
    try_it().await.unwrap();
}

#[tokio::test]
async fn a_missing_file_makes_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("new"), folder.path().join("missing.jsonl.gz"));
    let settings = settings();
    let restored =
        restore(&DataFolder::new(&data), &settings, &file, Arc::new(Silent), never()).await;
    assert!(matches!(restored, Err(BackupError::Io { .. })), "{restored:?}");
    assert!(!data.exists());
}
