//! Stalls as messages.

use api::v1::Stall;
use api::v1::stall::Kind;
use unstall::{Frame, Stage, StallKind};

use crate::grpc::time::timestamp_of;
use crate::telemetry::Reported;

/// A report, as the contract has it.
pub(super) fn to_message(reported: &Reported) -> Stall {
    let report = &reported.report;
    let culprit = report.culprit();
    let file = culprit.and_then(|frame| frame.file.as_ref());
    Stall {
        method: report.method.trim_start_matches('/').to_owned(),
        kind: kind(report.kind).into(),
        system_call: report.syscall.clone().unwrap_or_default(),
        system_call_target: report.target.clone().unwrap_or_default(),
        function: culprit.map(|frame| frame.function.clone()).unwrap_or_default(),
        file: file.map(|file| file.display().to_string()).unwrap_or_default(),
        line: culprit.and_then(|frame| i32::try_from(frame.line?).ok()).unwrap_or_default(),
        duration: prost_types::Duration::try_from(report.elapsed).ok(),
        ended: report.stage == Stage::Ended,
        stack: report.frames.iter().map(frame).collect(),
        seen_time: timestamp_of(reported.at),
    }
}

fn kind(kind: StallKind) -> Kind {
    match kind {
        StallKind::Blocked => Kind::Blocked,
        StallKind::Busy => Kind::Busy,
        StallKind::Paging => Kind::Paging,
        StallKind::HostStarved => Kind::HostStarved,
        // The enum may grow.
        _ => Kind::Unknown,
    }
}

fn frame(frame: &Frame) -> String {
    match frame.location() {
        Some(location) => format!("{} ({location})", frame.function),
        None => frame.function.clone(),
    }
}
