//! The rows as a table for people.

use comfy_table::{Attribute, Cell, CellAlignment, Color, LineStyle, Table, TableStyle};

use crate::row::Row;

const LINE: LineStyle = LineStyle::none().fill('─').junction('─');

/// No lines between rows.
const COMPACT: TableStyle =
    TableStyle::new().top_border(LINE).header_separator(LINE).bottom_border(LINE);

/// All rows.
pub(crate) fn table(rows: &[Row]) -> Table {
    let mut table = Table::new();
    table.load_style(COMPACT);
    table.set_header(["case", "value", "unit", "gate", "", "beside it"]);
    for row in rows {
        let value = row.value.map_or("–".to_owned(), short);
        table.add_row([
            Cell::new(&row.case),
            Cell::new(value).set_alignment(CellAlignment::Right).add_attribute(Attribute::Bold),
            Cell::new(row.unit),
            Cell::new(row.gate.map(|gate| gate.to_string()).unwrap_or_default()),
            verdict(row.met),
            Cell::new(beside(row)),
        ]);
    }
    table
}

fn verdict(met: Option<bool>) -> Cell {
    match met {
        None => Cell::new(""),
        Some(true) => Cell::new("met").fg(Color::Green),
        Some(false) => Cell::new("MISSED").fg(Color::Red).add_attribute(Attribute::Bold),
    }
}

fn beside(row: &Row) -> String {
    let list = |figures: &[f64]| figures.iter().map(|it| short(*it)).collect::<Vec<_>>().join(" ");
    let mut parts = Vec::new();
    if !row.runs.is_empty() {
        parts.push(format!("runs {}", list(&row.runs)));
    }
    if !row.probe.is_empty() {
        parts.push(format!("probe {}", list(&row.probe)));
    }
    if !row.note.is_empty() {
        parts.push(row.note.clone());
    }
    parts.join("; ")
}

/// Three digits, as far as they mean something.
fn short(figure: f64) -> String {
    match figure.abs() {
        _ if figure.fract() == 0.0 => format!("{figure}"),
        0.0..1.0 => format!("{figure:.3}"),
        1.0..10.0 => format!("{figure:.2}"),
        10.0..1000.0 => format!("{figure:.1}"),
        _ => format!("{figure:.0}"),
    }
}
