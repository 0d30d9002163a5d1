//! Recording into a store that holds ten million events already: how many a second, durably.
//!
//! `cargo test -p storage --release --test it -- --ignored --nocapture recording`
//!
//! Where `FOREWORD_RECORDING_STORE` names a folder, the store is made there once and kept.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use recommender::id::FIRST_ASSIGNED;
use recommender::{EventKind, ItemNumber, UserNumber};
use storage::{Entry, EventId, EventOrigin, NewEvent, Recorded, Store, StoreSettings};

use crate::support::settings;

const EVENTS: u64 = 10_000_000;
const USERS: u64 = 1_000_000;
const ITEMS: u64 = 100_000;
const BATCH: u64 = 20_000;

/// For how long each size of group is measured.
const LASTING: Duration = Duration::from_secs(20);

/// `SplitMix64`: the same numbers in every run.
fn random(index: u64) -> u64 {
    let mut word = index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

fn user(index: u64) -> u32 {
    u32::try_from(random(4 * index + 2) % USERS).expect("there are fewer")
}

fn event(index: u64) -> NewEvent {
    let id = (u128::from(random(4 * index)) << 64) | u128::from(random(4 * index + 1));
    let item = u32::try_from(random(4 * index + 3) % ITEMS).expect("there are fewer");
    NewEvent {
        user: UserNumber(FIRST_ASSIGNED + user(index)),
        item: ItemNumber(item + 1),
        event_id: EventId::new(&id.to_be_bytes()).expect("16 bytes fit"),
        kind: EventKind::View,
        rating: None,
        time_ms: Some(1_700_000_000_000 + i64::try_from(index).expect("an index is small")),
        recorded_ms: 1_700_000_000_000,
        origin: EventOrigin::Client,
        attribution_token: None,
    }
}

fn user_id(index: u32) -> String {
    format!("reader-{index:08}")
}

async fn fill(folder: &Path) {
    let settings = StoreSettings { writer_cache_kib: 4 << 20, ..settings() };
    let store = Store::open(folder, &settings).await.expect("the store opens");
    let start = Instant::now();
    let mut writer = store.begin().await.expect("nobody else writes");
    let ids: Vec<String> = (0..1_000_000).map(user_id).collect();
    for ids in ids.chunks(10_000) {
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        writer.assign_users(&ids).await.expect("ids");
    }
    for batch in 0..EVENTS / BATCH {
        let events: Vec<NewEvent> = (batch * BATCH..(batch + 1) * BATCH).map(event).collect();
        writer.append_events(&events).await.expect("the events fit");
    }
    writer.commit().await.expect("the commit succeeds");
    store.close().await;
    println!("filled in {:?}", start.elapsed());
}

/// What a group took.
#[derive(Default)]
struct Spent {
    begin: Duration,
    resolve: Duration,
    record: Duration,
    commit: Duration,
    groups: Vec<Duration>,
}

async fn record_group(store: &Store, entries: &[Entry], ids: &[String], spent: &mut Spent) {
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let start = Instant::now();
    let mut writer = store.begin().await.expect("nobody else writes");
    let begun = Instant::now();
    let users = writer.resolve_users(&ids).await.expect("ids");
    assert_eq!(users.len(), ids.len());
    let resolved = Instant::now();
    let recorded = writer.record(entries, 1_000_000).await.expect("the entries fit");
    let done = Instant::now();
    writer.commit().await.expect("the commit succeeds");
    let end = Instant::now();
    assert!(recorded.iter().all(|recorded| *recorded == Recorded::Stored));
    spent.begin += begun - start;
    spent.resolve += resolved - begun;
    spent.record += done - resolved;
    spent.commit += end - done;
    spent.groups.push(end - start);
}

async fn measure(store: &Store, folder: &Path, group: u64, next: &mut u64) {
    let mut spent = Spent::default();
    let (start, first) = (Instant::now(), *next);
    let mut generating = Duration::ZERO;
    while start.elapsed() < LASTING {
        let made = Instant::now();
        let range = *next..*next + group;
        let entries: Vec<Entry> = range.clone().map(|index| Entry::Event(event(index))).collect();
        let ids: Vec<String> = range.map(|index| user_id(user(index))).collect();
        generating += made.elapsed();
        record_group(store, &entries, &ids, &mut spent).await;
        *next += group;
    }
    let busy = (start.elapsed() - generating).as_secs_f64();
    spent.groups.sort_unstable();
    let share = |share: f64| spent.groups[((spent.groups.len() - 1) as f64 * share) as usize];
    let log = std::fs::metadata(folder.join("foreword.db-wal")).map_or(0, |file| file.len());
    println!(
        "{group} a group: {:.0} events/s; p50 {:?} p99 {:?} max {:?}; begin {:?} resolve {:?} record {:?} commit {:?}; log {} MiB",
        (*next - first) as f64 / busy,
        share(0.5),
        share(0.99),
        share(1.0),
        spent.begin,
        spent.resolve,
        spent.record,
        spent.commit,
        log >> 20,
    );
}

#[tokio::test]
#[ignore = "takes some minutes in release; cargo xtask soak runs it"]
async fn events_are_recorded_durably_into_a_store_of_ten_million() {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let kept = std::env::var_os("FOREWORD_RECORDING_STORE").map(PathBuf::from);
    let folder = kept.as_deref().unwrap_or(scratch.path());
    if !folder.join(storage::FILE_NAME).exists() {
        fill(folder).await;
    }
    let cache = std::env::var("FOREWORD_RECORDING_CACHE_MIB").ok();
    let cache: u32 = cache.map_or(64, |mib| mib.parse().expect("a number of MiB"));
    let settings = StoreSettings { writer_cache_kib: cache << 10, ..settings() };
    let store = Store::open(folder, &settings).await.expect("the store opens");
    // What was recorded before is not recorded again.
    let mut next = u64::try_from(store.revisions().await.expect("it reads").event_changes)
        .expect("a count is positive");
    for group in [512, 1_024, 2_048, 4_096] {
        measure(&store, folder, group, &mut next).await;
    }
    store.close().await;
}
