//! `foreword bench events`.

use std::process::ExitCode;
use std::sync::atomic::Ordering;

use anyhow::Result;
use evaluation::load::events::{EventsPlan, Fresh, Streamed, freshness, stream};
use evaluation::load::{Process, Summary, Target};
use serde::Serialize;
use server::data_folder::DataFolder;
use server::made_up;

use super::events_server::Server;
use crate::arguments::{Arguments, Events};
use crate::exit;
use crate::figures;
use crate::output;
use crate::progress;
use crate::signal::Stop;
use crate::table;

/// How many users are asked for, where nobody says.
const USERS: u32 = 2000;

/// What `--json` prints.
#[derive(Serialize)]
struct Document {
    plan: EventsPlan,
    store_events: Option<u64>,
    /// The rounds that came to their end.
    rounds: Vec<Round>,
}

/// Both measurements, one after the other.
#[derive(Serialize)]
struct Round {
    stream: Streamed,
    /// Groups that were committed while it streamed, each with one sync of the log.
    groups: f64,
    entries_a_group: f64,
    commit_ms: f64,
    /// CPU time of the server for each event.
    cpu_us_per_event: Option<f64>,
    fresh: Fresh,
}

pub(super) async fn run(arguments: &Arguments, events: Events) -> Result<ExitCode> {
    let stop = Stop::listen()?;
    let database = arguments.database.as_deref().unwrap_or_default();
    let (settings, flags) = arguments.settings_in(database)?;
    let data = DataFolder::new(&events.folder);
    if let Some(count) = events.store_events {
        let store = data.store(&settings).await?;
        made_up::fill(&store, count, &*progress::shown()).await?;
        store.close().await;
    }
    let (plan, asking) = plans(&events);
    let server = Server::start(&events.folder, flags).await?;
    let target = Target::plaintext(&server.address.to_string());
    let mut rounds = Vec::new();
    for round in 0..u64::from(events.rounds) {
        // No event of a round is another's.
        let seed = |plan: &EventsPlan| EventsPlan { seed: plan.seed + round, ..plan.clone() };
        let (before, usage) = (server.groups()?, Process(server.pid()).usage().ok());
        let stream = stream(&target, &seed(&plan), &stop.flag).await?;
        let (after, used) = (server.groups()?, Process(server.pid()).usage().ok());
        let groups = after.groups - before.groups;
        let cpu = usage.zip(used).map(|(before, after)| after.cpu.saturating_sub(before.cpu));
        let fresh = freshness(&target, &seed(&asking), &stop.flag).await?;
        if stop.flag.load(Ordering::Relaxed) {
            break;
        }
        rounds.push(Round {
            cpu_us_per_event: cpu.map(|cpu| cpu.as_secs_f64() * 1e6 / stream.events.max(1) as f64),
            stream,
            groups,
            entries_a_group: (after.entries - before.entries) / groups.max(1.0),
            commit_ms: (after.seconds - before.seconds) * 1e3 / groups.max(1.0),
            fresh,
        });
    }
    drop(server);
    let document = Document { plan, store_events: events.store_events, rounds };
    if events.output.json {
        crate::command::print_json(&document)?;
    } else {
        output::say(text(&document).trim_end());
    }
    Ok(conclude(&document, &stop))
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

/// The figures as a person likes to read them.
fn text(document: &Document) -> String {
    let headings = [
        "round",
        "durable/s",
        "groups",
        "events/group",
        "commit",
        "ack p50",
        "ack p99",
        "probe p99",
    ];
    let mut streams = table::of_figures(&headings);
    let headings =
        ["round", "asked", "changed", "p50", "p99", "max", "less probe p99", "probe p99"];
    let mut fresh = table::of_figures(&headings);
    for (number, round) in (1..).zip(&document.rounds) {
        let Round { stream, fresh: asked, .. } = round;
        streams.add_row([
            format!("{number}"),
            figures::count(stream.per_second.round() as u64),
            figures::count(round.groups as u64),
            format!("{:.0}", round.entries_a_group),
            format!("{:.2} ms", round.commit_ms),
            ms(&stream.acknowledged, |it| it.p50_us),
            ms(&stream.acknowledged, |it| it.p99_us),
            ms(&stream.probe, |it| it.p99_us),
        ]);
        fresh.add_row([
            format!("{number}"),
            figures::count(asked.asked),
            figures::count(asked.changed),
            ms(&asked.answered, |it| it.p50_us),
            ms(&asked.answered, |it| it.p99_us),
            ms(&asked.answered, |it| it.max_us),
            ms(&asked.answered_less_probe, |it| it.p99_us),
            ms(&asked.probe, |it| it.p99_us),
        ]);
    }
    format!(
        "Streaming events:\n{streams}\n\nFrom an acknowledgement to the answer that has it:\n{fresh}\n"
    )
}

fn ms(summary: &Summary, of: impl Fn(&Summary) -> f64) -> String {
    format!("{:.2} ms", of(summary) / 1e3)
}

/// Says what was not as it should be; the exit code.
fn conclude(document: &Document, stop: &Stop) -> ExitCode {
    let rounds = || document.rounds.iter();
    let others: u64 = rounds().map(|round| round.stream.others).sum();
    let unchanged: u64 = rounds().map(|round| round.fresh.asked - round.fresh.changed).sum();
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
