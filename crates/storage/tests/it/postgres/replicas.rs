//! Two stores on one database, as two replicas have it.

use std::time::Duration;

use storage::{Store, StoreError};
use testbed::postgres::database_or_skip;
use tokio::time::{Instant, timeout};

use super::{SOON, append, connect, events, parse, settings};
use crate::support::{book, everything};

#[tokio::test]
async fn what_one_replica_commits_the_other_reads_and_is_told_of() {
    let Some(database) = database_or_skip("replicas see commits") else { return };
    let (first, second) = (connect(&database).await, connect(&database).await);
    let mut notices = second.listen().await.expect("it listens").expect("PostgreSQL can");
    append(&first, "a").await;
    timeout(SOON, notices.next()).await.expect("a notice comes").expect("it is one");
    assert_eq!(everything(&first).await, everything(&second).await);
    assert_eq!(events(&second).await, 1);

    // A replica hears of its own commits too, and of those of others; in both directions.
    let mut writer = second.begin().await.expect("nobody else writes");
    writer.put_books(&[book(1, "Dune")]).await.expect("it fits");
    writer.commit().await.expect("the commit succeeds");
    timeout(SOON, notices.next()).await.expect("a notice comes").expect("it is one");
    assert_eq!(first.catalogue_revision().await.expect("it reads"), 1);
}

#[tokio::test]
async fn replicas_are_those_that_listen_and_are_gone_when_they_stop() {
    let Some(database) = database_or_skip("replicas are told of") else { return };
    let (first, second) = (connect(&database).await, connect(&database).await);
    assert_eq!(first.replicas().await.expect("it reads"), []);
    let _here = first.listen().await.expect("it listens").expect("PostgreSQL can");
    let there = second.listen().await.expect("it listens").expect("PostgreSQL can");
    let found = first.replicas().await.expect("it reads");
    assert_eq!(found.len(), 2, "{found:?}");
    let name = format!("/{}", std::process::id());
    assert!(found.iter().all(|one| one.name.ends_with(&name)), "{found:?}");
    assert!(found[0].since_ms > 0 && found[0].since_ms <= found[1].since_ms, "{found:?}");
    drop(there);
    let deadline = Instant::now() + SOON;
    while first.replicas().await.expect("it reads").len() > 1 {
        assert!(Instant::now() < deadline, "it is gone, and told of");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn who_changes_nothing_gives_no_notice() {
    let Some(database) = database_or_skip("nothing new, no notice") else { return };
    let store = connect(&database).await;
    append(&store, "a").await;
    let mut notices = store.listen().await.expect("it listens").expect("PostgreSQL can");
    // Repeated, rolled back, dropped: nothing of it is news.
    append(&store, "a").await;
    for waits in [true, false] {
        let mut writer = store.begin().await.expect("nobody else writes");
        writer.put_books(&[book(1, "Dune")]).await.expect("it fits");
        if waits {
            writer.rollback().await.expect("it rolls back");
        }
    }
    let nothing = timeout(Duration::from_millis(300), notices.next()).await;
    assert!(nothing.is_err(), "{nothing:?}");
}

#[tokio::test]
async fn a_writer_waits_for_that_of_another_replica_but_not_for_ever() {
    let Some(database) = database_or_skip("one writer among replicas") else { return };
    let (first, second) = (connect(&database).await, connect(&database).await);
    let writer = first.begin().await.expect("nobody else writes");
    let start = Instant::now();
    let refused = second.begin().await;
    assert!(matches!(refused, Err(StoreError::Busy)), "{refused:?}");
    assert!(start.elapsed() >= settings().busy_timeout, "{:?}", start.elapsed());
    // Readers do not wait.
    assert_eq!(events(&second).await, 0);
    writer.rollback().await.expect("it rolls back");
    append(&second, "a").await;
    // One that is dropped lets go as well.
    drop(first.begin().await.expect("nobody else writes"));
    append(&second, "b").await;
    assert_eq!(events(&first).await, 2);
}

#[tokio::test]
async fn revisions_are_in_the_order_of_commits_whoever_commits() {
    const COMMITS: i64 = 20;
    let Some(database) = database_or_skip("revisions in the order of commits") else { return };
    let mut patient = settings();
    patient.busy_timeout = SOON;
    patient.acquire_timeout = SOON;
    let mut tasks = Vec::new();
    for replica in 0..3_u32 {
        let store = Store::connect(&parse(database.url()), &patient).await.expect("it opens");
        tasks.push(tokio::spawn(async move {
            let mut revisions = Vec::new();
            for index in 0..COMMITS {
                let mut writer = store.begin().await.expect("its turn comes");
                let event = crate::support::rating(replica + 1, &index.to_string(), 7);
                writer.append_events(&[event]).await.expect("it fits");
                revisions.push(writer.commit().await.expect("it commits").events_revision);
            }
            revisions
        }));
    }
    let mut all = Vec::new();
    for task in tasks {
        let revisions = task.await.expect("the task ends well");
        assert!(revisions.is_sorted(), "{revisions:?}");
        all.extend(revisions);
    }
    all.sort_unstable();
    assert_eq!(all, (1..=3 * COMMITS).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_commit_is_durable_even_where_the_database_says_otherwise() {
    let Some(database) = database_or_skip("synchronous_commit is forced") else { return };
    let off = format!("ALTER DATABASE \"{}\" SET synchronous_commit = off", database.name());
    database.query(&off).expect("the server accepts it");
    let serializable =
        off.replace("synchronous_commit = off", "default_transaction_isolation = 'serializable'");
    database.query(&serializable).expect("the server accepts it");
    let store = connect(&database).await;
    let trigger = "CREATE FUNCTION foreword.tell() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN NEW.attribution_token := current_setting('synchronous_commit') || ' '
            || current_setting('transaction_isolation'); RETURN NEW; END $$;
        CREATE TRIGGER tell BEFORE INSERT ON foreword.events FOR EACH ROW
        EXECUTE FUNCTION foreword.tell()";
    database.query(trigger).expect("the server accepts it");
    append(&store, "a").await;
    let history = store.history(recommender::UserNumber(1), 1).await.expect("it reads");
    let told = history.events.first().and_then(|event| event.attribution_token.as_deref());
    assert_eq!(told, Some("on read committed"));
}
