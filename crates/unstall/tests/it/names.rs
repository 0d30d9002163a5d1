//! Names of jobs: what the operator reads, whatever clients ask for.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use http::Request;
use tower::{Layer, ServiceExt, service_fn};
use unstall::{GrpcLayer, Observer, StallReport, Unstall};

use crate::support::{Rpcs, executor_with, settings, soon, wall};

/// Notes which methods stalled.
#[derive(Clone, Default)]
struct Stalled(Arc<Mutex<Vec<String>>>);

impl Observer for Stalled {
    fn report(&self, report: &StallReport) {
        self.0.lock().unwrap().push(report.method.clone());
    }
}

impl Stalled {
    async fn by(&self, method: &str) {
        soon(async {
            while !self.0.lock().unwrap().iter().any(|stalled| stalled == method) {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        })
        .await;
    }
}

fn request(path: &str) -> Request<Body> {
    let request = Request::builder().uri(path).header("content-type", "application/grpc");
    request.method("POST").body(Body::empty()).unwrap()
}

#[tokio::test]
async fn ten_thousand_invented_paths_do_not_take_the_name_of_a_real_one() {
    let (held, wall) = wall();
    let wall = Arc::new(wall);
    let stuck = service_fn(move |_: Request<Body>| {
        let wall = Arc::clone(&wall);
        async move {
            wall.block();
            Ok::<_, Infallible>(http::Response::new(Body::empty()))
        }
    });
    let router = Rpcs::new().0.route_service("/Shop/Block", stuck);
    let stalled = Stalled::default();
    let service = GrpcLayer::new(executor_with(settings(), stalled.clone())).layer(router);
    for invented in 0..10_000 {
        let answer = service.clone().oneshot(request(&format!("/Shop/{invented}"))).await.unwrap();
        assert_eq!(answer.headers()["grpc-status"], "12");
    }
    // Never answered before, and yet its stall has its name.
    let _call = tokio::spawn(service.oneshot(request("/Shop/Block")));
    stalled.by("/Shop/Block").await;
    drop(held);
}

#[tokio::test]
async fn jobs_may_be_named_by_route() {
    let (held, wall) = wall();
    let wall = Arc::new(wall);
    let stuck = move || {
        let wall = Arc::clone(&wall);
        async move { wall.block() }
    };
    let stalled = Stalled::default();
    let layer = Unstall::new(executor_with(settings(), stalled.clone())).name_by(|parts| {
        let route = parts.extensions.get::<axum::extract::MatchedPath>();
        route.map_or("no route", |route| route.as_str())
    });
    let ok = |_: unstall::LayerError| async { http::StatusCode::INTERNAL_SERVER_ERROR };
    let router: axum::Router = axum::Router::new()
        .route("/books/{id}", axum::routing::get(stuck))
        .layer((axum::error_handling::HandleErrorLayer::new(ok), layer));
    let get = Request::builder().uri("/books/42").body(Body::empty()).unwrap();
    let _call = tokio::spawn(router.oneshot(get));
    stalled.by("/books/{id}").await;
    drop(held);
}
