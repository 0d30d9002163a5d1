//! Models that replicas share.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use recommender::ShopId;
use storage::{
    DatabaseModels, DatabaseModelsError, ModelFolder, ModelFolderError, ModelVersion, Section,
    Snapshot, SnapshotHeader, Store, TrainingTurn, write_snapshot,
};
use testbed::postgres::{Database, database_or_skip};
use tokio::time::timeout;

use super::training::{kill_holder, soon};
use super::{SOON, connect};

const TWO: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);

/// More than two pieces.
const BYTES: usize = 17 << 20;

/// A snapshot file whose contents are all this byte.
fn snapshot_file(folder: &Path, byte: u8) -> PathBuf {
    let path = folder.join(format!("trained-{byte}"));
    let header = SnapshotHeader { shop: ShopId::ONLY, simulated: false };
    let contents = vec![byte; BYTES];
    let sections = [Section { tag: 1, element_bytes: 1, bytes: &contents }];
    write_snapshot(&path, header, &sections).expect("it is written");
    path
}

fn contents(snapshot: &Snapshot) -> (u8, usize) {
    let section = snapshot.section(1).expect("it was written");
    let bytes = section.as_ref();
    assert!(bytes.iter().all(|byte| *byte == bytes[0]));
    (bytes[0], bytes.len())
}

fn models(store: &Store) -> DatabaseModels {
    store.models_in_database().expect("PostgreSQL has them")
}

async fn publish(store: &Store, turn: &mut TrainingTurn, folder: &Path, byte: u8) -> ModelVersion {
    let file = snapshot_file(folder, byte);
    models(store).publish(turn, &file, 1_000, TWO).await.expect("it is published")
}

/// The versions there are, newest first, and the active one.
async fn versions(store: &Store) -> (Vec<u64>, Option<u64>) {
    let listed = models(store).versions().await.expect("it lists");
    let active = models(store).active().await.expect("it reads");
    assert_eq!(active, listed.iter().find(|model| model.is_active).copied());
    (listed.iter().map(|model| model.version.0).collect(), active.map(|model| model.version.0))
}

/// The names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("it lists");
    entries.map(|entry| entry.expect("an entry").file_name().display().to_string()).collect()
}

struct Replicas {
    trainer: Store,
    other: Store,
    turn: TrainingTurn,
    database: Database,
    folder: tempfile::TempDir,
}

async fn replicas(test: &str) -> Option<Replicas> {
    let database = database_or_skip(test)?;
    let (trainer, other) = (connect(&database).await, connect(&database).await);
    let turn = soon(&trainer).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    Some(Replicas { trainer, other, turn, database, folder })
}

#[tokio::test]
async fn what_one_replica_publishes_the_other_is_told_of_and_fetches() {
    let Some(mut shop) = replicas("models are shared").await else { return };
    assert_eq!(versions(&shop.other).await, (vec![], None));
    let mut notices = shop.other.listen().await.expect("it listens").expect("PostgreSQL can");
    let version = publish(&shop.trainer, &mut shop.turn, shop.folder.path(), 7).await;
    timeout(SOON, notices.next()).await.expect("a notice comes").expect("it is one");
    assert_eq!(versions(&shop.other).await, (vec![1], Some(1)));

    let cache = tempfile::tempdir().expect("a temporary folder");
    let folder = ModelFolder::open(cache.path()).expect("the folder opens");
    for _ in 0..2 {
        let fetched = models(&shop.other).fetch(version, &folder).await.expect("it is fetched");
        assert_eq!(contents(&fetched), (7, BYTES));
        assert_eq!(names(cache.path()), ["000000000001.snapshot"]);
    }
    // What lies there damaged is fetched anew.
    std::fs::write(folder.path(version), b"FOREWORD").expect("it is written");
    let fetched = models(&shop.other).fetch(version, &folder).await.expect("it is fetched");
    assert_eq!(contents(&fetched), (7, BYTES));
}

#[tokio::test]
async fn the_last_versions_are_kept_and_an_older_one_can_be_activated() {
    let Some(mut shop) = replicas("models are pruned").await else { return };
    for byte in [1, 2, 3] {
        publish(&shop.trainer, &mut shop.turn, shop.folder.path(), byte).await;
    }
    assert_eq!(versions(&shop.trainer).await, (vec![3, 2], Some(3)));
    models(&shop.other).activate(&mut shop.turn, ModelVersion(2)).await.expect("it is there");
    assert_eq!(versions(&shop.trainer).await, (vec![3, 2], Some(2)));
    let unknown = models(&shop.other).activate(&mut shop.turn, ModelVersion(1)).await;
    assert!(
        matches!(&unknown, Err(DatabaseModelsError::Folder(ModelFolderError::UnknownVersion { known, .. })) if known.len() == 2),
        "{unknown:?}"
    );
    publish(&shop.trainer, &mut shop.turn, shop.folder.path(), 4).await;
    assert_eq!(versions(&shop.trainer).await, (vec![4, 3], Some(4)));
}

#[tokio::test]
async fn a_damaged_piece_is_refused_and_leaves_nothing() {
    let Some(mut shop) = replicas("damaged models are refused").await else { return };
    let version = publish(&shop.trainer, &mut shop.turn, shop.folder.path(), 7).await;
    let cache = tempfile::tempdir().expect("a temporary folder");
    let folder = ModelFolder::open(cache.path()).expect("the folder opens");
    for damage in [
        "UPDATE foreword.model_chunks SET bytes = set_byte(bytes, 12345, 8) WHERE place = 1",
        "UPDATE foreword.model_chunks SET bytes = substr(bytes, 2) WHERE place = 1",
        "DELETE FROM foreword.model_chunks WHERE place = 2",
    ] {
        shop.database.query(damage).expect("the server accepts it");
        let refused = models(&shop.other).fetch(version, &folder).await;
        assert!(matches!(refused, Err(DatabaseModelsError::Differs { .. })), "{refused:?}");
        assert_eq!(names(cache.path()), Vec::<String>::new());
    }
}

#[tokio::test]
async fn who_lost_the_turn_to_train_publishes_nothing_and_chooses_nothing() {
    let Some(mut shop) = replicas("lost turn publishes nothing").await else { return };
    for byte in [1, 2] {
        publish(&shop.trainer, &mut shop.turn, shop.folder.path(), byte).await;
    }
    kill_holder(&shop.database);
    let file = snapshot_file(shop.folder.path(), 3);
    let refused = models(&shop.trainer).publish(&mut shop.turn, &file, 2_000, TWO).await;
    assert!(matches!(refused, Err(DatabaseModelsError::TurnLost)), "{refused:?}");
    let refused = models(&shop.trainer).activate(&mut shop.turn, ModelVersion(1)).await;
    assert!(matches!(refused, Err(DatabaseModelsError::TurnLost)), "{refused:?}");
    assert_eq!(versions(&shop.other).await, (vec![2, 1], Some(2)));
    // Nor does anybody publish what is no snapshot.
    let mut turn = soon(&shop.other).await;
    std::fs::write(&file, b"something else").expect("it is written");
    let refused = models(&shop.other).publish(&mut turn, &file, 2_000, TWO).await;
    assert!(matches!(refused, Err(DatabaseModelsError::Snapshot { .. })), "{refused:?}");
    assert_eq!(versions(&shop.other).await, (vec![2, 1], Some(2)));
}
