//! What only PostgreSQL does: several processes, notices, a server that comes and goes.

mod models;
mod opening;
mod replicas;
mod restart;
mod speed;
mod training;

use std::num::NonZeroU32;
use std::time::Duration;

use storage::{DatabaseUrl, NewEvent, Store, StoreSettings};
use testbed::postgres::Database;

use crate::support::rating;

/// Longer than any notice takes on a busy machine.
const SOON: Duration = Duration::from_secs(30);

/// Patient enough for a busy machine, and soon over where a test waits in vain.
fn settings() -> StoreSettings {
    StoreSettings {
        readers: NonZeroU32::new(2).expect("two is not zero"),
        busy_timeout: Duration::from_millis(500),
        acquire_timeout: Duration::from_secs(2),
        cache_kib: 1024,
        writer_cache_kib: 1024,
    }
}

fn parse(url: &str) -> DatabaseUrl {
    DatabaseUrl::parse(url).expect("the testbed gives a URL")
}

async fn connect(database: &Database) -> Store {
    Store::connect(&parse(database.url()), &settings()).await.expect("the store opens")
}

/// Appends one event of user 1 and commits.
async fn append(store: &Store, id: &str) {
    let mut writer = store.begin().await.expect("nobody else writes");
    let event: NewEvent = rating(1, id, 7);
    writer.append_events(&[event]).await.expect("it fits");
    writer.commit().await.expect("the commit succeeds");
}

/// How many events user 1 has.
async fn events(store: &Store) -> usize {
    let user = recommender::UserNumber(1);
    store.history(user, 1_000).await.expect("it reads").events.len()
}
