//! The layer that knows no gRPC.

use std::convert::Infallible;
use std::future::pending;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::error_handling::HandleErrorLayer;
use axum::routing::get;
use http::{Request, Response};
use http_body_util::BodyExt;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use unstall::{LayerError, Shed, Unstall};

use crate::support::{executor, executor_with, guard, settings, soon, wall};

fn request() -> Request<String> {
    Request::new("question".to_owned())
}

#[tokio::test]
async fn requests_and_responses_come_through() {
    let echo = service_fn(|request: Request<String>| async {
        let response = Response::builder().status(203).header("x-shelf", "7");
        Ok::<_, Infallible>(response.body(request.into_body()).unwrap())
    });
    let service = Unstall::new(executor()).layer(echo);
    let response = service.oneshot(request()).await.unwrap();
    assert_eq!(response.status(), 203);
    assert_eq!(response.headers()["x-shelf"], "7");
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "question");
}

#[tokio::test]
async fn what_goes_wrong_has_a_type() {
    let executor = executor();
    let layer = Unstall::new(executor.clone());
    let panics = service_fn(|_: Request<String>| async {
        if true {
            panic!("the shelf is empty");
        }
        Ok::<_, Infallible>(Response::new(String::new()))
    });
    let error = layer.layer(panics).oneshot(request()).await.unwrap_err();
    assert!(
        matches!(&error, LayerError::Panicked { message } if message == "the shelf is empty"),
        "{error:?}"
    );
    assert_eq!(error.http_status(), 500);

    let fails = service_fn(|_: Request<String>| async {
        Err::<Response<String>, _>(std::io::Error::other("no shelf"))
    });
    let error = layer.layer(fails).oneshot(request()).await.unwrap_err();
    assert!(matches!(&error, LayerError::Inner(_)), "{error:?}");
    assert_eq!(error.to_string(), "no shelf");

    let _ = executor.stop(Duration::ZERO);
    let error = layer.layer(fails).oneshot(request()).await.unwrap_err();
    assert!(matches!(error, LayerError::Stopping), "{error:?}");
    assert_eq!(error.http_status(), 503);
}

#[tokio::test]
async fn a_request_too_many_is_shed() {
    let mut settings = settings();
    settings.jobs_max = NonZeroUsize::MIN;
    let waits = service_fn(|_: Request<String>| pending::<Result<Response<String>, Infallible>>());
    let service = Unstall::new(executor_with(settings, ())).layer(waits);
    let first = tokio::spawn(service.clone().oneshot(request()));
    tokio::task::yield_now().await;
    let error = service.oneshot(request()).await.unwrap_err();
    assert!(matches!(error, LayerError::Shed(Shed::JobsFull)), "{error:?}");
    first.abort();
}

#[tokio::test]
async fn the_time_limit_holds_while_the_thread_is_stuck() {
    let (held, wall) = wall();
    let wall = Arc::new(wall);
    let stuck = service_fn(move |_: Request<String>| {
        let wall = Arc::clone(&wall);
        async move {
            wall.block();
            Ok::<_, Infallible>(Response::new(String::new()))
        }
    });
    let layer = Unstall::new(executor()).timeout(Duration::from_millis(50));
    let error = soon(layer.layer(stuck).oneshot(request())).await.unwrap_err();
    assert!(matches!(error, LayerError::DeadlinePassed), "{error:?}");
    assert_eq!(error.http_status(), 504);
    drop(held);
}

#[tokio::test]
async fn dropping_the_future_of_a_response_cancels_the_request() {
    let (guard, dropped) = guard();
    let guard = Arc::new(std::sync::Mutex::new(Some(guard)));
    let waits = service_fn(move |_: Request<String>| {
        let guard = guard.lock().unwrap().take();
        async move {
            let _guard = guard;
            pending::<Result<Response<String>, Infallible>>().await
        }
    });
    let service = Unstall::new(executor()).layer(waits);
    let call = tokio::time::timeout(Duration::from_millis(50), service.oneshot(request()));
    assert!(call.await.is_err());
    soon(dropped).await.unwrap();
}

#[tokio::test]
async fn readiness_is_awaited_within_the_job() {
    /// Not ready at once, and only ready itself: a clone has to be made ready anew.
    struct Shy {
        asked: bool,
        ready: Arc<AtomicBool>,
    }
    impl Clone for Shy {
        fn clone(&self) -> Self {
            Self { asked: false, ready: Arc::clone(&self.ready) }
        }
    }
    impl Service<Request<String>> for Shy {
        type Response = Response<String>;
        type Error = Infallible;
        type Future = std::future::Ready<Result<Response<String>, Infallible>>;
        fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            if std::mem::replace(&mut self.asked, true) {
                self.ready.store(true, Ordering::SeqCst);
                return Poll::Ready(Ok(()));
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        }
        fn call(&mut self, request: Request<String>) -> Self::Future {
            assert!(self.asked, "it was called before it was ready");
            std::future::ready(Ok(Response::new(request.into_body())))
        }
    }
    let ready = Arc::new(AtomicBool::new(false));
    let shy = Shy { asked: false, ready: Arc::clone(&ready) };
    let mut service = Unstall::new(executor()).layer(shy);
    service.ready().await.unwrap();
    assert!(!ready.load(Ordering::SeqCst));
    soon(service.call(request())).await.unwrap();
    assert!(ready.load(Ordering::SeqCst));
}

#[tokio::test]
async fn axum_answers_by_the_status_of_the_error() {
    let (held, wall) = wall();
    let wall = Arc::new(wall);
    let stuck = move || {
        let wall = Arc::clone(&wall);
        async move { wall.block() }
    };
    let router: Router =
        Router::new().route("/price", get(|| async { "12.99" })).route("/stuck", get(stuck)).layer(
            ServiceBuilder::new()
                .layer(HandleErrorLayer::new(
                    |error: LayerError| async move { error.http_status() },
                ))
                .layer(Unstall::new(executor()).timeout(Duration::from_millis(100))),
        );
    for (path, status) in [("/stuck", 504), ("/price", 200)] {
        let request = Request::builder().uri(path).body(axum::body::Body::empty()).unwrap();
        assert_eq!(soon(router.clone().oneshot(request)).await.unwrap().status(), status);
    }
    drop(held);
}
