//! What to look at when something is wrong.

mod stalls;

use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use serde_json::{Value, json};
use transport::{ConnectionFigures, Ending};

use super::Shown;
use crate::telemetry::log::{self, Levels};

pub(super) use stalls::stalls;

/// The most connections that are shown.
const ROWS_MAX: usize = 1000;

/// The longest list of levels.
const LEVELS_BYTES_MAX: usize = 4096;

/// The connections of the service, and how others ended.
pub(super) async fn connections(State(shown): State<Shown>) -> impl IntoResponse {
    let Some(monitor) = shown.monitor.get() else {
        return json(&json!({ "open": 0, "connections": [] }));
    };
    let figures = monitor.figures();
    let ended = Ending::ALL.iter().map(|one| (one.name().to_owned(), monitor.ended(*one).into()));
    let rows: Vec<Value> = monitor.connections(ROWS_MAX).iter().map(row).collect();
    json(&json!({
        "open": figures.connections,
        "streams": figures.streams,
        "accepted": figures.accepted,
        "unfinished_bytes": figures.unfinished_bytes,
        "ended": ended.collect::<serde_json::Map<_, Value>>(),
        "left_out": figures.connections.saturating_sub(rows.len()),
        "connections": rows,
    }))
}

/// JSON that people can read as well.
fn json(value: &Value) -> impl IntoResponse + use<> {
    ([(CONTENT_TYPE, "application/json")], format!("{value:#}\n"))
}

fn row(connection: &ConnectionFigures) -> Value {
    let address = connection.address.map_or("unix".to_owned(), |address| address.to_string());
    json!({
        "address": address,
        "age_seconds": connection.age.as_secs_f64(),
        "streams": connection.streams,
        "idle_seconds": connection.idle.map(|idle| idle.as_secs_f64()),
        "unfinished_bytes": connection.unfinished_bytes,
    })
}

/// Every setting with its value and where that comes from.
pub(super) async fn settings(State(shown): State<Shown>) -> impl IntoResponse {
    let rows = shown.settings.current().shown().into_iter().map(|setting| {
        let value = json!({ "value": value(&setting.value), "from": setting.source });
        (setting.key, value)
    });
    json(&Value::Object(rows.collect()))
}

/// A value of TOML in JSON; a secret's mask stays as it is.
fn value(written: &str) -> Value {
    let parsed = toml::from_str::<Value>(&format!("value = {written}"));
    parsed
        .ok()
        .and_then(|mut table| table.get_mut("value").map(Value::take))
        .unwrap_or_else(|| written.into())
}

/// How much is logged.
pub(super) async fn levels() -> String {
    log::levels().map_or_else(|| "off\n".to_owned(), |levels| format!("{levels}\n"))
}

/// Changes how much is logged.
pub(super) async fn set_levels(body: Body) -> (StatusCode, String) {
    let Ok(body) = to_bytes(body, LEVELS_BYTES_MAX).await else {
        let expected =
            format!("expected at most {LEVELS_BYTES_MAX} bytes, such as info,access=warn\n");
        return (StatusCode::PAYLOAD_TOO_LARGE, expected);
    };
    let text = String::from_utf8_lossy(&body);
    match text.trim().parse::<Levels>() {
        Ok(levels) => {
            tracing::warn!(%levels, "the levels of the log change");
            log::set_levels(levels.clone());
            (StatusCode::OK, format!("{levels}\n"))
        }
        Err(error) => (StatusCode::BAD_REQUEST, format!("{error}\n")),
    }
}
