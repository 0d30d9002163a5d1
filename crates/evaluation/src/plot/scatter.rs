//! Dots: a value of each model against its cost, over powers of ten.

use super::axis::{self, LEFT, RIGHT, Scale};
use super::canvas::{Anchor, Canvas};

const TOP: f64 = 10.0;
const BOTTOM: f64 = 230.0;

/// One model.
pub(crate) struct Dot<'a> {
    pub(crate) name: &'a str,
    pub(crate) cost: f64,
    pub(crate) value: f64,
}

/// Draws the dots; costs below `cost_min` are drawn there, because no axis of powers begins
/// at nothing.
pub(crate) fn draw(name: &str, below: &str, dots: &[Dot<'_>], cost_min: f64) -> String {
    let costs = || dots.iter().map(|dot| dot.cost.max(cost_min));
    let (lowest, highest) = (costs().fold(f64::MAX, f64::min), costs().fold(cost_min, f64::max));
    let across = Scale::logarithmic(lowest.min(highest), highest, LEFT + 8.0, RIGHT - 8.0);
    let up = Scale::linear(dots.iter().map(|dot| dot.value).fold(0.0, f64::max), BOTTOM, TOP);
    let mut canvas = Canvas::default();
    axis::upright(&mut canvas, &up);
    axis::level(&mut canvas, &across, TOP, BOTTOM);
    for (series, dot) in dots.iter().enumerate().rev() {
        canvas.dot(series, (across.place(dot.cost.max(cost_min)), up.place(dot.value)));
    }
    canvas.text((f64::midpoint(LEFT, RIGHT), BOTTOM + 33.0), Anchor::Middle, below);
    let names: Vec<&str> = dots.iter().map(|dot| dot.name).collect();
    let height = canvas.legend(&names, BOTTOM + 44.0);
    canvas.finish(name, height)
}
