//! Time per item against items, as a self-contained SVG that suits light and dark pages. Items
//! are on a logarithmic scale; time begins at 0, so that what is flat looks flat.

use std::fmt::Write;

use super::ScaleRow;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 690.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 310.0;

const STYLE: &str = "text{font:14px system-ui,sans-serif;fill:#222}.title{font-weight:600}\
    .axis{stroke:#888;fill:none}.line{stroke:#134074;fill:none;stroke-width:2}.point{fill:#134074}\
    @media(prefers-color-scheme:dark){text{fill:#ddd}.line{stroke:#5fa8e8}.point{fill:#5fa8e8}}";

/// Draws a point for each row, in ascending order of items, each labelled with its value.
#[must_use]
pub fn svg(rows: &[ScaleRow]) -> String {
    let logs = rows.iter().map(|row| (row.items.max(1) as f64).log10());
    let (first, last) = logs.fold((f64::INFINITY, f64::NEG_INFINITY), |(first, last), log| {
        (first.min(log), last.max(log))
    });
    let longest = rows.iter().map(|row| row.microseconds_per_item).fold(1.0, f64::max);
    let place = |row: &ScaleRow| {
        let share = ((row.items.max(1) as f64).log10() - first) / (last - first).max(1e-9);
        // Points keep off the axes, so that their labels have room.
        let x = LEFT + 40.0 + share * (RIGHT - LEFT - 80.0);
        (x, BOTTOM - row.microseconds_per_item / (1.15 * longest) * (BOTTOM - TOP))
    };
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">\
         <title>Time of a fit per item</title><style>{STYLE}</style>\n\
         <text class=\"title\" x=\"0\" y=\"18\">Time of a fit per item, in µs, by items of the catalogue</text>\n\
         <path class=\"axis\" d=\"M{LEFT} {TOP}V{BOTTOM}H{RIGHT}\"/>\
         <text x=\"{LEFT}\" y=\"{BOTTOM}\" dx=\"-20\">0</text>\n"
    );
    let points: Vec<String> =
        rows.iter().map(place).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "<polyline class=\"line\" points=\"{}\"/>", points.join(" "));
    for row in rows {
        let (x, y) = place(row);
        let (above, below, items) = (y - 12.0, BOTTOM + 24.0, row.items);
        let _ = writeln!(
            text,
            "<circle class=\"point\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>\
             <text x=\"{x:.1}\" y=\"{above:.1}\" text-anchor=\"middle\">{:.0}</text>\
             <text x=\"{x:.1}\" y=\"{below}\" text-anchor=\"middle\">{items}</text>",
            row.microseconds_per_item,
        );
    }
    text.push_str("</svg>\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(items: usize, microseconds_per_item: f64) -> ScaleRow {
        ScaleRow {
            items,
            users: 1,
            interactions: 1,
            threads: 1,
            generate_seconds: 0.0,
            fit_seconds: 0.0,
            fit_cpu_seconds: None,
            stages: Vec::new(),
            microseconds_per_item,
            interactions_bytes: 0,
            peak_bytes: None,
            snapshot_bytes: 0,
        }
    }

    #[test]
    fn decades_are_equally_far_apart_and_equal_times_equally_high() {
        let picture = svg(&[row(10_000, 200.0), row(100_000, 200.0), row(1_000_000, 100.0)]);
        let expected = "points=\"120.0,83.9 385.0,83.9 650.0,197.0\"";
        assert!(picture.contains(expected), "{picture}");
        assert!(picture.contains(">1000000</text>") && picture.contains(">200</text>"));
    }

    #[test]
    fn one_row_and_none_can_be_drawn() {
        assert!(svg(&[row(10, 5.0)]).contains("points=\"120.0,"));
        assert!(svg(&[]).ends_with("</svg>\n"));
    }
}
