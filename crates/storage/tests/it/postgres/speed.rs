//! How fast events are recorded into a store that holds many: durable ones, in groups.
//!
//! `FOREWORD_SPEED_POSTGRES` names a database whose store was filled before; without it, a fresh
//! one is used. With it:
//! `cargo test -p storage --release --test it -- --ignored --nocapture postgres::speed`

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use recommender::{EventKind, ItemNumber, UserNumber};
use storage::{Entry, EventId, EventOrigin, NewEvent, Recorded, Store};
use testbed::postgres::database_or_skip;

use super::{parse, settings};

const USERS: u64 = 1_000_000;
const ITEMS: u64 = 100_000;

/// How many events are recorded with each size of group.
const EVENTS: u64 = 81_920;

/// `SplitMix64`: the same numbers in every run.
fn random(index: u64) -> u64 {
    let mut word = index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

fn entry(seed: u64, index: u64) -> Entry {
    let number = |word: u64, below: u64| u32::try_from(word % below).expect("below is small") + 1;
    let id = (u128::from(random(seed)) << 64) | u128::from(random(index));
    Entry::Event(NewEvent {
        user: UserNumber(number(random(seed ^ (2 * index)), USERS)),
        item: ItemNumber(number(random(seed ^ (2 * index + 1)), ITEMS)),
        event_id: EventId::new(&id.to_be_bytes()).expect("16 bytes fit"),
        kind: EventKind::View,
        rating: None,
        time_ms: Some(1_700_000_000_000),
        recorded_ms: 1_700_000_000_000,
        origin: EventOrigin::Client,
        attribution_token: None,
    })
}

async fn record(store: &Store, seed: u64, group: u64) -> Duration {
    let mut spent = Duration::ZERO;
    for first in (0..EVENTS).step_by(usize::try_from(group).expect("a group is small")) {
        let entries: Vec<Entry> = (first..first + group).map(|index| entry(seed, index)).collect();
        let start = Instant::now();
        let mut writer = store.begin().await.expect("nobody else writes");
        let recorded = writer.record(&entries, 1_000_000).await.expect("they fit");
        writer.commit().await.expect("the commit succeeds");
        spent += start.elapsed();
        assert!(recorded.iter().all(|recorded| *recorded == Recorded::Stored));
    }
    spent
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "a measurement; takes a minute"]
async fn events_are_recorded_in_groups_and_scanned() {
    let fresh = database_or_skip("speed of PostgreSQL");
    let given = std::env::var("FOREWORD_SPEED_POSTGRES").ok();
    let Some(url) = given.or_else(|| Some(fresh.as_ref()?.url().to_owned())) else { return };
    let store = Store::connect(&parse(&url), &settings()).await.expect("the store opens");
    println!("before: {:?}", store.revisions().await.expect("it reads"));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let seed = u64::try_from(now.expect("after 1970").as_nanos()).expect("before 2500");
    for (run, group) in [512, 1_024, 2_048, 4_096, 512, 4_096].into_iter().enumerate() {
        let spent = record(&store, random(seed + run as u64), group).await;
        let rate = EVENTS as f64 / spent.as_secs_f64();
        println!(
            "groups of {group}: {rate:.0} durable events/s, {:?} a group",
            spent / u32::try_from(EVENTS / group).expect("few")
        );
    }
    let start = Instant::now();
    for index in 0..1_000 {
        let user = u32::try_from(random(seed ^ index) % USERS).expect("small") + 1;
        store.history(UserNumber(user), 200).await.expect("it reads");
    }
    println!("a history in {:?}", start.elapsed() / 1_000);
    let (start, mut seen) = (Instant::now(), 0);
    let scanned = store
        .scan_events(|_, events| {
            seen += events.len();
            if seen < 2_000_000 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
        .await;
    scanned.expect("it scans");
    println!("scanned {seen} in {:?}", start.elapsed());
}
