//! Lines, one a model: over steps that have names, or over shares from 0 to 1.

use super::axis::{self, LEFT, RIGHT, Scale};
use super::canvas::{Anchor, Canvas};

const TOP: f64 = 10.0;
const BOTTOM: f64 = 230.0;

/// One line.
pub(crate) struct Line<'a> {
    pub(crate) name: &'a str,
    pub(crate) values: Vec<f64>,
}

/// Draws a dot a step and model, and lines between them. `steps` are the names below, in two
/// lines each.
pub(crate) fn steps(name: &str, steps: &[(&str, String)], lines: &[Line<'_>]) -> String {
    let highest = lines.iter().flat_map(|line| &line.values).copied().fold(0.0, f64::max);
    let scale = Scale::linear(highest, BOTTOM, TOP);
    let mut canvas = Canvas::default();
    axis::upright(&mut canvas, &scale);
    let width = (RIGHT - LEFT) / steps.len().max(1) as f64;
    let middle = |place: usize| LEFT + width * (place as f64 + 0.5);
    for (place, (above, below)) in steps.iter().enumerate() {
        canvas.text((middle(place), BOTTOM + 16.0), Anchor::Middle, above);
        canvas.text((middle(place), BOTTOM + 31.0), Anchor::Middle, below);
    }
    for (series, line) in lines.iter().enumerate().rev() {
        let values = line.values.iter().enumerate();
        let points: Vec<(f64, f64)> =
            values.map(|(place, value)| (middle(place), scale.place(*value))).collect();
        canvas.path(series, &points);
        points.into_iter().for_each(|point| canvas.dot(series, point));
    }
    let names: Vec<&str> = lines.iter().map(|line| line.name).collect();
    let height = canvas.legend(&names, BOTTOM + 44.0);
    canvas.finish(name, height)
}

/// Draws curves of shares over shares, with the straight line of even shares.
pub(crate) fn shares(name: &str, below: &str, lines: &[Line<'_>]) -> String {
    let across = Scale::linear(1.0, LEFT, RIGHT);
    let up = Scale::linear(1.0, BOTTOM, TOP);
    let mut canvas = Canvas::default();
    axis::upright(&mut canvas, &up);
    axis::level(&mut canvas, &across, TOP, BOTTOM);
    canvas.line("even", (LEFT, BOTTOM), (RIGHT, TOP));
    for (series, line) in lines.iter().enumerate().rev() {
        let last = line.values.len().saturating_sub(1).max(1) as f64;
        let values = line.values.iter().enumerate();
        let points: Vec<(f64, f64)> = values
            .map(|(place, value)| (across.place(place as f64 / last), up.place(*value)))
            .collect();
        canvas.path(series, &points);
    }
    canvas.text((f64::midpoint(LEFT, RIGHT), BOTTOM + 33.0), Anchor::Middle, below);
    let names: Vec<&str> = lines.iter().map(|line| line.name).collect();
    let height = canvas.legend(&names, BOTTOM + 44.0);
    canvas.finish(name, height)
}
