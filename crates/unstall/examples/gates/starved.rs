//! Too little CPU is nobody's fault: handlers that only compute and await are never reported
//! as blocked, beside a CPU hog or under a quota.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use evaluation::load::{Arrivals, Outcome as Ending, Plan as Load, run};
use tonic::transport::Channel;
use unstall::StallKind;

use crate::cgroup::Group;
use crate::child::Serving;
use crate::handler::{compute, steps_in};
use crate::row::Row;
use crate::server::Kind;
use crate::wire::ask;
use crate::{Failure, Outcome, Plan};

/// CPU time of a handler.
const WORK: Duration = Duration::from_millis(1);
/// The same with what the request costs besides.
const WORK_IN_ALL: Duration = Duration::from_micros(1100);
const LOAD: f64 = 0.7;
const QUOTA_MS_OF_100: u64 = 50;

pub(crate) fn hog(plan: &Plan) -> Outcome {
    let cores = std::thread::available_parallelism()?.get() as f64;
    let server = Serving::start(Kind::Unstall)?;
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    let hog = std::thread::spawn(move || {
        while !told.load(Ordering::Relaxed) {
            compute(100_000);
        }
    });
    let row = reports("at 70 % load beside a CPU hog", &server, cores, plan);
    stop.store(true, Ordering::Relaxed);
    hog.join().map_err(|_| "the hog panicked")?;
    Ok(vec![row?])
}

pub(crate) fn quota(plan: &Plan) -> Outcome {
    let case = "at 70 % load under a quota of half a core";
    let group = match Group::with_cpu_quota(QUOTA_MS_OF_100) {
        Ok(group) => group,
        Err(error) => return Ok(vec![Row::skipped(name(case, plan), error)]),
    };
    let server = Serving::start(Kind::Unstall)?;
    group.take(server.id())?;
    let row = reports(case, &server, QUOTA_MS_OF_100 as f64 / 100.0, plan)?;
    let throttled = group.throttled().unwrap_or_default();
    let note = format!("{}; throttled in {throttled} periods", row.note);
    Ok(vec![row.note(note)])
}

fn name(case: &str, plan: &Plan) -> String {
    format!("{} s {case}: reports of \"blocked\"", plan.long.as_secs())
}

/// Puts a load on a server and counts what it reports.
fn reports(case: &str, server: &Serving, cores: f64, plan: &Plan) -> Result<Row, Failure> {
    let steps = Duration::from_nanos(steps_in(WORK));
    let call = move |channel: Channel, number: u64| async move {
        let (method, duration) = match number % 4 {
            0 => ("Await", Duration::from_millis(5)),
            _ => ("Compute", steps),
        };
        ask(channel, method, duration)
            .await
            .map_or_else(|status| Ending::of(&status), |()| Ending::Good)
    };
    let computing = LOAD * cores / WORK_IN_ALL.as_secs_f64();
    let load = Load {
        connections: NonZeroUsize::MIN.saturating_add(3),
        duration: plan.long,
        ..Load::new(Arrivals::Poisson { per_second: computing * 4.0 / 3.0, seed: 1 })
    };
    let measured = run(&load, &server.target(), call, &|_| {}, &Arc::default())?;
    let blocked = server.reports(StallKind::Blocked);
    let others: Vec<String> = [StallKind::Busy, StallKind::Paging, StallKind::HostStarved]
        .iter()
        .map(|kind| format!("{} {}", server.reports(*kind).len(), kind.name()))
        .collect();
    let first = blocked.first().map(|line| format!("; first: {line}")).unwrap_or_default();
    let note = format!(
        "{} requests, {} not well; also {}{first}",
        measured.outcomes.count(),
        measured.outcomes.wrong() + measured.outcomes.unsent(),
        others.join(", "),
    );
    Ok(Row::one(name(case, plan), "reports", blocked.len() as f64).at_most(0.0).note(note))
}
