//! `foreword bench load`.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use evaluation::load::paired::{Paired, Place, run_paired};
use evaluation::load::{
    Arrivals, AsciiMetadataValue, ConnectError, Draw, LoadError, Plan, Process, Question,
    Questions, Target,
};
use serde::Serialize;
use server::progress::Stages;

use super::load_text::text;
use crate::arguments::{ArrivalsKind, Call, Load};
use crate::command::target;
use crate::exit;
use crate::figures;
use crate::output;
use crate::progress;
use crate::signal::Stop;

/// What `--json` prints.
#[derive(Serialize)]
pub(super) struct Document {
    pub(super) call: &'static str,
    pub(super) plan: Plan,
    first_id: u32,
    last_id: u32,
    max_results: u32,
    seed: u64,
    /// Answers that the service called a fallback, those of the warm-up among them.
    pub(super) fallbacks: u64,
    #[serde(flatten)]
    pub(super) paired: Paired,
}

pub(super) async fn run(arguments: Load) -> Result<ExitCode> {
    let targets = targets(&arguments)?;
    let bearer = |path: &PathBuf| target::authorization("--bearer-file", path);
    let authorization = arguments.bearer_file.as_ref().map(bearer).transpose()?;
    let plan = plan(&arguments);
    plan.check()?;
    let stop = Stop::listen()?;
    let json = arguments.output.json;
    let cancelled = Arc::clone(&stop.flag);
    let measure = move || measure(&arguments, plan, &targets, authorization, &cancelled);
    let measured = tokio::task::spawn_blocking(measure).await.context("the measurement failed")?;
    let document = measured.map_err(with_hint)?;
    if json {
        crate::command::print_json(&document)?;
    } else {
        output::say(text(&document).trim_end());
    }
    Ok(conclude(&document, &stop))
}

fn plan(arguments: &Load) -> Plan {
    let per_second = arguments.rate.unwrap_or_default();
    let arrivals = match (arguments.in_flight, arguments.arrivals) {
        (Some(in_flight), _) => Arrivals::Closed { in_flight },
        (None, ArrivalsKind::Constant) => Arrivals::Constant { per_second },
        (None, ArrivalsKind::Poisson) => Arrivals::Poisson { per_second, seed: arguments.seed },
    };
    Plan {
        arrivals,
        connections: arguments.connections,
        streams_per_connection: arguments.streams,
        warm_up: arguments.warm_up,
        duration: arguments.duration,
        deadline: arguments.deadline,
        threads: arguments.threads,
    }
}

fn targets(arguments: &Load) -> Result<Vec<Target>> {
    let (services, processes) = (arguments.to.len(), arguments.pid.len());
    ensure!(
        processes == 0 || processes == services,
        "{processes} --pid for {services} --to, expected none, or one for each --to in the same order"
    );
    let tls = target::tls(&arguments.tls)?;
    let target = |(place, to): (usize, &String)| {
        let process = arguments.pid.get(place).copied().map(Process);
        Ok(Target { process, ..target::target("--to", to, tls.as_ref())? })
    };
    arguments.to.iter().enumerate().map(target).collect()
}

fn measure(
    arguments: &Load,
    plan: Plan,
    targets: &[Target],
    authorization: Option<AsciiMetadataValue>,
    cancelled: &Arc<AtomicBool>,
) -> Result<Document, LoadError> {
    let (question, call, ids) = asked(arguments);
    let questions = Arc::new(Questions {
        question,
        ids: ids.clone(),
        draw: Draw::Evenly,
        results_max: arguments.max_results,
        seed: arguments.seed,
        deadline: arguments.deadline,
        authorization,
        fallbacks: AtomicU64::new(0),
    });
    let asking = Arc::clone(&questions);
    let ask = move |channel, number| {
        let questions = Arc::clone(&asking);
        async move { questions.ask(channel, number).await }
    };
    let progress = progress::shown();
    let stages = Stages::new(&*progress);
    let (rounds, seconds) = (arguments.rounds.get(), whole_seconds(plan.warm_up + plan.duration));
    let watch = |place: Place| {
        let Place { round, target, elapsed, .. } = place;
        let address = &targets[target].address;
        let stage = match rounds {
            1 => format!("asking {address}, seconds"),
            _ => format!("round {} of {rounds}: asking {address}, seconds", round + 1),
        };
        stages.at(&stage, whole_seconds(elapsed).min(seconds), seconds);
    };
    let paired = run_paired(&plan, targets, rounds, &ask, &watch, cancelled)?;
    Ok(Document {
        call,
        plan,
        first_id: *ids.start(),
        last_id: *ids.end(),
        max_results: arguments.max_results,
        seed: arguments.seed,
        fallbacks: questions.fallbacks.load(Ordering::Relaxed),
        paired,
    })
}

fn asked(arguments: &Load) -> (Question, &'static str, RangeInclusive<u32>) {
    let users = arguments.users.clone();
    match arguments.call {
        Call::Tutorial => (Question::Tutorial, "tutorial", users),
        Call::Recommend => (Question::Recommend, "recommend", users),
        Call::Similar => (Question::Similar, "similar", arguments.books.clone()),
        Call::Trending => (Question::Trending, "trending", users),
    }
}

fn whole_seconds(duration: Duration) -> usize {
    usize::try_from(duration.as_secs()).unwrap_or(usize::MAX)
}

/// What the user can do about it.
fn with_hint(error: LoadError) -> anyhow::Error {
    match error {
        LoadError::Connect(ConnectError::Refused { .. }) => anyhow::anyhow!(
            "{error}; `{} serve` starts the service, --to says where it is",
            crate::command::program()
        ),
        LoadError::Process { .. } => {
            anyhow::anyhow!("{error}; --pid is the number of the service's process on this machine")
        }
        error => error.into(),
    }
}

/// Says what was not as it should be; the exit code.
fn conclude(document: &Document, stop: &Stop) -> ExitCode {
    let reports = || document.paired.targets.iter().flat_map(|target| &target.rounds);
    let requests: u64 = reports().map(|report| report.requests).sum();
    if document.fallbacks > 0 {
        output::remark(format_args!(
            "note: {} a fallback, which may cost less than what was asked for; are --users and --books ids of this shop?",
            match document.fallbacks {
                1 => "1 answer was".to_owned(),
                many => format!("{} answers were", figures::count(many)),
            }
        ));
    }
    let (wrong, unsent) = document.paired.wrong_and_unsent();
    if wrong > 0 {
        output::remark(format_args!(
            "error: {} of {} went wrong",
            figures::count(wrong),
            figures::counted(requests, "request")
        ));
    }
    if unsent > 0 {
        output::remark(format_args!(
            "error: {} could not be sent before the end: answers come more slowly than --rate asks, or this client is too busy to read them",
            figures::counted(unsent, "request")
        ));
    }
    if stop.flag.load(Ordering::Relaxed) {
        output::remark("stopped");
        return ExitCode::from(exit::INTERRUPTED);
    }
    if wrong + unsent > 0 { exit::FAILURE } else { exit::SUCCESS }
}
