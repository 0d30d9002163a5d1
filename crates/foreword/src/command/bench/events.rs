//! `foreword bench events`.

mod text;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use anyhow::{Context, Result};
use evaluation::load::events::{EventsPlan, Fresh, Streamed, freshness, stream};
use serde::Serialize;
use server::data_folder::DataFolder;
use server::made_up;
use tempfile::TempDir;

use super::prepared::{Prepared, prepare};
use super::serving::{Metrics, Serving, Training};
use crate::arguments::{Arguments, Events};
use crate::exit;
use crate::figures;
use crate::output;
use crate::progress;
use crate::signal::Stop;

/// How many users are asked for, where nobody says.
const USERS: u32 = 2000;

/// What `--json` prints.
#[derive(Serialize)]
struct Document {
    plan: EventsPlan,
    store_events: Option<u64>,
    /// What that took.
    prepared: Option<Prepared>,
    /// How long the server took to start.
    open_seconds: f64,
    /// The rounds that came to their end.
    rounds: Vec<Round>,
    /// Trainings meanwhile that came to their end, each in a process of its own.
    trainings: Vec<Training>,
}

/// All measurements, one after the other.
#[derive(Serialize)]
struct Round {
    stream: Streamed,
    /// Groups that were committed while it streamed, each with one sync of the log.
    groups: f64,
    groups_per_second: f64,
    entries_a_group: f64,
    commit_ms: f64,
    /// CPU time of the server for each event.
    cpu_us_per_event: Option<f64>,
    fresh: Fresh,
    /// The same, of a second server on the same database; `None` for a folder, which has one.
    fresh_elsewhere: Option<Fresh>,
    /// Memory of the server at the end, its model included. A training is another process.
    resident_bytes: Option<u64>,
}

pub(super) async fn run(arguments: &Arguments, events: Events) -> Result<ExitCode> {
    let stop = Stop::listen()?;
    let database = arguments.database.as_deref().unwrap_or_default();
    let (settings, flags) = arguments.settings_in(database)?;
    let data = DataFolder::new(&events.folder);
    let mut prepared = None;
    if let Some(count) = events.store_events {
        prepared = prepare(&data, &settings, count, &progress::shown(), &stop.flag).await?;
        if prepared.is_none() {
            output::remark("stopped");
            return Ok(ExitCode::from(exit::INTERRUPTED));
        }
    }
    let second = (!settings.store.is_in_folder()).then(tempfile::tempdir).transpose()?;
    let servers = Servers { first: start(data, flags.clone()).await?, second, flags };
    let (plan, asking) = plans(&events);
    let mut rounds = Vec::new();
    for round in 0..u64::from(events.rounds) {
        // No event of a round is another's.
        let seed = |plan: &EventsPlan| EventsPlan { seed: plan.seed + round, ..plan.clone() };
        let measured = measure(&servers, &seed(&plan), &seed(&asking), &stop).await?;
        if stop.flag.load(Ordering::Relaxed) {
            break;
        }
        rounds.push(measured);
    }
    let document = Document {
        plan,
        store_events: events.store_events,
        prepared,
        open_seconds: servers.first.opened_in.as_secs_f64(),
        rounds,
        trainings: servers.first.trainings(),
    };
    drop(servers);
    if events.output.json {
        crate::command::print_json(&document)?;
    } else {
        output::say(text::text(&document).trim_end());
    }
    Ok(conclude(&document, &stop))
}

/// What is measured.
struct Servers {
    first: Serving,
    /// The folder of a second one on the same database.
    second: Option<TempDir>,
    flags: Vec<OsString>,
}

async fn start(data: DataFolder, flags: Vec<OsString>) -> Result<Serving> {
    let start = move || Serving::start(&data, &flags);
    tokio::task::spawn_blocking(start).await.context("no server was started")?
}

async fn measure(
    servers: &Servers,
    plan: &EventsPlan,
    asking: &EventsPlan,
    stop: &Stop,
) -> Result<Round> {
    let first = &servers.first;
    let target = first.target();
    let (before, usage) = (first.metrics()?, first.process().usage().ok());
    let stream = stream(&target, plan, &stop.flag).await?;
    let (after, used) = (first.metrics()?, first.process().usage().ok());
    let grown = |name: &str| grown(&before, &after, name);
    let groups = grown("foreword_event_groups_total");
    let cpu = usage.zip(used).map(|(before, after)| after.cpu.saturating_sub(before.cpu));
    let fresh = freshness(&target, None, asking, &stop.flag).await?;
    let fresh_elsewhere = match &servers.second {
        // It runs only now: it reads what the first writes, and would be measured with it.
        Some(folder) => {
            let second = start(DataFolder::new(folder.path()), servers.flags.clone()).await?;
            // Other events than those before.
            let asking = EventsPlan { seed: !asking.seed, ..asking.clone() };
            Some(freshness(&target, Some(&second.target()), &asking, &stop.flag).await?)
        }
        None => None,
    };
    Ok(Round {
        cpu_us_per_event: cpu.map(|cpu| cpu.as_secs_f64() * 1e6 / stream.events.max(1) as f64),
        groups,
        groups_per_second: groups / stream.seconds,
        entries_a_group: grown("foreword_event_group_entries_total") / groups.max(1.0),
        commit_ms: grown("foreword_event_commit_seconds_sum") * 1e3 / groups.max(1.0),
        stream,
        fresh,
        fresh_elsewhere,
        resident_bytes: first.process().usage().ok().map(|usage| usage.resident_bytes),
    })
}

fn grown(before: &Metrics, after: &Metrics, name: &str) -> f64 {
    after.value(name) - before.value(name)
}

/// What streams, and what buys and asks again.
fn plans(events: &Events) -> (EventsPlan, EventsPlan) {
    let plan = EventsPlan {
        clients: events.clients.into(),
        batch: events.batch.into(),
        ahead: events.ahead.into(),
        users: events.users.or(events.store_events.map(made_up::users)).unwrap_or(USERS),
        books: events.books,
        duration: events.duration,
        seed: crate::command::now_ms().unsigned_abs(),
    };
    let asking = EventsPlan { clients: events.askers.into(), ..plan.clone() };
    (plan, asking)
}

/// Says what was not as it should be; the exit code.
fn conclude(document: &Document, stop: &Stop) -> ExitCode {
    let others: u64 = document.rounds.iter().map(|round| round.stream.others).sum();
    let asked = document
        .rounds
        .iter()
        .flat_map(|round| std::iter::once(&round.fresh).chain(&round.fresh_elsewhere));
    let unchanged: u64 = asked.map(|asked| asked.asked - asked.changed).sum();
    if others > 0 {
        let others = figures::counted(others, "event");
        output::remark(format_args!("error: {others} had another result than to be stored"));
    }
    if unchanged > 0 {
        let unchanged = figures::counted(unchanged, "answer");
        output::remark(format_args!("error: {unchanged} lacked what was acknowledged"));
    }
    if stop.flag.load(Ordering::Relaxed) {
        output::remark("stopped");
        return ExitCode::from(exit::INTERRUPTED);
    }
    if others + unchanged > 0 { exit::FAILURE } else { exit::SUCCESS }
}
