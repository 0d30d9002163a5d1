//! Throughput: the same empty handler on `unstall` and inline on tonic, in turns.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use evaluation::load::paired::{Ratio, run_paired};
use evaluation::load::{Arrivals, Outcome as Ending, Plan as Load};
use tonic::transport::Channel;

use crate::child::Serving;
use crate::row::Row;
use crate::server::Kind;
use crate::wire::ask;
use crate::{Failure, Outcome, Plan, say};

const CASE: &str = "throughput, empty handler, as a share of tonic's";
const CONNECTIONS: usize = 10;
const STREAMS: usize = 20;
const ROUNDS: usize = 9;

/// Requests per second and CPU per request, `unstall` in proportion to tonic.
pub(crate) fn throughput(_: &Plan) -> Outcome {
    let (tonic, unstall) = (Serving::start(Kind::Tonic)?, Serving::start(Kind::Unstall)?);
    let load = Load {
        connections: number(CONNECTIONS)?,
        streams_per_connection: number(STREAMS)?,
        warm_up: Duration::from_millis(300),
        duration: Duration::from_secs(2),
        ..Load::new(Arrivals::Closed { in_flight: number(CONNECTIONS * STREAMS)? })
    };
    let targets = [tonic.target(), unstall.target()];
    let watch = |place: evaluation::load::paired::Place| {
        if place.elapsed < Duration::from_millis(50) {
            say(&format!("  round {} of {ROUNDS}", place.round + 1));
        }
    };
    let paired = run_paired(&load, &targets, ROUNDS, &call, &watch, &Arc::default())?;
    if paired.wrong_and_unsent() != (0, 0) {
        return Err(format!("wrong and unsent: {:?}", paired.wrong_and_unsent()).into());
    }
    let ratios = paired.ratios.first().ok_or("no ratios")?;
    let figures = |at: usize, what: fn(&evaluation::load::Report) -> Option<f64>| {
        let rounds = &paired.targets[at].rounds;
        rounds.iter().filter_map(what).collect::<Vec<f64>>()
    };
    let per_second = |at| figures(at, |round| Some(round.good_per_second.round()));
    let cpu = |at| figures(at, |round| round.server?.cpu_us_per_request);
    Ok(vec![
        ratio(CASE, ratios.good_per_second.as_ref())?.at_least(0.97),
        ratio("CPU per request, as a share of tonic's", ratios.cpu_per_request.as_ref())?,
        Row::median("throughput, tonic", "requests/s", &per_second(0)),
        Row::median("throughput, unstall", "requests/s", &per_second(1)),
        Row::median("CPU per request, tonic", "µs", &cpu(0)),
        Row::median("CPU per request, unstall", "µs", &cpu(1)),
    ])
}

fn ratio(case: &str, ratio: Option<&Ratio>) -> Result<Row, Failure> {
    let ratio = ratio.ok_or("no round came to its end")?;
    Ok(Row::median(case, "×", &ratio.rounds))
}

async fn call(channel: Channel, _: u64) -> Ending {
    match ask(channel, "Health", Duration::ZERO).await {
        Ok(()) => Ending::Good,
        Err(status) => Ending::of(&status),
    }
}

fn number(number: usize) -> Result<NonZeroUsize, Failure> {
    Ok(NonZeroUsize::try_from(number)?)
}
