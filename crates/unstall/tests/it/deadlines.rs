//! Deadlines: the client hears of them in time, stuck or not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio_stream::StreamExt;
use tonic::Code;

use crate::support::{Rpcs, book, executor, guard, read, soon, wall};

#[tokio::test]
async fn the_client_gets_its_deadline_while_the_thread_is_still_stuck() {
    let (held, wall) = wall();
    let wall = Arc::new(wall);
    let through = Arc::new(AtomicUsize::new(0));
    let at_handler = (Arc::clone(&wall), Arc::clone(&through));
    let rpcs = Rpcs::new().unary("/Shop/Block", move |_| {
        let (wall, through) = at_handler.clone();
        async move {
            wall.block();
            through.fetch_add(1, Ordering::SeqCst);
            Ok(book(1))
        }
    });
    let executor = executor();
    let peer = rpcs.serve(&executor).await;
    for timeout in ["100m", "20000u", "2m", "1m", "1u", "0m"] {
        let status = peer.call_within("/Shop/Block", timeout).await.unwrap_err();
        assert_eq!(status.code(), Code::DeadlineExceeded, "{timeout}: {status:?}");
    }
    assert_eq!(through.load(Ordering::SeqCst), 0);
    drop(held);
    assert_eq!(peer.call_within("/Shop/Block", "20S").await.unwrap(), book(1));
}

#[tokio::test]
async fn a_deadline_cancels_a_handler_that_awaits() {
    let (guard, dropped) = guard();
    let guard = Arc::new(std::sync::Mutex::new(Some(guard)));
    let rpcs = Rpcs::new().unary("/Shop/Wait", move |_| {
        let guard = guard.lock().unwrap().take();
        async move {
            let _guard = guard;
            std::future::pending().await
        }
    });
    let executor = executor();
    let peer = rpcs.serve(&executor).await;
    let status = peer.call_within("/Shop/Wait", "1S").await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    soon(dropped).await.unwrap();
}

#[tokio::test]
async fn a_malformed_timeout_is_refused_and_a_far_one_is_none() {
    let rpcs = Rpcs::new().unary("/Shop/Ask", |_| async { Ok(book(1)) });
    let executor = executor();
    let peer = rpcs.serve(&executor).await;
    for malformed in ["soon", "5", "123456789m", "-5S"] {
        let status = peer.call_within("/Shop/Ask", malformed).await.unwrap_err();
        assert_eq!(status.code(), Code::Internal, "{malformed}");
        assert_eq!(status.message(), "malformed grpc-timeout");
    }
    for far in ["99999999H", "99999999S"] {
        assert_eq!(peer.call_within("/Shop/Ask", far).await.unwrap(), book(1), "{far}");
    }
}

#[tokio::test]
async fn a_deadline_ends_a_stream_that_waits() {
    let rpcs = Rpcs::new().stream("/Shop/Watch", |_| {
        tokio_stream::iter([Ok(book(1))]).chain(tokio_stream::pending())
    });
    let executor = executor();
    let peer = rpcs.serve(&executor).await;
    let (books, end) = read(peer.stream_within("/Shop/Watch", "200m").await.unwrap()).await;
    assert_eq!(books, [1]);
    assert_eq!(end.unwrap_err().code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn a_deadline_ends_a_stream_that_never_pauses() {
    let rpcs =
        Rpcs::new().stream("/Shop/Flood", |_| tokio_stream::iter(0..).map(|id| Ok(book(id))));
    let executor = executor();
    let peer = rpcs.serve(&executor).await;
    let (books, end) = read(peer.stream_within("/Shop/Flood", "2S").await.unwrap()).await;
    assert!(books.iter().copied().eq(0..books.len() as i32));
    assert_eq!(end.unwrap_err().code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn a_deadline_ends_a_stream_whose_thread_is_stuck() {
    let (held, wall) = wall();
    let wall = Arc::new(wall);
    let rpcs = Rpcs::new().stream("/Shop/Watch", move |_| {
        let wall = Arc::clone(&wall);
        let pause = tokio_stream::StreamExt::timeout(
            tokio_stream::pending::<()>(),
            Duration::from_millis(10),
        );
        let stuck = pause.map(move |_| {
            wall.block();
            Ok(book(2))
        });
        tokio_stream::iter([Ok(book(1))]).chain(stuck)
    });
    let executor = executor();
    let peer = rpcs.serve(&executor).await;
    let (books, end) = read(peer.stream_within("/Shop/Watch", "300m").await.unwrap()).await;
    assert_eq!(books, [1]);
    assert_eq!(end.unwrap_err().code(), Code::DeadlineExceeded);
    drop(held);
}

#[tokio::test]
async fn a_deadline_frees_a_stream_that_its_client_does_not_read() {
    let (guard, dropped) = guard();
    let guard = Arc::new(std::sync::Mutex::new(Some(guard)));
    let rpcs = Rpcs::new().stream("/Shop/Flood", move |_| {
        let guard = guard.lock().unwrap().take();
        tokio_stream::iter(0..).map(move |id| {
            let _ = &guard;
            Ok(api::tutorial::BookRecommendation { id, title: "x".repeat(16 * 1024) })
        })
    });
    let executor = executor();
    let peer = rpcs.serve(&executor).await;
    let _unread = peer.stream_within("/Shop/Flood", "200m").await.unwrap();
    soon(dropped).await.unwrap();
}
