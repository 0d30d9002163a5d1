//! The figures of `foreword bench users` as a person likes to read them.

use std::time::Duration;

use evaluation::load::{MappedFile, Memory};

use super::{Document, Served, Size, Taken};
use crate::figures;
use crate::table;

/// A row: its name, how a figure reads, and which figure it is.
type Row = (&'static str, fn(f64) -> String, fn(&Size) -> Option<f64>);

const ROWS: [Row; 22] = [
    ("events", count, |size| Some(size.filled.events as f64)),
    ("store", bytes, |size| Some(size.filled.prepared.store_bytes as f64)),
    ("model's file", bytes, |size| Some(size.filled.model_bytes as f64)),
    ("filled in", seconds, |size| {
        let prepared = &size.filled.prepared;
        prepared.filled_a_second().map(|_| prepared.fill_seconds)
    }),
    ("events a second", count, |size| size.filled.prepared.filled_a_second()),
    ("trained in", seconds, |size| size.filled.prepared.train_seconds),
    ("with memory of", bytes, |size| Some(size.filled.prepared.train_peak_bytes? as f64)),
    ("server started in", seconds, |size| of(size, |served| served.open_seconds)),
    ("cold users", count, |size| of(size, |served| served.cold.requests as f64)),
    ("p50", ms, |size| of(size, |served| served.cold.p50_us)),
    ("p99", ms, |size| of(size, |served| served.cold.p99_us)),
    ("p99 less probe", ms, |size| of(size, |served| served.cold.p99_less_probe_us)),
    ("probe p99", ms, |size| of(size, |served| served.cold.probe_p99_us)),
    ("memory after the start", bytes, |size| of_process(opened(size), |it| it.resident_bytes)),
    ("users asked until full", count, |size| of(size, |served| served.asked_until_full as f64)),
    ("histories in memory", bytes, |size| of(size, |served| served.history_cache_bytes as f64)),
    ("memory in all (RSS)", bytes, |size| of_process(full(size), |it| it.resident_bytes)),
    ("of it, the model", bytes, |size| of_model(full(size), |it| it.resident_bytes)),
    ("beside the model", bytes, |size| Some(full(size)?.beside_model_bytes? as f64)),
    ("of that, of no file", bytes, |size| of_process(full(size), |it| it.anonymous_bytes)),
    ("the most so far", bytes, |size| of_process(full(size), |it| it.peak_bytes)),
    ("its share (PSS)", bytes, |size| of_process(full(size), |it| it.share_bytes)),
];

pub(super) fn text(document: &Document) -> String {
    let sizes = &document.sizes;
    let names = sizes.iter().map(|size| figures::counted(size.filled.users.into(), "user"));
    let mut headings = vec![String::new()];
    headings.extend(names);
    let ends = match &sizes[..] {
        [first, .., last] => Some((first, last)),
        _ => None,
    };
    headings.extend(ends.map(|_| "last / first".to_owned()));
    let mut table = table::of_figures(&headings.iter().map(String::as_str).collect::<Vec<_>>());
    for (name, read, figure) in ROWS {
        if sizes.iter().all(|size| figure(size).is_none()) {
            continue;
        }
        let cell = |size| figure(size).map_or_else(|| "–".to_owned(), read);
        let mut row = vec![name.to_owned()];
        row.extend(sizes.iter().map(cell));
        if let Some((first, last)) = ends {
            let ratio = figure(last).zip(figure(first)).map(|(last, first)| last / first);
            let ratio = ratio.filter(|ratio| ratio.is_finite());
            row.push(ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}")));
        }
        table.add_row(row);
    }
    let served: Vec<&Served> = sizes.iter().filter_map(|size| size.served.as_ref()).collect();
    if served.is_empty() {
        return format!("{table}\n");
    }
    let disk = match served.iter().all(|served| served.from_disk) {
        true => "read from disk",
        false => "of a database that may have them in memory",
    };
    let Document { rate, round_seconds, .. } = document;
    format!("cold users: {rate} a second, rounds of {round_seconds} s, {disk}\n{table}\n")
}

fn of(size: &Size, figure: fn(&Served) -> f64) -> Option<f64> {
    size.served.as_ref().map(figure)
}

fn opened(size: &Size) -> Option<&Taken> {
    size.served.as_ref().map(|served| &served.opened)
}

fn full(size: &Size) -> Option<&Taken> {
    size.served.as_ref().map(|served| &served.full)
}

fn of_process(taken: Option<&Taken>, figure: fn(&Memory) -> u64) -> Option<f64> {
    Some(figure(taken?.process.as_ref()?) as f64)
}

fn of_model(taken: Option<&Taken>, figure: fn(&MappedFile) -> u64) -> Option<f64> {
    Some(figure(taken?.model.as_ref()?) as f64)
}

fn count(number: f64) -> String {
    figures::count(number.round() as u64)
}

fn bytes(bytes: f64) -> String {
    figures::bytes(bytes as u64)
}

fn seconds(seconds: f64) -> String {
    figures::seconds(Duration::from_secs_f64(seconds))
}

fn ms(us: f64) -> String {
    format!("{:.2} ms", us / 1e3)
}
