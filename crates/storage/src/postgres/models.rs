//! Models in the database: what one replica trained, every other fetches.
//!
//! A version and all its pieces come in one transaction, so that nobody finds half of one. What is
//! fetched is checked twice, by the checksum of the whole file and as the [`Snapshot`] that it
//! must be, before it gets its name in the folder.

mod file;

use std::fs::File;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use sqlx::postgres::PgRow;

use super::notices::CHANNEL;
use super::pool::{Lease, Pool};
use super::row::{count_in, get};
use crate::error::StoreError;
use crate::models::{ModelFolder, ModelFolderError, ModelVersion};
use crate::snapshot::{Snapshot, SnapshotError};
use crate::store::TrainingTurn;

use file::{
    Hashed, Unfinished, agree, failed, finish, measure_snapshot, pieces, read_piece, verified,
};

/// The first half of the key of the lock of whoever changes which versions there are; the other
/// is the shop. Not that of whoever trains.
const KEY: i32 = 0x4657_524d;

/// A version of the model as the database has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredModel {
    /// Its number.
    pub version: ModelVersion,
    /// The length of its file.
    pub bytes: u64,
    /// XXH3, 64 bits, of its file.
    pub xxh3: u64,
    /// When it was published, in milliseconds since 1970.
    pub created_ms: i64,
    /// Whether it is the one to serve.
    pub is_active: bool,
}

/// Why a model could not be published or fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseModelsError {
    /// The database refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no such version, or a file of it is damaged or cannot be used.
    #[error(transparent)]
    Folder(#[from] ModelFolderError),
    /// The file to be published is no snapshot.
    #[error("cannot publish {}: {source}", path.display())]
    Snapshot {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: SnapshotError,
    },
    /// The pieces are not what was published.
    #[error(
        "model version {version} has {what} {found:#x} in the database, expected {expected:#x}"
    )]
    Differs {
        /// The version.
        version: ModelVersion,
        /// Its length or its checksum.
        what: &'static str,
        /// What was found.
        found: u64,
        /// What was expected.
        expected: u64,
    },
    /// Another process may be training by now.
    #[error("the turn to train was lost with its connection, expected it held: try again")]
    TurnLost,
}

/// The models of a store in PostgreSQL. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct DatabaseModels {
    pub(super) shop: i64,
    /// One connection of its own: a file takes its time, and events do not wait for it.
    pub(super) pool: Pool,
}

impl DatabaseModels {
    /// Publishes the snapshot in a file: stores it as a new version, makes that the active one,
    /// removes old ones until `keep` are left, and gives notice. All or nothing.
    ///
    /// # Errors
    ///
    /// [`DatabaseModelsError::Snapshot`], [`TurnLost`](DatabaseModelsError::TurnLost) or
    /// [`Store`](DatabaseModelsError::Store). The version active before then stays active, unless
    /// the answer to the commit was lost.
    pub async fn publish(
        &self,
        turn: &mut TrainingTurn,
        file: &Path,
        created_ms: i64,
        keep: NonZeroUsize,
    ) -> Result<ModelVersion, DatabaseModelsError> {
        let path = file.to_owned();
        let (bytes, xxh3) = blocking(move || measure_snapshot(&path)).await?;
        let mut lease = self.begin().await?;
        let published = async {
            let model = StoredModel {
                version: next_version(&mut lease, self.shop, created_ms).await?,
                bytes,
                xxh3,
                created_ms,
                is_active: false,
            };
            self.upload(&mut lease, &model, file).await?;
            set_active(&mut lease, self.shop, model.version).await?;
            prune(&mut lease, self.shop, keep).await?;
            if !turn.is_held().await {
                return Err(DatabaseModelsError::TurnLost);
            }
            Ok(model.version)
        };
        let published = published.await;
        self.end(lease, published).await
    }

    /// Makes this version the active one, and gives notice.
    ///
    /// # Errors
    ///
    /// [`DatabaseModelsError::Folder`] if there is no such version,
    /// [`TurnLost`](DatabaseModelsError::TurnLost) or [`Store`](DatabaseModelsError::Store).
    pub async fn activate(
        &self,
        turn: &mut TrainingTurn,
        version: ModelVersion,
    ) -> Result<(), DatabaseModelsError> {
        // So that the message can name those there are.
        self.find(version).await?;
        let mut lease = self.begin().await?;
        let activated = async {
            set_active(&mut lease, self.shop, version).await?;
            if !turn.is_held().await {
                return Err(DatabaseModelsError::TurnLost);
            }
            Ok(version)
        };
        let activated = activated.await;
        self.end(lease, activated).await.map(|_| ())
    }

    /// The versions there are, newest first.
    ///
    /// # Errors
    ///
    /// [`DatabaseModelsError::Store`].
    pub async fn versions(&self) -> Result<Vec<StoredModel>, DatabaseModelsError> {
        let text = "SELECT version, bytes, xxh3, created_ms, active FROM models
            WHERE shop_id = $1 ORDER BY version DESC";
        let rows = self.pool.rows(|| sqlx::query(text).bind(self.shop)).await?;
        Ok(rows.iter().map(stored_model).collect::<Result<_, _>>()?)
    }

    /// The version to serve, if there is any.
    ///
    /// # Errors
    ///
    /// [`DatabaseModelsError::Store`].
    pub async fn active(&self) -> Result<Option<StoredModel>, DatabaseModelsError> {
        let text = "SELECT version, bytes, xxh3, created_ms, active FROM models
            WHERE shop_id = $1 AND active";
        let rows = self.pool.rows(|| sqlx::query(text).bind(self.shop)).await?;
        Ok(rows.first().map(stored_model).transpose()?)
    }

    /// Fetches a version into a folder, unless the folder has it, and verifies it. Returns the
    /// snapshot.
    ///
    /// Reads and writes one piece of 8 MiB after the other. The folder's active version stays
    /// what it is.
    ///
    /// # Errors
    ///
    /// [`DatabaseModelsError::Folder`], [`Differs`](DatabaseModelsError::Differs) or
    /// [`Store`](DatabaseModelsError::Store); the folder is then as it was.
    pub async fn fetch(
        &self,
        version: ModelVersion,
        folder: &ModelFolder,
    ) -> Result<Snapshot, DatabaseModelsError> {
        let model = self.find(version).await?;
        let path = folder.path(version);
        let there = path.clone();
        if let Some(snapshot) = blocking(move || Ok(verified(&there, &model))).await? {
            return Ok(snapshot);
        }
        let unfinished = Unfinished::beside(&path);
        self.download(&model, &unfinished).await?;
        blocking(move || finish(&model, &unfinished, &path)).await
    }

    async fn find(&self, version: ModelVersion) -> Result<StoredModel, DatabaseModelsError> {
        let models = self.versions().await?;
        let unknown = || {
            let known = models.iter().map(|model| model.version).collect();
            ModelFolderError::UnknownVersion { version, known }.into()
        };
        models.iter().find(|model| model.version == version).copied().ok_or_else(unknown)
    }

    /// Begins to change which versions there are, once nobody else does.
    async fn begin(&self) -> Result<Lease, DatabaseModelsError> {
        let mut lease = self.pool.lease().await?;
        let shop = self.shop;
        let script = format!("BEGIN; SELECT pg_advisory_xact_lock({KEY}, {shop}::integer)");
        lease.begin(&script).await?;
        Ok(lease)
    }

    /// Commits what went well and gives notice of it; takes everything else back.
    async fn end(
        &self,
        mut lease: Lease,
        changed: Result<ModelVersion, DatabaseModelsError>,
    ) -> Result<ModelVersion, DatabaseModelsError> {
        let version = match changed {
            Ok(version) => version,
            Err(error) => {
                // If this fails, the connection is closed, which does the same.
                let _ = lease.end("ROLLBACK").await;
                return Err(error);
            }
        };
        let news = format!("{} model {version}", self.shop);
        let script = format!(
            "SET LOCAL statement_timeout = 0; SELECT pg_notify('{CHANNEL}', '{news}'); COMMIT"
        );
        lease.end(&script).await?;
        Ok(version)
    }

    async fn upload(
        &self,
        lease: &mut Lease,
        model: &StoredModel,
        path: &Path,
    ) -> Result<(), DatabaseModelsError> {
        let text = "INSERT INTO models (shop_id, version, bytes, xxh3, created_ms, active)
            VALUES ($1, $2, $3, $4, $5, false)";
        let version = number_of(model.version);
        let row = sqlx::query(text)
            .bind(self.shop)
            .bind(version)
            .bind(model.bytes.cast_signed())
            .bind(model.xxh3.cast_signed())
            .bind(model.created_ms);
        lease.execute(row).await?;

        let text = "INSERT INTO model_chunks (shop_id, version, place, bytes)
            VALUES ($1, $2, $3, $4)";
        let opened = path.to_owned();
        let mut file = blocking(move || Hashed::open(&opened).map_err(failed(&opened))).await?;
        for (place, length) in pieces(model.bytes) {
            let path = path.to_owned();
            let read = move || read_piece(file, length).map_err(failed(&path));
            let piece;
            (file, piece) = blocking(read).await?;
            let query =
                sqlx::query(text).bind(self.shop).bind(version).bind(place).bind(piece.as_slice());
            lease.execute(query).await?;
        }
        // Somebody may have written to the file since it was measured.
        agree(model, "checksum", file.checksum(), model.xxh3)
    }

    async fn download(
        &self,
        model: &StoredModel,
        unfinished: &Unfinished,
    ) -> Result<(), DatabaseModelsError> {
        let text = "SELECT bytes FROM model_chunks
            WHERE shop_id = $1 AND version = $2 AND place = $3";
        let version = number_of(model.version);
        let path = unfinished.0.clone();
        let mut file = blocking(move || File::create(&path).map_err(failed(&path))).await?;
        for (place, length) in pieces(model.bytes) {
            let rows = self
                .pool
                .rows(|| sqlx::query(text).bind(self.shop).bind(version).bind(place))
                .await?;
            // None if the version was removed meanwhile.
            let chunk: Vec<u8> = rows.first().map_or(Ok(Vec::new()), |row| get(row, 0))?;
            agree(model, "a piece of length", chunk.len() as u64, length as u64)?;
            let path = unfinished.0.clone();
            file = blocking(move || {
                file.write_all(&chunk).map_err(failed(&path))?;
                Ok(file)
            })
            .await?;
        }
        let path = unfinished.0.clone();
        blocking(move || file.sync_all().map_err(failed(&path))).await
    }
}

/// The version of a model that is created now: above all there are, and at least the seconds since
/// 1970. A folder may hold versions of another database, or from before there was one, and tells
/// them by their numbers only.
async fn next_version(
    lease: &mut Lease,
    shop: i64,
    created_ms: i64,
) -> Result<ModelVersion, StoreError> {
    let text = "SELECT greatest(coalesce(max(version), 0) + 1, $2) FROM models WHERE shop_id = $1";
    let query = sqlx::query(text).bind(shop).bind(created_ms / 1000);
    Ok(ModelVersion(count_in(&lease.row(query).await?, 0)?))
}

async fn set_active(
    lease: &mut Lease,
    shop: i64,
    version: ModelVersion,
) -> Result<(), DatabaseModelsError> {
    // One after the other, since two cannot be active even in between.
    let text = "UPDATE models SET active = false WHERE shop_id = $1 AND active";
    lease.execute(sqlx::query(text).bind(shop)).await?;
    let text = "UPDATE models SET active = true WHERE shop_id = $1 AND version = $2";
    let set = lease.execute(sqlx::query(text).bind(shop).bind(number_of(version))).await?;
    if set == 0 {
        return Err(ModelFolderError::UnknownVersion { version, known: Vec::new() }.into());
    }
    Ok(())
}

async fn prune(lease: &mut Lease, shop: i64, keep: NonZeroUsize) -> Result<(), StoreError> {
    let text = "DELETE FROM models WHERE shop_id = $1 AND NOT active AND version NOT IN (
            SELECT version FROM models WHERE shop_id = $1 ORDER BY version DESC LIMIT $2)";
    let keep = i64::try_from(keep.get()).unwrap_or(i64::MAX);
    lease.execute(sqlx::query(text).bind(shop).bind(keep)).await?;
    Ok(())
}

fn stored_model(row: &PgRow) -> Result<StoredModel, StoreError> {
    Ok(StoredModel {
        version: ModelVersion(count_in(row, 0)?),
        bytes: count_in(row, 1)?,
        xxh3: get::<i64>(row, 2)?.cast_unsigned(),
        created_ms: get(row, 3)?,
        is_active: get(row, 4)?,
    })
}

/// A version as a value of a statement; one that the database cannot have is none that it has.
fn number_of(version: ModelVersion) -> i64 {
    i64::try_from(version.0).unwrap_or(i64::MAX)
}

/// Runs something that waits for files, off the async threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DatabaseModelsError> + Send + 'static,
) -> Result<T, DatabaseModelsError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The runtime is going away.
        Err(_) => Err(StoreError::Closed.into()),
    }
}
