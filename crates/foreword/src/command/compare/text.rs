//! A comparison as a person likes to read it.

use evaluation::compare::{Comparison, Mean, SPREAD, SideSummary};
use evaluation::load::Summary;

use crate::figures;
use crate::table;

/// One of the figures of a latency, in microseconds.
type Figure = fn(&Summary) -> f64;

pub(super) fn of(comparison: &Comparison) -> String {
    let mut text = sides(comparison);
    text.push_str(&likeness(comparison));
    text.push_str(&least_alike(comparison));
    for side in [&comparison.old, &comparison.new] {
        text.push_str(&wrong(side));
    }
    text
}

fn sides(comparison: &Comparison) -> String {
    let Comparison { old, new, users, k, .. } = comparison;
    let mut rows = table::of_figures(&["", "old", "new"]);
    let mut add = |name: &str, figure: &dyn Fn(&SideSummary) -> String| {
        rows.add_row([name.to_owned(), figure(old), figure(new)]);
    };
    add("where", &|side| side.source.clone());
    add("readers with books", &|side| count(side.with_books));
    add("readers with an empty answer", &|side| count(side.empty));
    add("readers without a good answer", &|side| count(side.missing));
    add("fallbacks", &|side| side.fallbacks.map_or_else(unknown, count));
    add("different books", &|side| count(side.different_books));
    let latencies: [(&str, Figure); 4] = [
        ("latency p50", |it| it.p50_us),
        ("latency p90", |it| it.p90_us),
        ("latency p99", |it| it.p99_us),
        ("latency max", |it| it.max_us),
    ];
    for (name, figure) in latencies {
        add(name, &|side| {
            side.load
                .as_ref()
                .map_or_else(unknown, |load| figures::microseconds(figure(&load.latency)))
        });
    }
    let asked = figures::counted(*users as u64, "reader");
    format!("{asked}, lists of at most {k}\n{rows}\n")
}

fn likeness(comparison: &Comparison) -> String {
    let compared = figures::counted(comparison.compared as u64, "reader");
    let mut rows = table::of_figures(&[&format!("{compared} with both"), "mean", "95 %"]);
    let k = comparison.k;
    for (name, mean) in [
        (format!("overlap@{k}"), comparison.overlap),
        (format!("Jaccard@{k}"), comparison.jaccard),
        (format!("RBO, p = {}", comparison.p), comparison.rbo),
    ] {
        let Some(Mean { mean, interval }) = mean else { continue };
        rows.add_row([
            name,
            format!("{mean:.3}"),
            format!("{:.3}–{:.3}", interval.low, interval.high),
        ]);
    }
    let spread = SPREAD
        .iter()
        .zip(&comparison.spread)
        .map(|(group, users)| format!("{} {group}", count(*users)));
    format!("{rows}\nReaders by overlap: {}\n", spread.collect::<Vec<_>>().join(", "))
}

fn least_alike(comparison: &Comparison) -> String {
    if comparison.least_alike.is_empty() {
        return String::new();
    }
    let mut rows = table::of_text(&["least alike", "RBO", "old", "new"]);
    for pair in &comparison.least_alike {
        let lists = [&pair.old, &pair.new].map(|books| books.join(", "));
        rows.add_row([pair.user.clone(), format!("{:.3}", pair.rbo)].into_iter().chain(lists));
    }
    format!("{rows}\n")
}

/// How calls of a side ended that did not end well.
fn wrong(side: &SideSummary) -> String {
    let mut text = String::new();
    let outcomes = side.load.iter().flat_map(|load| &load.outcomes);
    for row in outcomes.filter(|row| row.outcome != "OK") {
        let calls = figures::counted(row.count, "call");
        text.push_str(&format!("{}: {calls} ended with {}", side.source, row.outcome));
        text.push_str(&row.examples.first().map_or_else(String::new, |it| format!(": {it}")));
        text.push('\n');
    }
    text
}

fn count(number: usize) -> String {
    figures::count(number as u64)
}

fn unknown() -> String {
    "–".to_owned()
}
