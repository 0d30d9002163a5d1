//! A server that is restarted while it is used.

use storage::{Store, StoreError};
use testbed::postgres::{Cluster, PostgresError};
use tokio::time::{Instant, timeout};

use super::{SOON, append, events, parse, settings};
use crate::support::rating;

/// A server of its own, since the others have theirs running.
fn start(test: &str) -> Option<Cluster> {
    match Cluster::start() {
        Ok(cluster) => Some(cluster),
        Err(missing @ PostgresError::Missing { .. }) => {
            testbed::skip::tool(test, &missing.to_string());
            None
        }
        Err(error) => panic!("PostgreSQL is there and does not start: {error}"),
    }
}

async fn connect(cluster: &Cluster) -> Store {
    let url = parse(&cluster.url("postgres"));
    Store::connect(&url, &settings()).await.expect("the store opens")
}

#[tokio::test]
async fn after_a_restart_the_first_calls_succeed() {
    let Some(mut cluster) = start("restart, first calls") else { return };
    let store = connect(&cluster).await;
    append(&store, "a").await;
    for kill in [false, true] {
        // All connections are open, and one of them was used a moment ago.
        let _ = tokio::join!(events(&store), events(&store), store.user_count());
        match kill {
            true => cluster.kill(),
            false => cluster.stop(),
        }
        .expect("it stops");
        cluster.start_again().expect("it starts");
        let _ = tokio::join!(events(&store), events(&store), store.user_count());
        append(&store, if kill { "c" } else { "b" }).await;
    }
    assert_eq!(events(&store).await, 3);
}

#[tokio::test]
async fn a_writer_in_the_middle_fails_and_nothing_of_it_is_there() {
    let Some(mut cluster) = start("restart, writer in the middle") else { return };
    let store = connect(&cluster).await;
    append(&store, "a").await;
    let mut writer = store.begin().await.expect("nobody else writes");
    writer.append_events(&[rating(1, "b", 7)]).await.expect("it fits");
    cluster.kill().expect("it dies");
    cluster.start_again().expect("it starts");
    let failed = writer.commit().await;
    assert!(matches!(failed, Err(StoreError::Unavailable(_))), "{failed:?}");
    assert_eq!(events(&store).await, 1);
    append(&store, "c").await;
    assert_eq!(events(&store).await, 2);
}

#[tokio::test]
async fn while_the_server_is_away_every_call_fails_soon_as_unavailable() {
    let Some(mut cluster) = start("server away") else { return };
    let store = connect(&cluster).await;
    append(&store, "a").await;
    cluster.stop().expect("it stops");
    // More than there are connections, so that some have to wait for one.
    let calls = (0..20).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let start = Instant::now();
            let (read, wrote) = (store.user_count().await, store.begin().await);
            assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
            assert!(matches!(wrote, Err(StoreError::Unavailable(_))), "{wrote:?}");
            start.elapsed()
        })
    });
    for call in calls.collect::<Vec<_>>() {
        let took = call.await.expect("the task ends well");
        assert!(took < settings().acquire_timeout * 4, "{took:?}");
    }
    cluster.start_again().expect("it starts");
    append(&store, "b").await;
    assert_eq!(events(&store).await, 2);
}

#[tokio::test]
async fn a_unix_socket_leads_to_the_same_store() {
    let Some(cluster) = start("unix socket") else { return };
    append(&connect(&cluster).await, "a").await;
    let (folder, port) = (cluster.folder().display(), cluster.port());
    let url = parse(&format!("postgres:///postgres?host={folder}&port={port}&user=postgres"));
    let store = Store::connect(&url, &settings()).await.expect("the store opens");
    assert_eq!(events(&store).await, 1);
}

#[tokio::test]
async fn who_listens_is_told_that_there_may_be_news_after_a_restart() {
    let Some(mut cluster) = start("notices after a restart") else { return };
    let store = connect(&cluster).await;
    let mut notices = store.listen().await.expect("it listens").expect("PostgreSQL can");
    cluster.kill().expect("it dies");
    cluster.start_again().expect("it starts");
    append(&store, "a").await;
    timeout(SOON, notices.next()).await.expect("it says so by itself").expect("it is news");
    // And from then on hears of every commit.
    append(&store, "b").await;
    timeout(SOON, notices.next()).await.expect("a notice comes").expect("it is one");
}
