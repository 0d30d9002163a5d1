//! Probes, as Kubernetes and balancers ask them.

use axum::extract::State;
use axum::http::StatusCode;

use super::Shown;
use crate::telemetry::Phase;

/// Whether the process is worth keeping. Asks nothing that others can break: a database that is
/// away is no reason to start the process anew.
pub(super) async fn live(State(shown): State<Shown>) -> (StatusCode, &'static str) {
    match shown.monitor.get() {
        Some(monitor) if monitor.has_failed() => {
            (StatusCode::SERVICE_UNAVAILABLE, "a thread that serves connections has ended\n")
        }
        _ => (StatusCode::OK, "live\n"),
    }
}

/// Whether calls may come.
pub(super) async fn ready(State(shown): State<Shown>) -> (StatusCode, String) {
    let phase = shown.phases.now();
    (status(phase == Phase::Serving), format!("{phase}\n"))
}

/// Whether everything was loaded.
pub(super) async fn started(State(shown): State<Shown>) -> (StatusCode, String) {
    let phase = shown.phases.now();
    (status(phase >= Phase::Serving), format!("{phase}\n"))
}

fn status(holds: bool) -> StatusCode {
    if holds { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}
