//! An import the size of goodbooks-10k's in random order, and a scan: right, and how fast.
//!
//! `cargo test -p storage --release --test it -- --ignored --nocapture speed`

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use recommender::{EventKind, ItemNumber, Rating, UserNumber};
use storage::{Appended, EventId, EventOrigin, NewEvent, Store, StoreSettings};

use crate::support::settings;

const EVENTS: u64 = 1_900_000;
const USERS: u64 = 53_000;
const ITEMS: u64 = 10_000;
const BATCH: u64 = 20_000;

/// `SplitMix64`: the same numbers in every run.
fn random(index: u64) -> u64 {
    let mut word = index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

fn event(index: u64) -> NewEvent {
    let id = (u128::from(random(4 * index)) << 64) | u128::from(random(4 * index + 1));
    let number = |word: u64, below: u64| u32::try_from(word % below).expect("below is small") + 1;
    NewEvent {
        user: UserNumber(number(random(4 * index + 2), USERS)),
        item: ItemNumber(number(random(4 * index + 3), ITEMS)),
        event_id: EventId::new(&id.to_be_bytes()).expect("16 bytes fit"),
        kind: EventKind::Rating,
        rating: Rating::from_half_stars(8),
        time_ms: Some(1_500_000_000_000 + i64::try_from(index).expect("an index is small")),
        recorded_ms: 1_700_000_000_000,
        origin: EventOrigin::Import,
        attribution_token: None,
    }
}

/// The most memory this process ever had, in MiB.
fn peak_memory_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}

async fn import(store: &Store) -> (Duration, Appended) {
    let (mut spent, mut done) = (Duration::ZERO, Appended::default());
    let mut writer = store.begin().await.expect("nobody else writes");
    for batch in 0..EVENTS / BATCH {
        let events: Vec<NewEvent> = (batch * BATCH..(batch + 1) * BATCH).map(event).collect();
        let start = Instant::now();
        let appended = writer.append_events(&events).await.expect("the events fit");
        spent += start.elapsed();
        done.stored += appended.stored;
        done.repeated += appended.repeated;
        done.conflicting += appended.conflicting;
    }
    let start = Instant::now();
    writer.commit().await.expect("the commit succeeds");
    (spent + start.elapsed(), done)
}

async fn scan(store: &Store) -> (Duration, u64) {
    let start = Instant::now();
    let mut seen = 0;
    let scanned = store
        .scan_events(|_, events| {
            seen += events.len() as u64;
            ControlFlow::Continue(())
        })
        .await;
    scanned.expect("the scan succeeds");
    (start.elapsed(), seen)
}

#[tokio::test]
#[ignore = "takes some ten seconds in release; cargo xtask soak runs it"]
async fn an_import_of_real_size_is_stored_once_and_scanned_whole() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let settings =
        StoreSettings { writer_cache_kib: 512 * 1024, cache_kib: 64 * 1024, ..settings() };
    let store = Store::open(folder.path(), &settings).await.expect("the store opens");
    println!("peak memory before {} MiB", peak_memory_mib());
    let (spent, done) = import(&store).await;
    println!("import {} in {spent:?}, peak memory {} MiB", done.stored, peak_memory_mib());
    assert_eq!(done, Appended { stored: EVENTS, repeated: 0, conflicting: 0 });
    let (spent, done) = import(&store).await;
    println!("again, {} new, in {spent:?}, peak memory {} MiB", done.stored, peak_memory_mib());
    assert_eq!(done, Appended { stored: 0, repeated: EVENTS, conflicting: 0 });
    for _ in 0..3 {
        let (spent, seen) = scan(&store).await;
        println!("scan {seen} in {spent:?}, peak memory {} MiB", peak_memory_mib());
        assert_eq!(seen, EVENTS);
    }
    let start = Instant::now();
    let counts = store.counts().await.expect("it counts");
    println!("{counts:?} in {:?}", start.elapsed());
    assert_eq!((counts.events, counts.users), (EVENTS, USERS));
    let start = Instant::now();
    for user in 1..=1000 {
        store.history(UserNumber(user), 200).await.expect("it reads");
    }
    println!("history {:?} each", start.elapsed() / 1000);
    store.close().await;
    let bytes =
        std::fs::metadata(folder.path().join(storage::FILE_NAME)).expect("it is there").len();
    println!("file {} MiB", bytes >> 20);
}
