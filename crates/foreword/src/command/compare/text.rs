//! A comparison as a person likes to read it.

use evaluation::compare::{Comparison, Mean, SPREAD, SideSummary};

use crate::figures;
use crate::table;

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
    let Comparison { users, k, .. } = comparison;
    let mut rows = table::of_figures(&["", "old", "new"]);
    for row in comparison.figures() {
        rows.add_row(row);
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
