//! Level bars, one a model, with the interval as a whisker.

use super::axis::Scale;
use super::canvas::{Anchor, Canvas, WIDTH};
use crate::metrics::bootstrap::Interval;

const ROW_HEIGHT: f64 = 40.0;

/// One bar.
pub(crate) struct Bar<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: f64,
    /// The value as it is written.
    pub(crate) text: String,
    pub(crate) interval: Option<Interval>,
}

/// A value that all bars are compared with: an upright line.
pub(crate) struct Mark {
    pub(crate) value: f64,
    pub(crate) text: String,
}

/// Draws bars from 0 on, each below its name.
pub(crate) fn draw(name: &str, bars: &[Bar<'_>], mark: Option<&Mark>) -> String {
    let ends = bars.iter().map(|bar| bar.interval.map_or(bar.value, |interval| interval.high));
    let highest = ends.chain(mark.map(|mark| mark.value)).fold(0.0, f64::max);
    let scale = Scale::linear(highest, 0.0, WIDTH - 8.0);
    let bottom = ROW_HEIGHT * bars.len() as f64;
    let mut canvas = Canvas::default();
    for (place, bar) in bars.iter().enumerate() {
        let top = ROW_HEIGHT * place as f64;
        canvas.text((0.0, top + 13.0), Anchor::Start, bar.name);
        canvas.text((WIDTH - 8.0, top + 13.0), Anchor::End, &bar.text);
        canvas.bar(place, (0.0, top + 18.0), scale.place(bar.value), 14.0);
        if let Some(Interval { low, high }) = bar.interval {
            let (low, high, middle) = (scale.place(low), scale.place(high), top + 25.0);
            canvas.line("whisker", (low, middle), (high, middle));
            for end in [low, high] {
                canvas.line("whisker", (end, middle - 4.0), (end, middle + 4.0));
            }
        }
    }
    let mut height = bottom;
    if let Some(mark) = mark {
        let x = scale.place(mark.value);
        canvas.line("even", (x, 0.0), (x, bottom));
        let anchor = if x < WIDTH / 2.0 { Anchor::Start } else { Anchor::End };
        canvas.text((x, bottom + 14.0), anchor, &mark.text);
        height += 20.0;
    }
    canvas.finish(name, height)
}
