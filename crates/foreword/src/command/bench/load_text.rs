//! The figures of `foreword bench load` as a person likes to read them.

use std::time::Duration;

use evaluation::load::paired::{Figures, Paired, Ratio, Ratios, Rounds};
use evaluation::load::{Arrivals, Plan, Report, ServerRow, Summary};

use super::load::Document;
use crate::figures;
use crate::table;

pub(super) fn text(document: &Document) -> String {
    let mut text = format!("{}: {}\n", document.call, plan(&document.plan));
    let Paired { targets, ratios } = &document.paired;
    match &targets[..] {
        [Rounds { address, rounds, .. }] if rounds.len() == 1 => {
            rounds.iter().for_each(|report| text.push_str(&run(address, report)));
        }
        targets => {
            text.push_str(&rounds(targets));
            ratios.iter().for_each(|ratios| text.push_str(&proportions(ratios)));
        }
    }
    for target in targets {
        text.push_str(&wrong(target));
    }
    text
}

fn plan(plan: &Plan) -> String {
    let arrivals = match plan.arrivals {
        Arrivals::Closed { in_flight } => format!("{in_flight} requests in flight"),
        Arrivals::Constant { per_second } => {
            format!("{per_second} requests per second at equal distances")
        }
        Arrivals::Poisson { per_second, .. } => {
            format!("{per_second} requests per second at random")
        }
    };
    format!(
        "{arrivals}, on {} with at most {}; {} after a warm-up of {}",
        figures::counted(plan.connections.get() as u64, "connection"),
        figures::counted(plan.streams_per_connection.get() as u64, "stream"),
        figures::seconds(plan.duration),
        figures::seconds(plan.warm_up),
    )
}

/// A single run.
fn run(address: &str, report: &Report) -> String {
    let mut rows = table::of_figures(&[address, "p50", "p90", "p99", "p99.9", "max", "mean"]);
    let mut add = |name: &str, summary: &Summary| {
        let us = [summary.p50_us, summary.p90_us, summary.p99_us, summary.p999_us];
        let us = us.into_iter().chain([summary.max_us, summary.mean_us]);
        rows.add_row([name.to_owned()].into_iter().chain(us.map(figures::microseconds)));
    };
    add("latency", &report.latency);
    add("latency less probe", &report.latency_less_probe);
    if let Some(service_time) = &report.service_time {
        add("service time", service_time);
    }
    if let Some(lateness) = &report.send_lateness {
        add("sent late by", lateness);
    }
    add("probe: woken late by", &report.probe);
    let mut text = format!("{rows}\n");
    text.push_str(&format!(
        "{} in {}, {} good answers per second\n",
        figures::counted(report.requests, "request"),
        figures::seconds(Duration::from_secs_f64(report.seconds)),
        rate(report.good_per_second)
    ));
    if report.waited > 0 {
        text.push_str(&format!(
            "{} waited for a free stream; more --connections or --streams let more of them through\n",
            figures::counted(report.waited, "request")
        ));
    }
    if let Some(server) = &report.server {
        text.push_str(&process(server));
    }
    if let Some(cores) = report.client_cpu_cores {
        text.push_str(&format!("this client kept {cores:.2} cores busy\n"));
    }
    text
}

fn process(server: &ServerRow) -> String {
    let each = match server.cpu_us_per_request {
        Some(us) => format!("{us:.0} µs for each request"),
        None => "no request".to_owned(),
    };
    format!(
        "the service took {:.2} s of CPU time ({:.2} cores, {each}) and {} of memory, {} at most\n",
        server.cpu_seconds,
        server.cpu_cores,
        figures::bytes(server.resident_bytes),
        figures::bytes(server.resident_peak_bytes)
    )
}

/// Several runs: a row each, and the medians.
pub(super) fn rounds(targets: &[Rounds]) -> String {
    let headings = ["round", "good/s", "p50", "p90", "p99", "p99.9", "CPU/request"];
    let mut text = String::new();
    for target in targets {
        let mut rows = table::of_figures(&headings);
        let mut add = |name: String, figures: &Figures| {
            let us = [figures.p50_us, figures.p90_us, figures.p99_us, figures.p999_us];
            let cpu =
                figures.cpu_us_per_request.map_or_else(|| "–".to_owned(), figures::microseconds);
            let per_second = rate(figures.good_per_second);
            rows.add_row(
                [name, per_second].into_iter().chain(us.map(figures::microseconds)).chain([cpu]),
            );
        };
        for (number, report) in (1..).zip(&target.rounds) {
            let stopped = if report.stopped_early { " (stopped)" } else { "" };
            add(format!("{number}{stopped}"), &Figures::from(report));
        }
        add("median".to_owned(), &target.median);
        text.push_str(&format!("{}\n{rows}\n", target.address));
    }
    text
}

pub(super) fn proportions(ratios: &Ratios) -> String {
    let heading = format!("{} / {}", ratios.address, ratios.to);
    let mut rows = table::of_figures(&[&heading, "median", "smallest", "largest"]);
    let mut add = |name: &str, ratio: &Option<Ratio>| {
        if let Some(ratio) = ratio {
            let figures = [ratio.median, ratio.min, ratio.max].map(|figure| format!("{figure:.3}"));
            rows.add_row([name.to_owned()].into_iter().chain(figures));
        }
    };
    add("good answers per second", &ratios.good_per_second);
    add("latency p50", &ratios.p50);
    add("latency p90", &ratios.p90);
    add("latency p99", &ratios.p99);
    add("latency p99.9", &ratios.p999);
    add("CPU time per request", &ratios.cpu_per_request);
    format!("{rows}\n")
}

/// What went wrong at a target, by outcome; nothing if nothing did.
pub(super) fn wrong(target: &Rounds) -> String {
    let mut text = String::new();
    for (round, report) in (1..).zip(&target.rounds) {
        let round =
            if target.rounds.len() == 1 { String::new() } else { format!(", round {round}") };
        if report.wrong + report.unsent > 0 {
            let headings = [&format!("{}{round}", target.address), "requests", "p50", "p99", "max"];
            let mut rows = table::of_figures(&headings.map(AsRef::as_ref));
            for row in &report.outcomes {
                let us = [row.latency.p50_us, row.latency.p99_us, row.latency.max_us];
                let name = [row.outcome.clone(), figures::count(row.count)];
                rows.add_row(name.into_iter().chain(us.map(figures::microseconds)));
            }
            text.push_str(&format!("{rows}\n"));
            for row in &report.outcomes {
                for example in &row.examples {
                    text.push_str(&format!("{}: {example}\n", row.outcome));
                }
            }
        }
    }
    text
}

/// `12.34` → `12.3`, `1234.5` → `1,235`.
pub(super) fn rate(per_second: f64) -> String {
    if per_second < 999.95 {
        format!("{per_second:.1}")
    } else {
        // More than fits into the integer is no rate.
        figures::count(per_second.round() as u64)
    }
}
