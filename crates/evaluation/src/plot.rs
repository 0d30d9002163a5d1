//! Pictures: a few small functions that draw SVG.
//!
//! [`svg`] is a report as one picture that stands by itself: bars for Recall and NDCG of each
//! model, for light and dark pages. The pictures of a page ([`html`](crate::html)) are drawn by
//! the modules here and styled by the page.

pub(crate) mod axis;
pub(crate) mod bars;
pub(crate) mod canvas;
pub(crate) mod lines;
pub(crate) mod scatter;

use std::fmt::Write;

use crate::markup::escape;
use crate::report::{Report, Row};

const WIDTH: f64 = 720.0;
const LABEL_WIDTH: f64 = 190.0;
const VALUE_WIDTH: f64 = 70.0;
const BAR_HEIGHT: f64 = 18.0;
const ROW_HEIGHT: f64 = 58.0;
const TOP: f64 = 64.0;

const STYLE: &str = "text{font:14px system-ui,sans-serif;fill:#222}.title{font-weight:600}\
    .recall{fill:#8da9c4}.ndcg{fill:#134074}\
    @media(prefers-color-scheme:dark){text{fill:#ddd}.ndcg{fill:#5fa8e8}.recall{fill:#45607a}}";

/// Draws a report. The longest bar fills the width; each bar is labelled with its value.
#[must_use]
pub fn svg(report: &Report, title: &str) -> String {
    let longest =
        report.rows.iter().flat_map(|row| [row.recall, row.ndcg]).fold(f64::MIN_POSITIVE, f64::max);
    let scale = (WIDTH - LABEL_WIDTH - VALUE_WIDTH) / longest;
    let height = TOP + ROW_HEIGHT * report.rows.len() as f64;
    let k = report.k;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\
         <title>{title}</title><style>{STYLE}</style>\n\
         <text class=\"title\" x=\"0\" y=\"18\">{title}</text>\n\
         <rect class=\"recall\" x=\"0\" y=\"32\" width=\"12\" height=\"12\"/>\
         <text x=\"18\" y=\"43\">Recall@{k}</text>\
         <rect class=\"ndcg\" x=\"120\" y=\"32\" width=\"12\" height=\"12\"/>\
         <text x=\"138\" y=\"43\">NDCG@{k}</text>\n",
        title = escape(title),
    );
    for (place, row) in report.rows.iter().enumerate() {
        draw_row(&mut text, row, TOP + ROW_HEIGHT * place as f64, scale);
    }
    text.push_str("</svg>\n");
    text
}

fn draw_row(text: &mut String, row: &Row, top: f64, scale: f64) {
    let middle = top + BAR_HEIGHT + 5.0;
    let label = escape(&row.model);
    // Writing to a string cannot fail.
    let _ = writeln!(text, "<text x=\"0\" y=\"{middle}\">{label}</text>");
    for (class, value, y) in
        [("recall", row.recall, top), ("ndcg", row.ndcg, top + BAR_HEIGHT + 2.0)]
    {
        let width = value * scale;
        let (end, base) = (LABEL_WIDTH + width + 6.0, y + 14.0);
        let _ = writeln!(
            text,
            "<rect class=\"{class}\" x=\"{LABEL_WIDTH}\" y=\"{y}\" width=\"{width:.1}\" height=\"{BAR_HEIGHT}\"/>\
             <text x=\"{end:.1}\" y=\"{base}\">{value:.4}</text>"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn bars_are_as_long_as_their_values_and_text_is_escaped() {
        let picture = svg(&sample::report(), "Books & readers");
        assert!(picture.contains("Books &amp; readers") && picture.contains("a&lt;b"));
        // 1 and 1 of the first model, 1/2 of the second.
        for width in ["460.0", "230.0"] {
            assert!(picture.contains(&format!("width=\"{width}\"")), "{width} in {picture}");
        }
    }
}
