//! `foreword bench shop`: the home page of a web shop that runs, for readers who are signed in.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use evaluation::load::paired::median;
use evaluation::load::{Arrivals, Pages, Plan, Report, Target, run as run_load};
use serde::Serialize;
use server::progress::Stages;

use crate::arguments::WebShop;
use crate::exit;
use crate::output;
use crate::progress;
use crate::signal::Stop;
use crate::table;

/// What `--json` prints.
#[derive(Serialize)]
struct Document {
    shop: String,
    readers: u32,
    rate: u32,
    /// Pages that were due, and those that went wrong or could not be sent, in all rounds.
    pages: u64,
    wrong: u64,
    unsent: u64,
    /// Medians over the rounds.
    p50_us: f64,
    p99_us: f64,
    p99_less_probe_us: f64,
    probe_p99_us: f64,
    rounds: Vec<Report>,
}

pub(super) async fn run(arguments: WebShop) -> Result<ExitCode> {
    let stop = Stop::listen()?;
    let target = Target::plaintext(&arguments.shop);
    let pages = Pages::sign_in(&target, arguments.readers).await.context("nobody is signed in")?;
    let json = arguments.output.json;
    let cancelled = Arc::clone(&stop.flag);
    let measure = move || measure(&arguments, &target, &Arc::new(pages), &cancelled);
    let document =
        tokio::task::spawn_blocking(measure).await.context("the measurement failed")??;
    if json {
        crate::command::print_json(&document)?;
    } else {
        output::say(text(&document));
    }
    if stop.flag.load(std::sync::atomic::Ordering::Relaxed) {
        output::remark("stopped");
        return Ok(ExitCode::from(exit::INTERRUPTED));
    }
    Ok(if document.wrong + document.unsent > 0 { exit::FAILURE } else { exit::SUCCESS })
}

fn measure(
    arguments: &WebShop,
    target: &Target,
    pages: &Arc<Pages>,
    cancelled: &Arc<std::sync::atomic::AtomicBool>,
) -> Result<Document> {
    let progress = progress::shown();
    let stages = Stages::new(&*progress);
    let mut rounds = Vec::new();
    for round in 0..arguments.rounds {
        stages.at("asking for pages", round.into(), arguments.rounds.into());
        let per_second = f64::from(arguments.rate);
        let arrivals = Arrivals::Poisson { per_second, seed: round.into() };
        let plan = Plan { duration: arguments.duration, ..Plan::new(arrivals) };
        let pages = Arc::clone(pages);
        let ask = move |channel, number| {
            let pages = Arc::clone(&pages);
            async move { pages.ask(channel, number).await }
        };
        rounds.push(Report::from(&run_load(&plan, target, ask, &|_| {}, cancelled)?));
        if cancelled.load(std::sync::atomic::Ordering::Relaxed) {
            break;
        }
    }
    let of = |figure: fn(&Report) -> f64| median(rounds.iter().map(figure)).unwrap_or(0.0);
    let sum = |figure: fn(&Report) -> u64| rounds.iter().map(figure).sum();
    Ok(Document {
        shop: arguments.shop.clone(),
        readers: arguments.readers,
        rate: arguments.rate,
        pages: sum(|round| round.requests),
        wrong: sum(|round| round.wrong),
        unsent: sum(|round| round.unsent),
        p50_us: of(|round| round.latency.p50_us),
        p99_us: of(|round| round.latency.p99_us),
        p99_less_probe_us: of(|round| round.latency_less_probe.p99_us),
        probe_p99_us: of(|round| round.probe.p99_us),
        rounds,
    })
}

fn text(document: &Document) -> String {
    let ms = |us: f64| format!("{:.2} ms", us / 1000.0);
    let mut table = table::of_figures(&["home page", &document.shop]);
    for (name, figure) in [
        ("pages a second", document.rate.to_string()),
        ("pages", document.pages.to_string()),
        ("went wrong", document.wrong.to_string()),
        ("unsent", document.unsent.to_string()),
        ("p50", ms(document.p50_us)),
        ("p99", ms(document.p99_us)),
        ("p99 less probe", ms(document.p99_less_probe_us)),
        ("probe p99", ms(document.probe_p99_us)),
    ] {
        table.add_row([name.to_owned(), figure]);
    }
    let mut text = table.to_string();
    for outcome in document.rounds.iter().flat_map(|round| &round.outcomes) {
        for example in &outcome.examples {
            text.push_str(&format!("\n{}: {example}", outcome.outcome));
        }
    }
    text
}
