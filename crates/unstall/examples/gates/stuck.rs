//! Three hundred handlers of three methods that are stuck, and 256 workers.

use std::time::{Duration, Instant};

use tonic::Code;

use crate::canary::Canary;
use crate::child::Serving;
use crate::handler::block;
use crate::row::Row;
use crate::server::{Kind, Server};
use crate::sleepers::RUNS;
use crate::volley::{Client, longest, with_code};
use crate::{Failure, Outcome, Plan};

const CASE: &str = "300 stuck, cap 256";
const METHODS: [&str; 3] = ["One", "Two", "Three"];
const CALLS: usize = 300;
const PATIENCE: Duration = Duration::from_secs(10);

/// One run's figures.
struct Run {
    all_decided: Duration,
    stuck: usize,
    shed: (Duration, Duration),
    health: (Duration, Duration),
    health_failed: u64,
    recovered: Duration,
}

pub(crate) fn three_hundred(_: &Plan) -> Outcome {
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        runs.push(run()?);
    }
    let stuck: Vec<f64> = runs.iter().map(|run| run.stuck as f64).collect();
    let shed: Vec<_> = runs.iter().map(|run| run.shed).collect();
    let health: Vec<_> = runs.iter().map(|run| run.health).collect();
    let failed: u64 = runs.iter().map(|run| run.health_failed).sum();
    let seconds = |of: fn(&Run) -> Duration| {
        runs.iter().map(|run| of(run).as_secs_f64() * 1e3).collect::<Vec<f64>>()
    };
    Ok(vec![
        Row::beside_probe(format!("{CASE}: one more is shed, max of 30"), &shed).at_most(10.0),
        Row::median(format!("{CASE}: stuck"), "threads", &stuck),
        Row::median(
            format!("{CASE}: until the excess of 300 at once is shed"),
            "ms",
            &seconds(|run| run.all_decided),
        ),
        Row::beside_probe(format!("{CASE}: health max"), &health).at_most(50.0),
        Row::one(format!("{CASE}: health calls failed"), "calls", failed as f64).at_most(0.0),
        Row::median(
            format!("{CASE}: all three methods answer again after"),
            "ms",
            &seconds(|run| run.recovered),
        )
        .at_most(1000.0),
        shrinks()?,
    ])
}

fn run() -> Result<Run, Failure> {
    let server = Server::start(Kind::Unstall)?;
    let client = Client::new(server.address, METHODS.len())?;
    longest(&[client.call("Health", Duration::ZERO)])?;
    let canary = Canary::start(server.address)?;
    let began = Instant::now();
    let volley = client.send(&METHODS, CALLS, Duration::ZERO);
    until(|| volley.answered() + server.gate.waiting() == CALLS)?;
    let all_decided = began.elapsed();
    let stuck = server.gate.waiting();
    let probe = evaluation::load::Probe::start();
    let mut shed = Duration::ZERO;
    for number in 0..30 {
        // Beyond the whole, whichever method it is.
        let answer = client.call(METHODS[number % METHODS.len()], Duration::ZERO);
        if with_code(std::slice::from_ref(&answer), Code::ResourceExhausted).is_empty() {
            return Err(format!("not shed: {:?}", answer.result).into());
        }
        shed = shed.max(answer.took);
    }
    let probe = probe.stop().percentile(100.0);
    let song = canary.stop()?;
    let released = Instant::now();
    server.gate.open();
    let answers = volley.answers()?;
    let shed_at_first = with_code(&answers, Code::ResourceExhausted).len();
    if shed_at_first + stuck != CALLS {
        return Err(format!("{stuck} stuck and {shed_at_first} shed of {CALLS}").into());
    }
    // The methods are stuck no more: three calls come to the gate.
    let again = client.send(&METHODS, METHODS.len(), Duration::ZERO);
    until(|| server.gate.waiting() == METHODS.len())?;
    let recovered = released.elapsed();
    server.gate.open();
    longest(&again.answers()?)?;
    Ok(Run {
        all_decided,
        stuck,
        shed: (shed, probe),
        health: song.percentile(100.0),
        health_failed: song.failed,
        recovered,
    })
}

/// Workers that were added leave after a time without work.
fn shrinks() -> Result<Row, Failure> {
    let server = Serving::start(Kind::Unstall)?;
    let client = Client::new(server.address, 1)?;
    longest(&[client.call("Health", Duration::ZERO)])?;
    let before = workers(&server)?;
    longest(&client.send(&["Sleep"], 100, Duration::from_millis(200)).answers()?)?;
    let most = workers(&server)?;
    let deadline = Instant::now() + PATIENCE * 2;
    let mut now = most;
    while now > before && Instant::now() < deadline {
        block(Duration::from_millis(100));
        now = workers(&server)?;
    }
    let row = Row::one("workers that stay after 100 sleepers", "threads", now as f64);
    Ok(row.at_most(before as f64).note(format!("{before} before, {most} then")))
}

/// Workers of a server.
fn workers(server: &Serving) -> Result<usize, Failure> {
    let mut workers = 0;
    for thread in std::fs::read_dir(format!("/proc/{}/task", server.id()))? {
        // A thread may end meanwhile.
        let name = std::fs::read_to_string(thread?.path().join("comm")).unwrap_or_default();
        let number = name.trim().strip_prefix("unstall-").unwrap_or_default();
        workers += usize::from(number.starts_with(|first: char| first.is_ascii_digit()));
    }
    Ok(workers)
}

fn until(mut is_so: impl FnMut() -> bool) -> Result<(), Failure> {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        if Instant::now() > deadline {
            return Err("not within ten seconds".into());
        }
        block(Duration::from_micros(500));
    }
    Ok(())
}
