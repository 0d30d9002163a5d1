//! Handlers that compute: forty times 100 ms of CPU, beside tonic, in turns.

use std::time::Duration;

use evaluation::load::paired::order;

use crate::canary::{Canary, Song};
use crate::handler::steps_in;
use crate::row::{Row, ms};
use crate::server::{Kind, Server};
use crate::sleepers::RUNS;
use crate::volley::{Client, longest};
use crate::{Failure, Outcome, Plan};

const CASE: &str = "40 × 100 ms of CPU";
const CALLS: usize = 40;
const KINDS: [Kind; 2] = [Kind::Tonic, Kind::Unstall];

pub(crate) fn computing(_: &Plan) -> Outcome {
    let steps = Duration::from_nanos(steps_in(Duration::from_millis(100)));
    let mut runs: [Vec<(Duration, Song)>; 2] = Default::default();
    for (_, kind) in order(KINDS.len(), RUNS) {
        runs[kind].push(run(KINDS[kind], steps, 0)?);
    }
    let known: Vec<_> =
        (0..RUNS).map(|_| run(Kind::Unstall, steps, 4)).collect::<Result<_, _>>()?;
    let [tonic, unstall] = &runs;
    let ratios: Vec<f64> = tonic
        .iter()
        .zip(unstall)
        .map(|((tonic, _), (unstall, _))| tonic.as_secs_f64() / unstall.as_secs_f64())
        .collect();
    let at = |runs: &[(Duration, Song)], percent| -> Vec<(Duration, Duration)> {
        runs.iter().map(|(_, song)| song.percentile(percent)).collect()
    };
    let took =
        |runs: &[(Duration, Song)]| runs.iter().map(|(took, _)| ms(*took)).collect::<Vec<f64>>();
    Ok(vec![
        Row::beside_probe(format!("{CASE}: canary p99"), &at(unstall, 99.0)).at_most(5.0),
        Row::median(format!("{CASE}: throughput, as a share of tonic's"), "×", &ratios)
            .at_least(0.95),
        Row::beside_probe(format!("{CASE}, not for the first time: canary p99"), &at(&known, 99.0)),
        Row::beside_probe(
            format!("{CASE}, not for the first time: canary max"),
            &at(&known, 100.0),
        ),
        Row::beside_probe(format!("{CASE}: canary p50"), &at(unstall, 50.0)),
        Row::beside_probe(format!("{CASE}: canary max"), &at(unstall, 100.0)),
        Row::median(format!("{CASE}: all answered"), "ms", &took(unstall)),
        Row::beside_probe(format!("{CASE}, tonic: canary p99"), &at(tonic, 99.0)),
        Row::median(format!("{CASE}, tonic: all answered"), "ms", &took(tonic)),
    ])
}

/// One run, after so many calls that come before and are not measured.
fn run(kind: Kind, steps: Duration, before: usize) -> Result<(Duration, Song), Failure> {
    let server = Server::start(kind)?;
    let client = Client::new(server.address, 1)?;
    longest(&[client.call("Health", Duration::ZERO)])?;
    longest(&client.send(&["Compute"], before, steps).answers()?)?;
    let canary = Canary::start(server.address)?;
    let took = longest(&client.send(&["Compute"], CALLS, steps).answers()?);
    let song = canary.stop()?;
    Ok((took?, song))
}
