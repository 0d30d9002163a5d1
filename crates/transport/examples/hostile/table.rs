//! The rows as a table for people, and the cases as Markdown.

use std::fmt::Write;

use comfy_table::{Attribute, Cell, CellAlignment, Color, LineStyle, Table, TableStyle};

use crate::case::Case;
use crate::row::Row;

const LINE: LineStyle = LineStyle::none().fill('─').junction('─');

/// No lines between rows.
const COMPACT: TableStyle =
    TableStyle::new().top_border(LINE).header_separator(LINE).bottom_border(LINE);

/// All rows.
pub(crate) fn table(rows: &[Row]) -> Table {
    let mut table = Table::new();
    table.load_style(COMPACT);
    table.set_header([
        "attack", "expected", "seen", "good", "new", "p99 ms", "MiB", "cores", "after", "",
    ]);
    for row in rows {
        let verdict = if row.is_met() {
            Cell::new("met").fg(Color::Green)
        } else {
            let missed = format!("MISSED: {}", row.missed.join("; "));
            Cell::new(missed).fg(Color::Red).add_attribute(Attribute::Bold)
        };
        let mut cells = vec![Cell::new(row.case), Cell::new(row.expected)];
        cells.extend(figures(row));
        cells.push(verdict);
        table.add_row(cells);
    }
    table
}

fn figures(row: &Row) -> Vec<Cell> {
    let Some(figures) = &row.figures else {
        return (0..7).map(|_| Cell::new("–")).collect();
    };
    let good = &figures.good;
    let after = &figures.after;
    let number = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    vec![
        Cell::new(figures.seen.summary()),
        number(format!("{}/{}", good.ok, good.ok + good.failed)),
        number(format!("{}/{}", good.newcomers_ok, good.newcomers_ok + good.newcomers_failed)),
        number(format!("{:.1}", figures.p99_net_ms)),
        number(format!("{:.0} ≤ {}", figures.memory_mib, figures.memory_mib_max)),
        number(format!("{:.2}", figures.cores)),
        Cell::new(format!(
            "{:.1} s: {:.2} cores, {:+.0} MiB, {:+} files, {:+} threads",
            figures.settled_seconds, after.cores, after.memory_mib, after.files, after.threads
        )),
    ]
}

/// The cases and what is expected of the server, as Markdown.
pub(crate) fn markdown(cases: &[Case]) -> String {
    let mut text =
        "| case | attackers | the server | memory |\n| --- | --- | --- | --- |\n".to_owned();
    for case in cases {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | +{} MiB |",
            case.name, case.attack_text, case.expected_text, case.memory_mib_max
        );
    }
    text
}
