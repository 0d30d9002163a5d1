//! Handlers that sleep: five for five seconds, a hundred for one.

use std::time::Duration;

use crate::canary::{Canary, Song};
use crate::row::{Row, ms};
use crate::server::{Kind, Server};
use crate::volley::{Client, longest};
use crate::{Outcome, Plan, python};

const FIVE: &str = "5 × sleep 5 s";
const HUNDRED: &str = "100 × sleep 1 s";

/// Five handlers that sleep, beside tonic and asyncio.
pub(crate) fn five(plan: &Plan) -> Outcome {
    let sleep = Duration::from_secs(5);
    let mut rows = gated(FIVE, 5, sleep, 5.1, 10.0)?;
    if plan.peers {
        for kind in [Kind::Tonic, Kind::Tonic64] {
            let (took, song) = volley(kind, 5, sleep)?;
            let (canary, probe) = song.percentile(100.0);
            let case = |what| format!("{FIVE}, {}: {what}", kind.name());
            rows.push(Row::one(case("all answered"), "s", took.as_secs_f64()));
            rows.push(Row::one(case("canary max"), "ms", ms(canary.saturating_sub(probe))));
        }
        rows.push(python::five(FIVE)?);
    }
    Ok(rows)
}

/// A hundred handlers that sleep.
pub(crate) fn hundred(_: &Plan) -> Outcome {
    gated(HUNDRED, 100, Duration::from_secs(1), 1.1, 50.0)
}

fn gated(case: &str, count: usize, sleep: Duration, all_s: f64, canary_ms: f64) -> Outcome {
    let mut took = Vec::new();
    let (mut median, mut tail, mut max) = (Vec::new(), Vec::new(), Vec::new());
    let mut failed = 0;
    for _ in 0..RUNS {
        let (all, song) = volley(Kind::Unstall, count, sleep)?;
        took.push(all.as_secs_f64());
        median.push(song.percentile(50.0));
        tail.push(song.percentile(99.0));
        max.push(song.percentile(100.0));
        failed += song.failed;
    }
    Ok(vec![
        Row::median(format!("{case}: all answered"), "s", &took).at_most(all_s),
        Row::beside_probe(format!("{case}: canary max"), &max).at_most(canary_ms),
        Row::beside_probe(format!("{case}: canary p99"), &tail),
        Row::beside_probe(format!("{case}: canary p50"), &median),
        Row::one(format!("{case}: canary calls failed"), "calls", failed as f64).at_most(0.0),
    ])
}

/// Runs of a latency case.
pub(crate) const RUNS: usize = 5;

fn volley(kind: Kind, count: usize, sleep: Duration) -> Result<(Duration, Song), crate::Failure> {
    let server = Server::start(kind)?;
    let client = Client::new(server.address, 1)?;
    longest(&[client.call("Health", Duration::ZERO)])?;
    let canary = Canary::start(server.address)?;
    let took = longest(&client.send(&["Sleep"], count, sleep).answers()?);
    let song = canary.stop()?;
    Ok((took?, song))
}
