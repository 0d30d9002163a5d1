//! The figures as tables for people.

use comfy_table::{Attribute, Cell, CellAlignment, Color, LineStyle, Table, TableStyle};

use crate::figures::{Series, Verdict};

const LINE: LineStyle = LineStyle::none().fill('─').junction('─');

/// No lines between rows.
const COMPACT: TableStyle =
    TableStyle::new().top_border(LINE).header_separator(LINE).bottom_border(LINE);

/// What each server did.
pub(crate) fn of_series(series: &[Series]) -> Table {
    let mut table =
        begin(&["load", "server", "req/s", "CPU µs/req", "server", "client", "runs, req/s"]);
    for series in series {
        let runs: Vec<_> =
            series.runs.iter().map(|run| format!("{:.0}", run.requests_per_second)).collect();
        let client = percent(series.median(|run| run.client_share));
        table.add_row([
            Cell::new(series.shape),
            Cell::new(series.kind.name()),
            figure(format!("{:.0}", series.median(|run| run.requests_per_second))),
            figure(format!("{:.2}", series.median(|run| run.server_us_per_request))),
            figure(percent(series.median(|run| run.server_share))),
            match series.is_limited_by_client() {
                true => figure(format!("{client}, the limit")).fg(Color::Red),
                false => figure(client),
            },
            Cell::new(runs.join(" ")),
        ]);
    }
    table
}

/// How they compare.
pub(crate) fn of_verdicts(verdicts: &[Verdict]) -> Table {
    let mut table = begin(&["load", "req/s of", "to", "ratio", "gate", "", "rounds"]);
    for verdict in verdicts {
        let rounds: Vec<_> = verdict.rounds.iter().map(|ratio| format!("{ratio:.3}")).collect();
        table.add_row([
            Cell::new(verdict.shape),
            Cell::new(verdict.of.name()),
            Cell::new(verdict.to.name()),
            figure(format!("{:.3}", verdict.median)).add_attribute(Attribute::Bold),
            Cell::new(verdict.at_least.map(|least| format!(">= {least}")).unwrap_or_default()),
            match verdict.met {
                None => Cell::new(""),
                Some(true) => Cell::new("met").fg(Color::Green),
                Some(false) => Cell::new("MISSED").fg(Color::Red),
            },
            Cell::new(rounds.join(" ")),
        ]);
    }
    table
}

fn begin(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(COMPACT);
    table.set_header(header.iter().copied());
    table
}

fn figure(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}
