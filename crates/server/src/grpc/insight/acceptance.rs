//! Acceptance as a message: shares with their intervals.

use api::v1::{Acceptance as AcceptanceMessage, GetAcceptanceResponse, Proportion};
use storage::Acceptance;

use crate::grpc::time::timestamp;
use crate::grpc::v1::page::kind_message;
use crate::recommend::ShelfKind;

/// The quantile of the normal distribution for 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// What was counted, the latest model first, then by kind. What no answer of ours began is left out.
pub(super) fn to_message(counted: &[Acceptance]) -> GetAcceptanceResponse {
    let ours = |one: &Acceptance| {
        let kind = ShelfKind::of_letter(&one.tail)?;
        Some((one.head.parse::<u64>().ok()?, kind, one.clone()))
    };
    let mut ours: Vec<(u64, ShelfKind, Acceptance)> = counted.iter().filter_map(ours).collect();
    ours.sort_unstable_by(|left, right| right.0.cmp(&left.0).then(left.1.cmp(&right.1)));
    let first_ms = ours.iter().map(|(_, _, one)| one.first_ms).min();
    let message = |(version, kind, one): &(u64, ShelfKind, Acceptance)| AcceptanceMessage {
        shelf_kind: kind_message(*kind).into(),
        // 0 stands for none.
        model_version: if *version == 0 { String::new() } else { version.to_string() },
        // Counts of impressions.
        shown_count: one.shown as i64,
        clicked_count: one.clicked as i64,
        bought_count: one.bought as i64,
        clicked: Some(proportion(one.clicked, one.shown)),
        bought: Some(proportion(one.bought, one.shown)),
    };
    GetAcceptanceResponse {
        acceptances: ours.iter().map(message).collect(),
        first_shown_time: first_ms.map(timestamp),
    }
}

/// A share with its interval after Wilson (1927); `of` is above 0.
fn proportion(count: u64, of: u64) -> Proportion {
    let (total, estimate) = (of as f64, count as f64 / of as f64);
    let square = Z * Z;
    let middle = estimate + square / (2.0 * total);
    let half = Z * (estimate * (1.0 - estimate) / total + square / (4.0 * total * total)).sqrt();
    let scale = 1.0 + square / total;
    Proportion {
        estimate,
        low: ((middle - half) / scale).max(0.0),
        high: ((middle + half) / scale).min(1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_literature() {
        // Newcombe (1998), Two-sided confidence intervals for the single proportion, table I,
        // method 3: 81 of 263, 15 of 148, 0 of 20 and 1 of 29.
        for (count, of, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let found = proportion(count, of);
            assert!((found.low - low).abs() < 5e-5, "{count} of {of}: {}", found.low);
            assert!((found.high - high).abs() < 5e-5, "{count} of {of}: {}", found.high);
        }
    }
}
