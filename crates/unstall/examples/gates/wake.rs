//! A task that wakes another and then blocks, and a handler whose `tokio::spawn` blocks.

use std::time::{Duration, Instant};

use evaluation::load::{Latencies, Probe};
use unstall::{Executor, Settings};

use crate::handler::block;
use crate::row::Row;
use crate::server::{Kind, Server};
use crate::sleepers::RUNS;
use crate::volley::{Client, longest};
use crate::{Failure, Outcome, Plan};

const REPETITIONS: usize = 200;

/// The one woken runs although the waker's thread is stuck.
pub(crate) fn wake(_: &Plan) -> Outcome {
    let (mut tail, mut max) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let probe = Probe::start();
        let latencies = woken()?;
        let probe = probe.stop();
        tail.push((latencies.percentile(99.0), probe.percentile(99.0)));
        max.push((latencies.percentile(100.0), probe.percentile(100.0)));
    }
    let case = "woken by one that then blocks: runs after";
    Ok(vec![
        Row::beside_probe(format!("{case}, max"), &max).at_most(10.0),
        Row::beside_probe(format!("{case}, p99"), &tail),
    ])
}

fn woken() -> Result<Latencies, Failure> {
    let executor = Executor::start(Settings::for_this_machine(), ())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut latencies = Latencies::new();
    for _ in 0..REPETITIONS {
        let (sender, receiver) = tokio::sync::oneshot::channel::<Instant>();
        let woken =
            executor.spawn("woken", async move { receiver.await.map(|sent| sent.elapsed()) });
        let waker = executor.spawn("waker", async move {
            // The other may have been cancelled; then there is no one to wake.
            let _ = sender.send(Instant::now());
            block(Duration::from_millis(20));
        });
        latencies.record(runtime.block_on(woken)??);
        runtime.block_on(waker)?;
    }
    Ok(latencies)
}

/// What a handler spawns by `tokio::spawn` does not hold up the transport's timers.
pub(crate) fn spawned(_: &Plan) -> Outcome {
    let mut late = Vec::new();
    let mut reports = Vec::new();
    let mut culprit = String::new();
    for _ in 0..RUNS {
        let server = Server::start(Kind::Unstall)?;
        let client = Client::new(server.address, 1)?;
        longest(&[client.call("Health", Duration::ZERO)])?;
        let probe = Probe::start();
        let timers = server.transport.spawn(timers(Duration::from_millis(1100)));
        longest(&client.send(&["Spawn"], 2, Duration::from_secs(1)).answers()?)?;
        let lateness = client.runtime.block_on(timers)?;
        late.push((lateness.percentile(100.0), probe.stop().percentile(100.0)));
        let begun = server.reports.begun("(tokio::spawn)");
        reports.push(begun.len() as f64);
        if let Some(frame) = begun.first().and_then(|seen| seen.report.culprit()) {
            culprit.clone_from(&frame.function);
        }
    }
    let case = "tokio::spawn(blocks 1 s) in a handler";
    let named = culprit.contains("gates::handler::");
    Ok(vec![
        Row::beside_probe(format!("{case}: a transport's timer is late, max"), &late).at_most(10.0),
        Row::median(format!("{case}: reports"), "reports", &reports).at_least(1.0),
        Row::holds(format!("{case}: the culprit is named"), named).note(culprit),
    ])
}

/// How late timers of 5 ms are, for so long.
async fn timers(length: Duration) -> Latencies {
    const TIMER: Duration = Duration::from_millis(5);
    let began = Instant::now();
    let mut lateness = Latencies::new();
    while began.elapsed() < length {
        let set = Instant::now();
        tokio::time::sleep(TIMER).await;
        lateness.record(set.elapsed().saturating_sub(TIMER));
    }
    lateness
}
