//! A backup is of one moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use recommender::{EventKind, ItemNumber, UserNumber};
use storage::{Book, EventId, EventOrigin, NewEvent, Row, Store};

use super::{new_store, put_back, rows, take};

/// Commits books and events, one of each for every commit, until it is told to stop.
async fn write_on(store: Store, go_on: Arc<AtomicBool>) -> i64 {
    let mut commits = 0;
    while go_on.load(Ordering::Relaxed) {
        commits += 1;
        let number = u32::try_from(commits).unwrap();
        let mut writer = store.begin().await.unwrap();
        let Row::Book { book, .. } = plain_book(number) else { unreachable!("it is a book") };
        writer.put_books(&[*book]).await.unwrap();
        let event = NewEvent {
            user: UserNumber(1_000_000 - number),
            item: ItemNumber(number),
            event_id: EventId::new(b"a").unwrap(),
            kind: EventKind::View,
            rating: None,
            time_ms: None,
            recorded_ms: commits,
            origin: EventOrigin::Client,
            attribution_token: None,
        };
        writer.append_events(&[event]).await.unwrap();
        writer.commit().await.unwrap();
    }
    commits
}

fn plain_book(number: u32) -> Row {
    let book = Book {
        number: ItemNumber(number),
        id: number.to_string(),
        title: format!("Volume {number}"),
        authors: Vec::new(),
        published_year: None,
        language: None,
        categories: Vec::new(),
        series: None,
        volume: None,
        work: None,
        isbn13: None,
        cover_url: None,
        publisher: None,
        offer: recommender::offer::Offer::default(),
    };
    Row::Book { book: Box::new(book), revision: 0 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_during_writes_is_of_one_moment_between_two_commits() {
    let (store, folder) = new_store().await;
    let go_on = Arc::new(AtomicBool::new(true));
    let writing = tokio::spawn(write_on(store.clone(), Arc::clone(&go_on)));
    let mut before = 0;
    for place in 0..5 {
        while store.revisions().await.unwrap().events < before + 20 {
            tokio::task::yield_now().await;
        }
        let file = folder.path().join(format!("{place}.jsonl.gz"));
        let least = store.revisions().await.unwrap().events;
        let taken = take(&store, &file).await.unwrap();
        let (second, _folder) = new_store().await;
        put_back(&second, &file).await.unwrap();
        let revisions = second.revisions().await.unwrap();
        assert!(revisions.events >= least, "it is older than when it was begun");
        assert_eq!(revisions.catalogue, revisions.events);
        let counts = second.counts().await.unwrap();
        let all = [counts.books, counts.users, counts.events];
        assert_eq!(all, [revisions.events.unsigned_abs(); 3]);
        assert_eq!(rows(&second).await.len() as u64, taken.rows.total());
        before = revisions.events;
    }
    go_on.store(false, Ordering::Relaxed);
    assert!(writing.await.unwrap() >= before);
}
