//! Model versions are published whole, activated in one step, and pruned.

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

use recommender::ShopId;
use storage::{ModelFolder, ModelFolderError, ModelVersion, Section, SnapshotHeader, TrainingLock};

const HEADER: SnapshotHeader = SnapshotHeader { shop: ShopId::ONLY, simulated: false };
const THREE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(2);

fn publish(folder: &ModelFolder, lock: &TrainingLock, contents: &[u8]) -> u64 {
    let sections = [Section { tag: 1, element_bytes: 1, bytes: contents }];
    folder.publish(lock, HEADER, &sections, THREE).expect("it is published").0
}

fn open(path: &Path) -> ModelFolder {
    ModelFolder::open(path).expect("the folder opens")
}

fn versions(folder: &ModelFolder) -> Vec<u64> {
    folder.versions().expect("it lists").iter().map(|version| version.0).collect()
}

/// The active version and what is in it.
fn active(folder: &ModelFolder) -> Option<(u64, Vec<u8>)> {
    let version = folder.active().expect("the pointer is right")?;
    let snapshot = folder.open_version(version).expect("the active one is right");
    let section = snapshot.section(1).expect("it was written");
    Some((version.0, section.as_ref().to_vec()))
}

#[test]
fn the_newest_version_is_active_and_the_last_three_are_kept() {
    let path = tempfile::tempdir().expect("a temporary folder");
    let folder = open(&path.path().join("models"));
    assert_eq!(active(&folder), None);
    assert_eq!(versions(&folder), [0_u64; 0]);
    let lock = folder.lock().expect("nobody else trains");
    for (version, contents) in (1..=5).zip([b"a", b"b", b"c", b"d", b"e"]) {
        assert_eq!(publish(&folder, &lock, contents), version);
        assert_eq!(active(&folder), Some((version, contents.to_vec())));
    }
    assert_eq!(versions(&folder), [5, 4, 3]);
    let file = folder.path(ModelVersion(3));
    assert_eq!(file.file_name().and_then(|name| name.to_str()), Some("000000000003.snapshot"));
}

#[test]
fn an_older_version_is_activated_again_and_survives_pruning() {
    let path = tempfile::tempdir().expect("a temporary folder");
    let folder = open(path.path());
    let lock = folder.lock().expect("nobody else trains");
    for contents in [b"a", b"b"] {
        publish(&folder, &lock, contents);
    }
    folder.activate(&lock, ModelVersion(1)).expect("it is there");
    assert_eq!(active(&folder), Some((1, b"a".to_vec())));
    let missing = folder.activate(&lock, ModelVersion(9)).expect_err("it is not there");
    assert_eq!(missing.to_string(), "model version 9 not found, expected one of 2, 1");
    assert_eq!(folder.active().expect("it reads"), Some(ModelVersion(1)));
    // The next number comes after every version, not after the active one.
    assert_eq!(publish(&folder, &lock, b"c"), 3);
}

#[test]
fn numbers_never_go_back() {
    let path = tempfile::tempdir().expect("a temporary folder");
    let folder = open(path.path());
    let lock = folder.lock().expect("nobody else trains");
    publish(&folder, &lock, b"a");
    publish(&folder, &lock, b"b");
    fs::remove_file(folder.path(ModelVersion(2))).expect("it is removed");
    assert_eq!(folder.active().expect("it reads"), Some(ModelVersion(2)));
    let lost = folder.open_version(ModelVersion(2)).expect_err("it is gone");
    assert_eq!(lost.to_string(), "model version 2 not found, expected one of 1");
    fs::remove_file(folder.path(ModelVersion(1))).expect("it is removed");
    let lost = folder.open_version(ModelVersion(2)).expect_err("it is gone");
    let expected = "model version 2 not found: there are no models, train one first";
    assert_eq!(lost.to_string(), expected);
    assert_eq!(publish(&folder, &lock, b"c"), 3);
}

#[test]
fn a_damaged_active_version_is_an_error_and_the_others_still_open() {
    let path = tempfile::tempdir().expect("a temporary folder");
    let folder = open(path.path());
    let lock = folder.lock().expect("nobody else trains");
    publish(&folder, &lock, b"a");
    publish(&folder, &lock, b"b");
    let file = folder.path(ModelVersion(2));
    let mut bytes = fs::read(&file).expect("it reads");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::remove_file(&file).expect("it is removed");
    fs::write(&file, bytes).expect("it is written");

    assert_eq!(folder.active().expect("it reads"), Some(ModelVersion(2)));
    let damaged = folder.open_version(ModelVersion(2)).expect_err("it is damaged");
    assert!(matches!(damaged, ModelFolderError::Damaged { version: ModelVersion(2), .. }));
    let expected = format!("model version 2 is damaged: {}: section 0x1", file.display());
    assert!(damaged.to_string().starts_with(&expected), "{damaged}");
    assert!(folder.activate(&lock, ModelVersion(2)).is_err());
    folder.open_version(ModelVersion(1)).expect("it is as it was");
    folder.activate(&lock, ModelVersion(1)).expect("it is as it was");
    assert_eq!(active(&folder), Some((1, b"a".to_vec())));
}

#[test]
fn a_damaged_pointer_is_an_error_and_publishing_repairs_it() {
    let path = tempfile::tempdir().expect("a temporary folder");
    let folder = open(path.path());
    let lock = folder.lock().expect("nobody else trains");
    publish(&folder, &lock, b"a");
    for found in ["", "12", "../../secret", "1.snapshot\n", "000000000001.snapshot\n\n"] {
        fs::write(path.path().join("active"), found).expect("it is written");
        let refused = folder.active().expect_err("it names no version");
        assert!(
            matches!(&refused, ModelFolderError::ActivePointer { found: said, .. } if said == found)
        );
        assert!(refused.to_string().contains(&format!(" says {found:?}, expected ")), "{refused}");
    }
    assert_eq!(publish(&folder, &lock, b"b"), 2);
    assert_eq!(active(&folder), Some((2, b"b".to_vec())));
}

#[test]
fn a_pointer_without_a_line_break_points_all_the_same() {
    let path = tempfile::tempdir().expect("a temporary folder");
    let folder = open(path.path());
    let lock = folder.lock().expect("nobody else trains");
    publish(&folder, &lock, b"a");
    publish(&folder, &lock, b"b");
    fs::write(path.path().join("active"), "000000000001.snapshot").expect("it is written");
    assert_eq!(active(&folder), Some((1, b"a".to_vec())));
}

#[test]
fn only_one_training_runs_at_a_time() {
    let path = tempfile::tempdir().expect("a temporary folder");
    let lock = open(path.path()).lock().expect("nobody else trains");
    let refused = open(path.path()).lock().expect_err("someone trains");
    assert!(refused.to_string().starts_with("another training is running: "), "{refused}");
    drop(lock);
    open(path.path()).lock().expect("nobody trains any more");
}

#[test]
fn what_a_killed_run_left_is_not_a_version_and_is_removed() {
    let path = tempfile::tempdir().expect("a temporary folder");
    let folder = open(path.path());
    let lock = folder.lock().expect("nobody else trains");
    publish(&folder, &lock, b"a");
    drop(lock);
    let left = ["000000000002.snapshot.unfinished", "active.unfinished"];
    for name in left {
        fs::write(path.path().join(name), "half").expect("it is written");
    }
    fs::write(path.path().join("notes.txt"), "mine").expect("it is written");
    assert_eq!(versions(&folder), [1]);
    let lock = folder.lock().expect("nobody else trains");
    for name in left {
        assert!(!path.path().join(name).exists(), "{name}");
    }
    assert!(path.path().join("notes.txt").exists());
    assert_eq!(publish(&folder, &lock, b"b"), 2);
}

#[test]
fn a_version_that_cannot_be_written_leaves_everything_as_it_was() {
    let path = tempfile::tempdir().expect("a temporary folder");
    let folder = open(path.path());
    let lock = folder.lock().expect("nobody else trains");
    publish(&folder, &lock, b"a");
    let wrong = [Section { tag: 1, element_bytes: 2, bytes: b"abc" }];
    let refused = folder.publish(&lock, HEADER, &wrong, THREE).expect_err("no whole elements");
    assert!(matches!(refused, ModelFolderError::NotWritten { version: ModelVersion(2), .. }));
    assert_eq!(active(&folder), Some((1, b"a".to_vec())));
    assert_eq!(versions(&folder), [1]);
}
