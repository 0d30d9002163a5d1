//! A shop in a file, and back.

mod damage;
mod databases;
mod moment;
mod round_trip;
mod shops;

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use server::backup::{BackupError, BackupReport, Existing, backup, restore_into, verify};
use server::data_folder::DataFolder;
use server::progress::Silent;
use server::settings::Settings;
use storage::{Row, Store};
use tempfile::TempDir;

/// A store in a folder of its own, which is gone once the second is dropped.
async fn new_store() -> (Store, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (DataFolder::new(folder.path()).store(&settings()).await.unwrap(), folder)
}

fn settings() -> Settings {
    Settings::read(None).unwrap()
}

/// Never comes.
async fn never() {
    std::future::pending::<()>().await;
}

async fn take(store: &Store, file: &Path) -> Result<BackupReport, BackupError> {
    backup(store, file, Existing::Keep, Arc::new(Silent), never()).await
}

async fn put_back(store: &Store, file: &Path) -> Result<BackupReport, BackupError> {
    restore_into(store, file, Arc::new(Silent), never()).await
}

async fn check(file: &Path) -> Result<BackupReport, BackupError> {
    verify(file, Arc::new(Silent), never()).await
}

/// Every row of a store.
async fn rows(store: &Store) -> Vec<Row> {
    let mut reading = store.begin_reading().await.unwrap();
    let total = reading.count().await.unwrap();
    let mut rows = Vec::new();
    loop {
        // Few at a time, so that there are many pages.
        let page = reading.next_rows(7).await.unwrap();
        if page.is_empty() {
            assert_eq!(rows.len() as u64, total);
            return rows;
        }
        rows.extend(page);
    }
}

/// The lines of a backup.
fn lines(file: &Path) -> Vec<String> {
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(file).unwrap()).read_to_string(&mut text).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// Packs lines into a file of a folder.
fn pack(folder: &Path, lines: &[String]) -> PathBuf {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    pack_bytes(folder, text.as_bytes())
}

fn pack_bytes(folder: &Path, bytes: &[u8]) -> PathBuf {
    let file = folder.join("packed.jsonl.gz");
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    std::fs::write(&file, encoder.finish().unwrap()).unwrap();
    file
}
