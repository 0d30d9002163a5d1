//! The figures of `foreword bench events` as a person likes to read them.

use std::time::Duration;

use comfy_table::Table;
use evaluation::load::Summary;
use evaluation::load::events::Fresh;

use super::{Document, Round};
use crate::command::bench::serving::peak_bytes;
use crate::figures;
use crate::table;

pub(super) fn text(document: &Document) -> String {
    let mut text =
        "Streaming events, each group with one commit and one sync of the log:\n".to_owned();
    text.push_str(&format!("{}\n", streams(&document.rounds)));
    let here = document.rounds.iter().map(|round| Some(&round.fresh));
    text.push_str("\nFrom an acknowledgement to the answer that has it:\n");
    text.push_str(&format!("{}\n", fresh(here)));
    if document.rounds.iter().any(|round| round.fresh_elsewhere.is_some()) {
        let elsewhere = document.rounds.iter().map(|round| round.fresh_elsewhere.as_ref());
        text.push_str("\nThe same, asking another replica with the user's revision:\n");
        text.push_str(&format!("{}\n", fresh(elsewhere)));
    }
    if let Some(prepared) = &document.prepared
        && let Some(a_second) = prepared.filled_a_second()
    {
        let events = figures::counted(prepared.events_filled, "event");
        let a_second = figures::count(a_second as u64);
        text.push_str(&format!("\nthe store was filled with {events}, {a_second} a second"));
    }
    let trainings = figures::counted(document.trainings.len() as u64, "training");
    let opened = figures::seconds(Duration::from_secs_f64(document.open_seconds));
    text.push_str(&format!("\nstarted in {opened}; {trainings} meanwhile"));
    if let Some(bytes) = peak_bytes(&document.trainings) {
        text.push_str(&format!(", in processes of up to {}", figures::bytes(bytes)));
    }
    if let Some(bytes) = document.rounds.last().and_then(|round| round.resident_bytes) {
        text.push_str(&format!("; the server has {} at the end", figures::bytes(bytes)));
    }
    text
}

fn streams(rounds: &[Round]) -> Table {
    let headings = [
        "round",
        "durable/s",
        "syncs",
        "syncs/s",
        "events each",
        "commit",
        "ack p50",
        "ack p99",
        "probe p99",
    ];
    let mut table = table::of_figures(&headings);
    for (number, round) in (1..).zip(rounds) {
        let stream = &round.stream;
        table.add_row([
            format!("{number}"),
            figures::count(stream.per_second.round() as u64),
            figures::count(round.groups as u64),
            format!("{:.1}", round.groups_per_second),
            format!("{:.0}", round.entries_a_group),
            format!("{:.2} ms", round.commit_ms),
            ms(&stream.acknowledged, |it| it.p50_us),
            ms(&stream.acknowledged, |it| it.p99_us),
            ms(&stream.probe, |it| it.p99_us),
        ]);
    }
    table
}

fn fresh<'a>(rounds: impl Iterator<Item = Option<&'a Fresh>>) -> Table {
    let headings =
        ["round", "asked", "changed", "p50", "p99", "max", "p99 less probe", "probe p99"];
    let mut table = table::of_figures(&headings);
    for (number, round) in (1..).zip(rounds) {
        let Some(asked) = round else { continue };
        table.add_row([
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
    table
}

fn ms(summary: &Summary, of: impl Fn(&Summary) -> f64) -> String {
    let ms = of(summary) / 1e3;
    if ms < 100.0 { format!("{ms:.2} ms") } else { format!("{ms:.0} ms") }
}
