//! Streaming RPCs through a real tonic server: bodies are pumped.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::time::Duration;

use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{StreamExt, once};
use tonic::Code;

use crate::support::{Ask, Book, Rpcs, book, executor, guard, read, soon, wall};

const BOOKS: i32 = 2_000;

#[tokio::test]
async fn the_order_is_kept_whether_the_stream_pauses_or_not() {
    let rpcs = Rpcs::new()
        .stream("/Shop/Ready", |_| tokio_stream::iter(0..BOOKS).map(|id| Ok(book(id))))
        .stream("/Shop/Pausing", |_| {
            tokio_stream::iter(0..BOOKS).then(|id| async move {
                if id % 7 == 0 {
                    tokio::task::yield_now().await;
                }
                Ok(book(id))
            })
        });
    let executor = executor();
    let peer = rpcs.serve(&executor).await;
    for path in ["/Shop/Ready", "/Shop/Pausing"] {
        let (books, end) = read(peer.stream(path, once(Ask::default())).await.unwrap()).await;
        end.unwrap();
        assert!(books.into_iter().eq(0..BOOKS), "{path}");
    }
}

#[tokio::test]
async fn a_stream_runs_ahead_of_its_client_by_a_bounded_number_of_books() {
    let made = Arc::new(AtomicI32::new(0));
    let counter = Arc::clone(&made);
    let rpcs = Rpcs::new().stream("/Shop/Flood", move |_| {
        let made = Arc::clone(&counter);
        tokio_stream::iter(0..BOOKS).map(move |id| {
            made.store(id + 1, Ordering::SeqCst);
            Ok(Book { id, title: "x".repeat(64 * 1024) })
        })
    });
    let executor = executor();
    let peer = rpcs.serve(&executor).await;
    let books = peer.stream("/Shop/Flood", once(Ask::default())).await.unwrap();
    let mut before = -1;
    while made.load(Ordering::SeqCst) != before {
        before = made.load(Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // The client's window of 2 MiB is 32 of them; our own share is 8 frames and a few more.
    assert!((1..100).contains(&before), "{before} books were made for nobody");
    let (books, end) = read(books).await;
    end.unwrap();
    assert!(books.into_iter().eq(0..BOOKS));
}

#[tokio::test]
async fn a_stream_that_blocks_stalls_neither_its_connection_nor_other_calls() {
    let (held, wall) = wall();
    let wall = Arc::new(wall);
    let stuck = Arc::new(AtomicUsize::new(0));
    let at_handler = (Arc::clone(&wall), Arc::clone(&stuck));
    let rpcs = Rpcs::new()
        .stream("/Shop/Watch", move |_| {
            let (wall, stuck) = at_handler.clone();
            tokio_stream::iter(0..10).then(move |id| {
                let (wall, stuck) = (Arc::clone(&wall), Arc::clone(&stuck));
                async move {
                    if id == 5 {
                        // So that the pump is at work, not the job that answers.
                        tokio::time::sleep(Duration::from_millis(5)).await;
                        stuck.fetch_add(1, Ordering::SeqCst);
                        wall.block();
                    }
                    Ok(book(id))
                }
            })
        })
        .unary("/Health/Check", |_| async { Ok(book(0)) });
    let executor = executor();
    let peer = rpcs.serve(&executor).await;
    let mut streams = Vec::new();
    for _ in 0..4 {
        streams.push(peer.stream("/Shop/Watch", once(Ask::default())).await.unwrap());
    }
    for stream in &mut streams {
        for id in 0..5 {
            assert_eq!(soon(stream.next()).await.unwrap().unwrap(), book(id));
        }
    }
    // One is at the wall, the others wait for the wall's lock.
    while stuck.load(Ordering::SeqCst) < 4 {
        assert_eq!(peer.call("/Health/Check").await.unwrap(), book(0));
    }
    drop(held);
    for stream in streams {
        let (books, end) = read(stream).await;
        end.unwrap();
        assert!(books.into_iter().eq(5..10));
    }
}

#[tokio::test]
async fn a_client_that_goes_away_cancels_its_stream() {
    let (guard, mut dropped) = guard();
    let guard = Arc::new(std::sync::Mutex::new(Some(guard)));
    let rpcs = Rpcs::new().stream("/Shop/Watch", move |_| {
        let guard = guard.lock().unwrap().take();
        let first = tokio_stream::iter([Ok(book(1))]);
        first.chain(tokio_stream::pending()).map(move |book| {
            let _ = &guard;
            book
        })
    });
    let executor = executor();
    let peer = rpcs.serve(&executor).await;
    let mut books = peer.stream("/Shop/Watch", once(Ask::default())).await.unwrap();
    assert_eq!(soon(books.next()).await.unwrap().unwrap(), book(1));
    assert!(dropped.try_recv().is_err());
    drop(books);
    soon(dropped).await.unwrap();
}

#[tokio::test]
async fn a_panic_within_a_stream_is_internal_and_the_next_stream_works() {
    struct Mine;
    impl Drop for Mine {
        fn drop(&mut self) {
            panic!("the password is swordfish");
        }
    }
    let rpcs = Rpcs::new()
        .stream("/Shop/Panic", |_| {
            tokio_stream::iter(0..).then(|id| async move {
                tokio::task::yield_now().await;
                assert!(id < 30, "the password is swordfish");
                Ok(book(id))
            })
        })
        .stream("/Shop/PanicInDrop", |_| {
            let mine = Mine;
            tokio_stream::iter(0..30).then(move |id| {
                let _ = &mine;
                async move {
                    tokio::task::yield_now().await;
                    Ok(book(id))
                }
            })
        });
    let executor = executor();
    let peer = rpcs.serve(&executor).await;
    for _ in 0..5 {
        let (books, end) =
            read(peer.stream("/Shop/Panic", once(Ask::default())).await.unwrap()).await;
        assert!(books.into_iter().eq(0..30));
        let status = end.unwrap_err();
        assert_eq!(status.code(), Code::Internal);
        assert!(!format!("{status:?}").contains("swordfish"), "{status:?}");
        // tonic drops the stream before it sends what it has of it.
        let (books, end) =
            read(peer.stream("/Shop/PanicInDrop", once(Ask::default())).await.unwrap()).await;
        assert!(books.iter().copied().eq(0..books.len() as i32));
        assert_eq!(end.unwrap_err().code(), Code::Internal);
    }
}

#[tokio::test]
async fn questions_and_answers_may_take_turns() {
    let rpcs = Rpcs::new()
        .stream("/Shop/Talk", |asks| asks.map(|ask| ask.map(|ask| book(ask.user_id * 2))));
    let executor = executor();
    let peer = rpcs.serve(&executor).await;
    let (ask, asks) = tokio::sync::mpsc::channel(1);
    ask.send(Ask::default()).await.unwrap();
    let mut books = peer.stream("/Shop/Talk", ReceiverStream::new(asks)).await.unwrap();
    assert_eq!(soon(books.next()).await.unwrap().unwrap(), book(0));
    for user_id in 1..200 {
        ask.send(Ask { user_id, ..Ask::default() }).await.unwrap();
        assert_eq!(soon(books.next()).await.unwrap().unwrap(), book(user_id * 2));
    }
    drop(ask);
    assert!(soon(books.next()).await.is_none());
}

#[tokio::test]
async fn a_stream_of_questions_may_have_one_answer() {
    let rpcs = Rpcs::new().stream("/Shop/Sum", |asks| {
        once(asks).then(|mut asks| async move {
            let mut sum = 0;
            while let Some(ask) = asks.next().await {
                sum += ask?.user_id;
            }
            Ok(book(sum))
        })
    });
    let executor = executor();
    let peer = rpcs.serve(&executor).await;
    let asks = tokio_stream::iter(1..=1_000).map(|user_id| Ask { user_id, ..Ask::default() });
    let (books, end) = read(peer.stream("/Shop/Sum", asks).await.unwrap()).await;
    end.unwrap();
    assert_eq!(books, [500_500]);
}
