//! A canvas: shapes as the text of an SVG.
//!
//! Every picture is as wide as a phone in its own units, so that its letters stay readable
//! there, and grows with the page. Colours are classes of the page's style: `s0`, `s1` … for
//! the models, in the order of the report.

use std::fmt::Write as _;

use crate::markup::escape;

/// How wide a picture is, in its own units.
pub(crate) const WIDTH: f64 = 420.0;

/// How many colours there are; the next model begins anew, with dashes.
pub(crate) const COLOURS: usize = 8;

/// Where a text stands from its point.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// The shapes of a picture so far.
#[derive(Default)]
pub(crate) struct Canvas {
    shapes: String,
}

impl Canvas {
    pub(crate) fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = escape(text);
        self.add(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
        ));
    }

    pub(crate) fn bar(&mut self, series: usize, (x, y): (f64, f64), width: f64, height: f64) {
        let class = class(series);
        self.add(format_args!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
        ));
    }

    /// `kind` is `axis`, `grid`, `whisker` or `even`.
    pub(crate) fn line(&mut self, kind: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        self.add(format_args!(
            "<line class=\"{kind}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
        ));
    }

    pub(crate) fn path(&mut self, series: usize, points: &[(f64, f64)]) {
        let mut way = String::new();
        for (x, y) in points {
            // Writing to a string cannot fail.
            let _ = write!(way, "{x:.1},{y:.1} ");
        }
        let (class, way) = (class(series), way.trim_end());
        let dashes = if series < COLOURS { "" } else { " stroke-dasharray=\"5 3\"" };
        self.add(format_args!("<polyline class=\"{class}\"{dashes} points=\"{way}\"/>"));
    }

    pub(crate) fn dot(&mut self, series: usize, (x, y): (f64, f64)) {
        let class = class(series);
        self.add(format_args!("<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>"));
    }

    /// The names of the series below each other from `top` on; returns where they end.
    pub(crate) fn legend(&mut self, names: &[&str], top: f64) -> f64 {
        let mut y = top;
        for (series, name) in names.iter().enumerate() {
            let middle = y + 8.0;
            self.path(series, &[(4.0, middle), (24.0, middle)]);
            self.dot(series, (14.0, middle));
            self.text((32.0, y + 12.0), Anchor::Start, name);
            y += 18.0;
        }
        y
    }

    /// The picture; `name` tells those who cannot see it what it shows.
    pub(crate) fn finish(self, name: &str, height: f64) -> String {
        format!(
            "<svg viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\"><title>{}</title>\n{}</svg>\n",
            escape(name),
            self.shapes
        )
    }

    fn add(&mut self, shape: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.shapes, "{shape}");
    }
}

fn class(series: usize) -> String {
    format!("s{}", series % COLOURS)
}
