//! A disk that misbehaves under SQLite: what it promises with `synchronous=FULL` holds, and the
//! same without syncs does not, so that these faults are neither too hard nor too soft.

use std::path::{Path, PathBuf};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};
use testbed::faults::{Counters, Fault, Faults, Moment};

use crate::child;

const RECORDS: u32 = 100;

/// How many operations on files a run makes, about; faults are spread over them.
const OPERATIONS: u64 = 400;

/// How often a record is tried that cannot be written.
const TRIES_MAX: u32 = 100_000;

/// Plays the program that writes one record a transaction, and says `written N`. One that
/// failed is tried again, after `failed N`.
pub(crate) fn play(synchronous: SqliteSynchronous) {
    let path = PathBuf::from(std::env::var_os("TESTBED_FILE").expect("it is set by `run`"));
    block_on(async {
        // Little room in the log, so that it is often copied into the database.
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(synchronous)
            .pragma("wal_autocheckpoint", "20");
        let mut connection = options.connect().await.expect("it opens");
        let table = "create table if not exists records (number integer primary key, text text)";
        sqlx::query(table).execute(&mut connection).await.expect("a table");
        for number in 1..=RECORDS {
            // One that failed may be there all the same.
            let insert = "insert or ignore into records values (?, ?)";
            let mut tries = 0;
            while let Err(error) = {
                let insert = sqlx::query(insert).bind(number).bind(text(number));
                insert.execute(&mut connection).await
            } {
                child::say(&format!("failed {number}"));
                tries += 1;
                assert!(tries < TRIES_MAX, "{error}");
            }
            child::say(&format!("written {number}"));
        }
        // Not closed: the process ends as one that is killed.
    });
}

fn text(number: u32) -> String {
    format!("record {number} ").repeat(40)
}

/// What came of a run.
struct Run {
    written: Vec<u32>,
    failed: Vec<u32>,
    /// What is wrong with the database, if anything.
    damage: Option<String>,
    counters: Counters,
}

/// Runs the program with a fault that is armed from its start; one that is not the end is over
/// once `failures` records have failed.
fn run(role: &str, fault: Fault, failures: usize) -> Run {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("database");
    let faults = Faults::in_folder(folder.path()).expect("the library");
    faults.arm(fault).expect("it is armed");
    let mut command = child::command(role);
    command.env("TESTBED_FILE", &path).envs(faults.environment());
    let mut child = command.spawn().expect("it starts");
    let (mut written, mut failed) = (Vec::new(), Vec::new());
    for line in child::marked(&mut child, "") {
        let number =
            |mark: &str| line.split_once(mark).and_then(|(_, number)| number.parse::<u32>().ok());
        written.extend(number("written "));
        failed.extend(number("failed "));
        if failed.len() == failures {
            faults.disarm().expect("it is disarmed");
        }
    }
    child.wait().expect("it ends");
    let damage = block_on(damage(&path, &written)).unwrap_or_else(|error| Some(error.to_string()));
    Run { written, failed, damage, counters: faults.counters().expect("counters") }
}

/// Whether all that was written is there and whole.
async fn damage(path: &Path, written: &[u32]) -> sqlx::Result<Option<String>> {
    let options = SqliteConnectOptions::new().filename(path);
    let mut connection: SqliteConnection = options.create_if_missing(true).connect().await?;
    let check: String =
        sqlx::query_scalar("pragma integrity_check").fetch_one(&mut connection).await?;
    if check != "ok" {
        return Ok(Some(check));
    }
    if written.is_empty() {
        return Ok(None);
    }
    let rows: Vec<(u32, String)> =
        sqlx::query_as("select number, text from records").fetch_all(&mut connection).await?;
    connection.close().await?;
    let is_there = |number: &&u32| rows.contains(&(**number, text(**number)));
    let lost: Vec<_> = written.iter().filter(|number| !is_there(number)).collect();
    Ok((!lost.is_empty()).then(|| format!("{lost:?} are lost")))
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(future)
}

#[test]
fn a_database_that_syncs_survives_power_cuts() {
    let mut lost = 0;
    for seed in 0..20 {
        let operation = 1 + seed * OPERATIONS / 20;
        let run = run("database", Fault::PowerCut { operation, seed }, usize::MAX);
        assert!(run.counters.has_fired, "seed {seed}: {:?}", run.counters);
        assert_eq!(run.damage, None, "seed {seed}");
        assert_eq!(run.counters.forgotten, 0);
        lost += run.counters.sectors_lost;
    }
    assert!(lost > 0, "power cuts lose something");
}

#[test]
fn a_database_that_does_not_sync_does_not_survive_power_cuts() {
    let damaged = |seed: &u64| {
        let fault = Fault::PowerCut { operation: 200, seed: *seed };
        run("careless database", fault, usize::MAX).damage.is_some()
    };
    let damaged = (0..6).filter(damaged).count();
    assert!(damaged >= 3, "{damaged} of 6 lost something");
}

#[test]
fn a_database_survives_kills_at_any_moment() {
    for seed in 0..12 {
        let moment = [Moment::Before, Moment::Torn, Moment::After][seed as usize % 3];
        let operation = 1 + seed * OPERATIONS / 12;
        let run = run("database", Fault::Kill { operation, moment, seed }, usize::MAX);
        assert!(run.counters.has_fired, "seed {seed}");
        assert_eq!(run.damage, None, "seed {seed}");
    }
}

#[test]
fn a_database_survives_syncs_that_fail() {
    for first in [8, 15, 30, 60] {
        let run = run("database", Fault::SyncsFail { first, count: 2 }, usize::MAX);
        assert_eq!(run.counters.failed_syncs, 2);
        assert_eq!(run.written.len(), RECORDS as usize);
        assert_eq!(run.damage, None, "from sync {first} on; {:?} failed", run.failed);
    }
}

#[test]
fn a_database_survives_a_full_disk() {
    for bytes in [40_000, 100_000, 250_000] {
        let run = run("database", Fault::DiskFull { bytes }, 5);
        assert!(run.failed.len() >= 5);
        assert_eq!(run.written.len(), RECORDS as usize);
        assert_eq!(run.damage, None, "full after {bytes} bytes; {:?} failed", run.failed);
    }
}
