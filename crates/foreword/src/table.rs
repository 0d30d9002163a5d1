//! Tables made for eyes.

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

const LINE: LineStyle = LineStyle::none().fill('─').junction('─');

/// No lines between rows.
const COMPACT: TableStyle =
    TableStyle::new().top_border(LINE).header_separator(LINE).bottom_border(LINE);

/// Narrower than this, a table is of no use, and lines had better be broken by the terminal.
const WIDTH_MIN: u16 = 40;

const WIDTH_DEFAULT: u16 = 100;

/// A table whose rows take several lines, as wide as the terminal.
pub(crate) fn of_text(headings: &[&str]) -> Table {
    with_style(UTF8_HORIZONTAL_ONLY, headings)
}

/// A table with one line a row.
pub(crate) fn of_rows(headings: &[&str]) -> Table {
    with_style(COMPACT, headings)
}

/// A table of figures: all columns but the first to the right.
pub(crate) fn of_figures(headings: &[&str]) -> Table {
    let mut table = with_style(COMPACT, headings);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn with_style(style: TableStyle, headings: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(style).set_content_arrangement(ContentArrangement::Dynamic);
    // Elsewhere than on a terminal there is no width to ask for, and some terminals say 0.
    if table.width().is_none_or(|width| width < WIDTH_MIN) {
        table.set_width(WIDTH_DEFAULT);
    }
    table.set_header(headings);
    table
}
