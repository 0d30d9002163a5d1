//! Which files a store opens and which it refuses.

use std::path::Path;

use storage::{FILE_NAME, Store, StoreError};

use crate::support::{everything, new_store, open, rating, settings, tamper};

async fn refusal(folder: &Path) -> StoreError {
    Store::open(folder, &settings()).await.expect_err("the file is refused")
}

/// Refused with this message, and left as it was.
async fn check_refused(folder: &Path, message: &str) {
    let path = folder.join(FILE_NAME);
    let before = std::fs::read(&path).expect("the file is there");
    let error = refusal(folder).await.to_string();
    let name = path.display().to_string();
    assert_eq!(error.replace(&name, "FILE"), message);
    assert_eq!(std::fs::read(&path).expect("the file is still there"), before);
}

#[tokio::test]
async fn a_new_folder_becomes_an_empty_store_that_opens_again() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let inner = folder.path().join("a/b");
    let store = open(&inner).await;
    let before = everything(&store).await;
    store.close().await;
    assert!(matches!(store.counts().await, Err(StoreError::Closed)));
    assert_eq!(everything(&open(&inner).await).await, before);
}

#[tokio::test]
async fn many_may_open_a_new_folder_at_the_same_time() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path();
    let (a, b, c, d) = tokio::join!(open(path), open(path), open(path), open(path));
    for store in [a, b, c, d] {
        assert_eq!(store.counts().await.expect("it counts").books, 0);
    }
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let (store, folder) = new_store().await;
    store.close().await;
    let newer =
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 VALUES (9, 'later', TRUE, x'00', 0)";
    tamper(folder.path(), newer).await;
    check_refused(
        folder.path(),
        "FILE has schema version 9, expected at most 7: a newer version of this program wrote it",
    )
    .await;
}

#[tokio::test]
async fn a_database_of_another_application_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    tamper(folder.path(), "CREATE TABLE passwords (password TEXT)").await;
    check_refused(
        folder.path(),
        "FILE is a database of another application (application id 0x00000000), expected a Foreword store",
    )
    .await;
    tamper(folder.path(), "PRAGMA application_id = -2").await;
    let error = refusal(folder.path()).await;
    assert!(matches!(error, StoreError::ForeignDatabase { found: 0xffff_fffe, .. }), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let garbage = "Dear diary, today I did not write a database. ".repeat(100);
    std::fs::write(folder.path().join(FILE_NAME), garbage).expect("the file is written");
    check_refused(folder.path(), "FILE is not a SQLite database, expected a Foreword store").await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("the file is written");
    assert!(matches!(refusal(&file).await, StoreError::Io { path, .. } if path == file));
}

#[tokio::test]
async fn a_store_opens_and_reads_while_another_writes() {
    let (first, folder) = new_store().await;
    let mut writer = first.begin().await.expect("nobody else writes");
    writer.append_events(&[rating(1, "a", 7)]).await.expect("it fits");

    let second = open(folder.path()).await;
    assert_eq!(second.counts().await.expect("it counts").events, 0);
    assert!(matches!(second.begin().await, Err(StoreError::Busy)));
    assert!(matches!(first.begin().await, Err(StoreError::Busy)));

    writer.commit().await.expect("the commit succeeds");
    assert_eq!(second.counts().await.expect("it counts").events, 1);
    assert!(second.begin().await.is_ok());
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

#[cfg(unix)]
#[tokio::test]
async fn what_a_store_creates_is_for_its_owner_only() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let inner = folder.path().join("a/b");
    let store = open(&inner).await;
    let mut writer = store.begin().await.expect("nobody else writes");
    writer.append_events(&[rating(1, "a", 7)]).await.expect("it fits");
    writer.commit().await.expect("the commit succeeds");
    assert_eq!(mode(&inner), 0o700);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&inner).expect("it lists") {
        let entry = entry.expect("it lists");
        assert_eq!(mode(&entry.path()), 0o600, "{entry:?}");
        names.push(entry.file_name());
    }
    names.sort_unstable();
    assert_eq!(names, ["foreword.db", "foreword.db-shm", "foreword.db-wal", "foreword.lock"]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_and_a_file_that_exist_keep_their_modes() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt as _;

    let (store, folder) = new_store().await;
    store.close().await;
    let file = folder.path().join(FILE_NAME);
    set_permissions(folder.path(), Permissions::from_mode(0o750)).expect("it is ours");
    set_permissions(&file, Permissions::from_mode(0o640)).expect("it is ours");
    open(folder.path()).await;
    assert_eq!((mode(folder.path()), mode(&file)), (0o750, 0o640));
}
