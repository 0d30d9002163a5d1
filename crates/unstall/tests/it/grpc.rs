//! Unary RPCs through a real tonic server.

use std::num::NonZeroUsize;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use tokio::sync::Notify;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::support::{Rpcs, book, executor, executor_with, guard, settings, soon};

#[tokio::test]
async fn answers_and_statuses_of_handlers_come_through() {
    let rpcs = Rpcs::new()
        .unary("/Shop/Ask", |ask| async move { Ok(book(ask.user_id + 1)) })
        .unary("/Shop/Refuse", |_| async { Err(Status::not_found("100 % sold out")) });
    let peer = rpcs.serve(&executor()).await;
    assert_eq!(peer.call("/Shop/Ask").await.unwrap(), book(1));
    let refused = peer.call("/Shop/Refuse").await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::NotFound, "100 % sold out"));
    assert_eq!(peer.call("/Shop/Nothing").await.unwrap_err().code(), Code::Unimplemented);
}

#[tokio::test]
async fn handlers_that_block_hold_up_neither_each_other_nor_a_health_call() {
    // Nobody gets past the barrier before all five handlers are at it, and the test.
    let barrier = Arc::new(Barrier::new(6));
    let at_handler = Arc::clone(&barrier);
    let rpcs = Rpcs::new()
        .unary("/Shop/Block", move |_| {
            let barrier = Arc::clone(&at_handler);
            async move {
                barrier.wait();
                Ok(book(5))
            }
        })
        .unary("/Health/Check", |_| async { Ok(book(0)) });
    let executor = executor();
    let peer = rpcs.serve(&executor).await;
    let calls: Vec<_> = (0..5)
        .map(|_| {
            let peer = peer.clone();
            tokio::spawn(async move { peer.call("/Shop/Block").await })
        })
        .collect();
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert_eq!(peer.call("/Health/Check").await.unwrap(), book(0));
    }
    tokio::task::spawn_blocking(move || barrier.wait());
    for call in calls {
        assert_eq!(soon(call).await.unwrap().unwrap(), book(5));
    }
}

#[tokio::test]
async fn a_panic_is_internal_and_says_nothing_and_the_next_call_works() {
    struct Mine;
    impl Drop for Mine {
        fn drop(&mut self) {
            panic!("the password is swordfish");
        }
    }
    let rpcs = Rpcs::new()
        .unary("/Shop/Panic", |ask| async move {
            assert!(ask.user_id != 0, "the password is swordfish");
            Ok(book(1))
        })
        .unary("/Shop/PanicInDrop", |_| async {
            let _mine = Mine;
            Ok(book(1))
        })
        .unary("/Shop/Ask", |_| async { Ok(book(1)) });
    let executor = executor();
    let peer = rpcs.serve(&executor).await;
    for path in ["/Shop/Panic", "/Shop/PanicInDrop"] {
        for _ in 0..5 {
            let status = peer.call(path).await.unwrap_err();
            assert_eq!(status.code(), Code::Internal);
            assert!(!format!("{status:?}").contains("swordfish"), "{status:?}");
            assert_eq!(peer.call("/Shop/Ask").await.unwrap(), book(1));
        }
    }
}

#[tokio::test]
async fn handlers_may_use_tokio_as_they_are_used_to() {
    let rpcs = Rpcs::new().unary("/Shop/Tokio", |_| async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let connected = tokio::spawn(tokio::net::TcpStream::connect(address));
        listener.accept().await?;
        connected.await.map_err(|_| Status::internal("it panicked"))??;
        let sum = tokio::task::spawn_blocking(|| 40 + 2).await;
        Ok(book(sum.map_err(|_| Status::internal("it panicked"))?))
    });
    let executor = executor();
    assert_eq!(rpcs.serve(&executor).await.call("/Shop/Tokio").await.unwrap(), book(42));
}

#[tokio::test]
async fn what_is_shed_is_resource_exhausted() {
    let mut settings = settings();
    settings.jobs_max = NonZeroUsize::MIN;
    let arrived = Arc::new(Notify::new());
    let leave = Arc::new(Notify::new());
    let (at_handler, allowed) = (Arc::clone(&arrived), Arc::clone(&leave));
    let rpcs = Rpcs::new().unary("/Shop/Wait", move |_| {
        let (arrived, leave) = (Arc::clone(&at_handler), Arc::clone(&allowed));
        async move {
            arrived.notify_one();
            leave.notified().await;
            Ok(book(1))
        }
    });
    let executor = executor_with(settings, ());
    let peer = rpcs.serve(&executor).await;
    let first = tokio::spawn({
        let peer = peer.clone();
        async move { peer.call("/Shop/Wait").await }
    });
    soon(arrived.notified()).await;
    let status = peer.call("/Shop/Wait").await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    let retry = status.get_details_retry_info().unwrap();
    assert_eq!(retry.retry_delay, Some(Duration::from_millis(100)));
    leave.notify_one();
    assert_eq!(first.await.unwrap().unwrap(), book(1));
}

#[tokio::test]
async fn a_stopped_executor_is_unavailable() {
    let rpcs = Rpcs::new().unary("/Shop/Ask", |_| async { Ok(book(1)) });
    let executor = executor();
    let peer = rpcs.serve(&executor).await;
    assert_eq!(peer.call("/Shop/Ask").await.unwrap(), book(1));
    assert_eq!(executor.stop(Duration::from_secs(5)).stuck, 0);
    assert_eq!(peer.call("/Shop/Ask").await.unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn a_client_that_goes_away_cancels_the_handler() {
    let (guard, dropped) = guard();
    let guard = Arc::new(std::sync::Mutex::new(Some(guard)));
    let arrived = Arc::new(Notify::new());
    let at_handler = Arc::clone(&arrived);
    let rpcs = Rpcs::new().unary("/Shop/Wait", move |_| {
        let guard = guard.lock().unwrap().take();
        at_handler.notify_one();
        async move {
            let _guard = guard;
            std::future::pending().await
        }
    });
    let executor = executor();
    let peer = rpcs.serve(&executor).await;
    let call = tokio::spawn(async move { peer.call("/Shop/Wait").await });
    soon(arrived.notified()).await;
    call.abort();
    soon(dropped).await.unwrap();
}

#[tokio::test]
async fn a_request_that_is_not_grpc_is_told_in_http() {
    use tower::{Layer, ServiceExt};
    let executor = executor();
    let _ = executor.stop(Duration::ZERO);
    let service = unstall::GrpcLayer::new(executor).layer(Rpcs::new().0);
    let request = http::Request::new(axum::body::Body::empty());
    assert_eq!(service.oneshot(request).await.unwrap().status(), 503);
}
