//! The last stalls, for programs and for people.

use std::fmt::Write as _;
use std::time::SystemTime;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::Uri;
use axum::http::header::ACCEPT;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use unstall::{Frame, Stage, StallReport};

use crate::admin::Shown;
use crate::telemetry::Reported;
use crate::telemetry::log::escaped;

/// The last stalls, the newest first: JSON, or text where `Accept` prefers it or
/// `?format=text` asks for it.
pub(in crate::admin) async fn stalls(
    State(shown): State<Shown>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let reports = shown.stalls.newest_first();
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let asked = uri.query().is_some_and(|query| query.split('&').any(|one| one == "format=text"));
    if asked || accept.starts_with("text/plain") {
        text(&reports).into_response()
    } else {
        super::json(&reports.iter().map(row).collect()).into_response()
    }
}

fn row(Reported { at, report }: &Reported) -> Value {
    json!({
        "at": time(*at),
        "stage": stage(report.stage),
        "method": report.method,
        "kind": report.kind.name(),
        "elapsed_ms": report.elapsed.as_millis() as u64,
        "syscall": report.syscall,
        "target": report.target,
        "culprit": report.culprit().map(frame),
        "stack": report.frames.iter().map(frame).collect::<Vec<_>>(),
        "exact": report.exact,
        "thread": report.thread,
        "queue_len": report.queue_len,
        "workers": report.workers,
        "convoy": report.convoy,
        "suppressed": report.suppressed,
    })
}

fn frame(frame: &Frame) -> Value {
    json!({ "function": frame.function, "at": frame.location(), "certain": frame.certain })
}

fn text(reports: &[Reported]) -> String {
    let mut text = String::new();
    if reports.is_empty() {
        text.push_str("no stall was reported\n");
    }
    for Reported { at, report } in reports {
        let line = escaped(&report.to_string());
        let _ = writeln!(text, "{} {}: {line}", time(*at), stage(report.stage));
        write_stack(&mut text, report);
    }
    text
}

fn write_stack(text: &mut String, report: &StallReport) {
    for frame in &report.frames {
        let possibly = if frame.certain { "" } else { "? " };
        let _ = write!(text, "    {possibly}{}", frame.function);
        if let Some(location) = frame.location() {
            let _ = write!(text, " ({location})");
        }
        text.push('\n');
    }
}

fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Begun => "begun",
        Stage::Lasting => "lasting",
        Stage::Ended => "ended",
    }
}

/// As RFC 3339 has it, to the millisecond.
fn time(at: SystemTime) -> String {
    let at = jiff::Timestamp::try_from(at).unwrap_or_default();
    format!("{at:.3}")
}
