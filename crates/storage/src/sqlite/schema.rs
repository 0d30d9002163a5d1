//! Is this file ours, and as new as we are? Asked before anything else touches it.
//!
//! Two processes may open a new folder at the same moment, and SQLite cannot wait
//! for the switch into WAL mode; so whoever holds `foreword.lock` prepares the file.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use recommender::ShopId;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode};
use sqlx::{ConnectOptions, Connection, SqlSafeStr};

use super::{error, search};
use crate::error::StoreError;
use crate::private;

/// 'FWRD', as migration 0001 writes it.
const APPLICATION_ID: u32 = 0x4657_5244;

/// Every file of `migrations/sqlite/` as version, name and text, in the order in which they run.
const MIGRATIONS: [(i64, &str, &str); 7] = [
    (1, "shop", include_str!("../../migrations/sqlite/0001_shop.sql")),
    (2, "api_keys", include_str!("../../migrations/sqlite/0002_api_keys.sql")),
    (3, "offers", include_str!("../../migrations/sqlite/0003_offers.sql")),
    (4, "rules", include_str!("../../migrations/sqlite/0004_rules.sql")),
    (5, "events", include_str!("../../migrations/sqlite/0005_events.sql")),
    (6, "stock_changes", include_str!("../../migrations/sqlite/0006_stock_changes.sql")),
    (7, "stock_change_times", include_str!("../../migrations/sqlite/0007_stock_change_times.sql")),
];

/// The newest schema that this program knows.
pub(crate) const NEWEST: i64 = MIGRATIONS[MIGRATIONS.len() - 1].0;

/// How often to look whether another process has finished.
const POLL: Duration = Duration::from_millis(10);

fn migrator() -> Migrator {
    let migration = |(version, name, text): (i64, &'static str, &'static str)| {
        Migration::new(version, name.into(), MigrationType::Simple, text.into_sql_str(), false)
    };
    Migrator::with_migrations(MIGRATIONS.map(migration).into())
}

/// Creates the file or brings its schema up to date; refuses any that is not ours
/// or newer than we are, without changing it. The version that was there before, 0 where there was
/// none.
pub(crate) async fn prepare(
    options: &SqliteConnectOptions,
    path: &Path,
    patience: Duration,
) -> Result<i64, StoreError> {
    let _lock = lock(&path.with_extension("lock"), patience).await?;
    private::create_missing(path)
        .map_err(|source| StoreError::Io { path: path.to_owned(), source })?;
    sync_log(path)?;
    // As it is, without pragmas that would already write into a foreign file.
    let mut connection = options.connect().await.map_err(|error| explain(error, path))?;
    check_owner(&mut connection, path).await?;
    let before = newest_applied(&mut connection).await?;
    connection.close().await?;

    let mut connection = options.clone().journal_mode(SqliteJournalMode::Wal).connect().await?;
    match migrator().run(&mut connection).await {
        Ok(()) => {}
        Err(MigrateError::VersionMissing(found)) if found > NEWEST => {
            return Err(StoreError::NewerSchema { path: path.to_owned(), found, known: NEWEST });
        }
        Err(MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) => {
            return Err(error.into());
        }
        Err(other) => return Err(StoreError::Migration(other)),
    }
    search::fill(&mut connection, ShopId::ONLY.0).await?;
    connection.close().await?;
    Ok(before)
}

/// The last migration of a file of ours, 0 while it is empty.
async fn newest_applied(connection: &mut SqliteConnection) -> Result<i64, StoreError> {
    let is_there = "SELECT count(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'";
    if sqlx::query_scalar::<_, i64>(is_there).fetch_one(&mut *connection).await? == 0 {
        return Ok(0);
    }
    let newest = "SELECT coalesce(max(version), 0) FROM _sqlx_migrations WHERE success";
    Ok(sqlx::query_scalar(newest).fetch_one(connection).await?)
}

/// Makes durable what was written into the log by a process that was killed before it could do so
/// itself. SQLite takes such a commit for a good one, without a sync: a client could be told that
/// their event was there before, and a power cut could still take it.
fn sync_log(path: &Path) -> Result<(), StoreError> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let log = PathBuf::from(log);
    // SQLite holds no locks on this file, which closing it would release.
    let synced = File::options().write(true).open(&log).and_then(|file| file.sync_all());
    match synced {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        synced => synced.map_err(|source| StoreError::Io { path: log, source }),
    }
}

/// The lock of the folder, released by dropping it.
async fn lock(path: &Path, patience: Duration) -> Result<File, StoreError> {
    let failed = |source| StoreError::Io { path: path.to_owned(), source };
    let file = private::create_or_open(path).map_err(failed)?;
    let deadline = Instant::now() + patience;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                tokio::time::sleep(POLL).await;
            }
            Err(TryLockError::WouldBlock) => return Err(StoreError::Busy),
        }
    }
}

/// A file is ours if it says so, or if it is still empty.
async fn check_owner(connection: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    let (application, tables): (i64, i64) = sqlx::query_as(
        "SELECT application_id, (SELECT count(*) FROM sqlite_schema) FROM pragma_application_id",
    )
    .fetch_one(connection)
    .await
    .map_err(|error| explain(error, path))?;
    // The file holds 32 bits, which SQLite reads as a signed number.
    let found = application as u32;
    if found == APPLICATION_ID || (found == 0 && tables == 0) {
        Ok(())
    } else {
        Err(StoreError::ForeignDatabase { path: path.to_owned(), found })
    }
}

fn explain(error: sqlx::Error, path: &Path) -> StoreError {
    if error::is_no_database(&error) {
        return StoreError::NotADatabase { path: path.to_owned() };
    }
    error.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrations::check_listed;

    #[test]
    fn every_file_of_migrations_is_listed_with_versions_from_one_up() {
        check_listed("sqlite", &MIGRATIONS, NEWEST);
    }
}
