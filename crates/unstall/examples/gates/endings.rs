//! What else must not bring a service down: its end, no more threads, a stop, a panic.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tonic::Code;
use unstall::{Executor, JobError, Settings, StallKind};

use crate::canary::Canary;
use crate::cgroup::Group;
use crate::child::Serving;
use crate::gate::Gate;
use crate::handler::{block, steps_in};
use crate::row::{Row, ms};
use crate::server::{Kind, Server};
use crate::sleepers::RUNS;
use crate::volley::{Client, longest, with_code};
use crate::{Failure, Outcome, Plan};

/// The end comes while five threads are stuck.
pub(crate) fn shutdown(_: &Plan) -> Outcome {
    let (mut late, mut held) = (Vec::new(), 0);
    for _ in 0..RUNS {
        let (after, held_now) = shut_down()?;
        late.push(ms(after));
        held += usize::from(held_now);
    }
    let case = "shutdown while five are stuck";
    Ok(vec![
        Row::median(format!("{case}: late by"), "ms", &late).at_most(50.0),
        Row::holds(format!("{case}: says so, refuses jobs, ends later"), held == RUNS),
    ])
}

fn shut_down() -> Result<(Duration, bool), Failure> {
    const PATIENCE: Duration = Duration::from_millis(200);
    let executor = Executor::start(Settings::for_this_machine(), ())?;
    let gate = Arc::new(Gate::default());
    let stuck = |_| {
        let gate = Arc::clone(&gate);
        executor.spawn("stuck", async move { gate.wait() })
    };
    let jobs: Vec<_> = (0..5).map(stuck).collect();
    while gate.waiting() < jobs.len() {
        block(Duration::from_millis(1));
    }
    let began = Instant::now();
    let stopped = executor.stop(PATIENCE);
    let late = began.elapsed().saturating_sub(PATIENCE);
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let refused = runtime.block_on(executor.spawn("late", async {})) == Err(JobError::Stopping);
    gate.open();
    let all_left = executor.stop(Duration::from_secs(5)).stuck == 0;
    Ok((late, stopped.stuck == jobs.len() && refused && all_left))
}

/// The system gives no more threads.
pub(crate) fn no_threads(_: &Plan) -> Outcome {
    let case = "no more threads to be had, 20 × sleep 1 s";
    let server = Serving::start(Kind::Unstall)?;
    let threads = std::fs::read_dir(format!("/proc/{}/task", server.id()))?.count();
    let limited = Group::with_threads(threads + 3).and_then(|group| {
        group.take(server.id())?;
        Ok(group)
    });
    let _group = match limited {
        Ok(group) => group,
        Err(error) => return Ok(vec![Row::skipped(case, error)]),
    };
    let client = Client::new(server.address, 1)?;
    let answers = client.send(&["Sleep"], 20, Duration::from_secs(1)).answers()?;
    let took = longest(&answers)?;
    let after = client.call("Health", Duration::ZERO);
    let note = format!("all answered after {:.1} s", took.as_secs_f64());
    drop(server);
    Ok(vec![Row::holds(format!("{case}: goes on"), after.result.is_ok()).note(note)])
}

/// The whole process is stopped for two seconds, under load.
pub(crate) fn stopped(_: &Plan) -> Outcome {
    let server = Serving::start(Kind::Unstall)?;
    let client = Client::new(server.address, 4)?;
    let canary = Canary::start(server.address)?;
    // Four seconds of CPU, in polls too short to be reported.
    let steps = Duration::from_nanos(steps_in(Duration::from_millis(10)));
    let calls = client.send(&["Compute"], 400, steps);
    block(Duration::from_millis(500));
    let process = Pid::from_raw(i32::try_from(server.id())?).ok_or("no process")?;
    kill_process(process, Signal::STOP)?;
    block(Duration::from_secs(2));
    kill_process(process, Signal::CONT)?;
    longest(&calls.answers()?)?;
    let song = canary.stop()?;
    block(Duration::from_millis(200));
    let starved = server.reports(StallKind::HostStarved).len();
    let kinds = [StallKind::Blocked, StallKind::Busy, StallKind::Paging];
    let others: Vec<String> = kinds.iter().flat_map(|kind| server.reports(*kind)).collect();
    let case = "SIGSTOP for 2 s";
    Ok(vec![
        Row::one(format!("{case}: reports of a starved host"), "reports", starved as f64)
            .at_most(1.0),
        Row::one(format!("{case}: other reports"), "reports", others.len() as f64)
            .at_most(0.0)
            .note(others.join("; ")),
        Row::one(format!("{case}: calls failed"), "calls", song.failed as f64).at_most(0.0),
    ])
}

/// Handlers panic, in a poll and in a drop.
pub(crate) fn panics(_: &Plan) -> Outcome {
    let server = Server::start(Kind::Unstall)?;
    let client = Client::new(server.address, 1)?;
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let (mut internal, mut healthy) = (0, 0);
    for method in ["PanicInPoll", "PanicInDropAtEnd"] {
        let answer = client.call(method, Duration::ZERO);
        internal += with_code(&[answer], Code::Internal).len();
        healthy += usize::from(client.call("Health", Duration::ZERO).result.is_ok());
    }
    // Its client goes away, and so it is dropped.
    client.runtime.block_on(async {
        let call = client.send(&["PanicInDrop"], 1, Duration::ZERO);
        tokio::time::sleep(Duration::from_millis(50)).await;
        call.abort();
        tokio::time::sleep(Duration::from_millis(50)).await;
    });
    healthy += usize::from(client.call("Health", Duration::ZERO).result.is_ok());
    std::panic::set_hook(hook);
    let note = format!("INTERNAL {internal} of 2, healthy after {healthy} of 3");
    Ok(vec![
        Row::holds("panic in poll and in drop: the next call works", (internal, healthy) == (2, 3))
            .note(note),
    ])
}
