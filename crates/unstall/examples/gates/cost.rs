//! What a job costs, beside `async-executor` and tokio; and what doing nothing costs.

use std::future::{Future, pending};
use std::sync::Arc;
use std::time::{Duration, Instant};

use evaluation::load::Process;
use unstall::{Executor, Settings};

use crate::child::Serving;
use crate::handler::block;
use crate::row::Row;
use crate::server::Kind;
use crate::volley::Client;
use crate::{Failure, Outcome, Plan};

const IN_FLIGHT: usize = 64;
const JOBS: usize = 300_000;
const ROUNDS: usize = 5;
const IDLE: Duration = Duration::from_secs(10);

/// Wall and CPU time of one job, in microseconds.
type PerJob = (f64, f64);

/// An empty job: spawned from outside, run, its result awaited; 64 of them in flight.
pub(crate) fn job(plan: &Plan) -> Outcome {
    let mut figures: [(&str, Vec<PerJob>); 3] =
        [("unstall", Vec::new()), ("tokio", Vec::new()), ("async-executor", Vec::new())];
    let peers = if plan.peers { figures.len() } else { 1 };
    let executor = Executor::start(Settings::for_this_machine(), ())?;
    let method = executor.method("empty");
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let other = AsyncExecutor::start()?;
    for _ in 0..ROUNDS {
        for (name, rounds) in &mut figures[..peers] {
            rounds.push(match *name {
                "unstall" => time(|| executor.spawn_method(&method, async {}))?,
                "tokio" => time(|| tokio.spawn(async {}))?,
                _ => time(|| other.0.spawn(async {}))?,
            });
        }
    }
    let mut rows = Vec::new();
    for (name, rounds) in &figures[..peers] {
        let wall: Vec<f64> = rounds.iter().map(|(wall, _)| *wall).collect();
        let cpu: Vec<f64> = rounds.iter().map(|(_, cpu)| *cpu).collect();
        let row = Row::median(format!("an empty job, {name}"), "µs", &wall);
        rows.push(if *name == "unstall" { row.at_most(1.5) } else { row });
        rows.push(Row::median(format!("an empty job, {name}: CPU of all threads"), "µs", &cpu));
    }
    Ok(rows)
}

/// Time per job, spawned by as many tasks of one thread as are to be in flight.
fn time<J: Future>(spawn: impl Fn() -> J) -> Result<PerJob, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let process = Process(std::process::id());
    let spawn = &spawn;
    runtime.block_on(async {
        let client = || async move {
            for _ in 0..JOBS / IN_FLIGHT {
                let _ = spawn().await;
            }
        };
        let clients = || futures_util::future::join_all((0..IN_FLIGHT).map(|_| client()));
        let cpu = process.usage()?.cpu;
        let began = Instant::now();
        clients().await;
        let took = began.elapsed();
        let cpu = process.usage()?.cpu.saturating_sub(cpu);
        let jobs = (JOBS / IN_FLIGHT * IN_FLIGHT) as f64;
        Ok((took.as_secs_f64() * 1e6 / jobs, cpu.as_secs_f64() * 1e6 / jobs))
    })
}

/// `async-executor` with a thread for each core.
struct AsyncExecutor(Arc<async_executor::Executor<'static>>);

impl AsyncExecutor {
    fn start() -> Result<Self, Failure> {
        let executor = Arc::new(async_executor::Executor::new());
        for _ in 0..std::thread::available_parallelism()?.get() {
            let executor = Arc::clone(&executor);
            let runtime = tokio::runtime::Builder::new_current_thread().build()?;
            std::thread::spawn(move || runtime.block_on(executor.run(pending::<()>())));
        }
        Ok(Self(executor))
    }
}

/// CPU time of a server with connections and without requests.
pub(crate) fn idle(_: &Plan) -> Outcome {
    let server = Serving::start(Kind::Unstall)?;
    let client = Client::new(server.address, 20)?;
    let calls = client.send(&["Health"], 200, Duration::ZERO).answers()?;
    crate::volley::longest(&calls)?;
    block(Duration::from_secs(1));
    let before = on_cpu(server.id())?;
    block(IDLE);
    let used = on_cpu(server.id())?.saturating_sub(before);
    let percent = used.as_secs_f64() / IDLE.as_secs_f64() * 100.0;
    Ok(vec![
        Row::one("idle with 20 connections", "% of a core", percent)
            .at_most(0.05)
            .note(format!("{used:?} in {IDLE:?}")),
    ])
}

/// CPU time of all threads that live, to the nanosecond: `stat` counts ticks of 10 ms.
fn on_cpu(process: u32) -> Result<Duration, Failure> {
    let mut sum = 0;
    for thread in std::fs::read_dir(format!("/proc/{process}/task"))? {
        let stat = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        sum += stat.split(' ').next().unwrap_or_default().parse::<u64>()?;
    }
    Ok(Duration::from_nanos(sum))
}
