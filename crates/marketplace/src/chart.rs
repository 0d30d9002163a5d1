//! Charts, drawn on the server as SVG: bars of a histogram, a line over time, and intervals.
//!
//! They have a title and a description for those who do not see them, axes with units, and colours
//! from the style sheet alone. A unit of a drawing is about a pixel on a phone, so that its texts
//! can be read there.

use askama::Template;

/// The size of a drawing, and the room around its plot.
const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 200.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 40.0;

/// The height of one interval with its label.
const ROW: f64 = 34.0;

/// Labels of bars that fit side by side.
const BAR_LABELS_MAX: usize = 7;

/// Parts of a scale.
const PARTS: u32 = 4;

/// The texts of a chart.
pub(crate) struct Texts<'a> {
    /// Names it on its page.
    pub(crate) id: &'static str,
    pub(crate) title: &'a str,
    /// What it shows, in words and numbers.
    pub(crate) description: String,
    /// What is measured, with its unit.
    pub(crate) x: &'a str,
    pub(crate) y: &'a str,
}

/// A bar: its label and its height.
pub(crate) struct Bar {
    pub(crate) label: String,
    pub(crate) value: f64,
}

/// An estimate with the interval around it.
pub(crate) struct Interval {
    pub(crate) label: String,
    pub(crate) low: f64,
    pub(crate) estimate: f64,
    pub(crate) high: f64,
}

/// A drawing, ready to be written.
#[derive(Template)]
#[template(path = "chart.html")]
pub(crate) struct Chart {
    id: &'static str,
    title: String,
    description: String,
    x_name: String,
    y_name: String,
    height: f64,
    marks: Vec<Mark>,
}

/// A thing that is drawn.
#[derive(Debug, PartialEq)]
enum Mark {
    Grid { x1: f64, y1: f64, x2: f64, y2: f64 },
    Text { x: f64, y: f64, anchor: &'static str, text: String },
    Bar { x: f64, y: f64, width: f64, height: f64 },
    Line { points: String },
    Whisker { x1: f64, x2: f64, y: f64 },
    Dot { x: f64, y: f64 },
}

/// Bars side by side, such as the buckets of a histogram.
pub(crate) fn bars(texts: Texts<'_>, bars: &[Bar]) -> Chart {
    let top = ceiling(bars.iter().map(|bar| bar.value));
    let mut marks = height_scale(top);
    let room = (WIDTH - LEFT - RIGHT) / bars.len().max(1) as f64;
    let labelled = bars.len().div_ceil(BAR_LABELS_MAX).max(1);
    for (place, bar) in bars.iter().enumerate() {
        let left = LEFT + room * place as f64;
        let y = at_height(bar.value, top);
        let height = rounded(HEIGHT - BOTTOM - y);
        marks.push(Mark::Bar { x: rounded(left + 1.0), y, width: rounded(room - 2.0), height });
        if place % labelled == 0 {
            marks.push(under(left + room / 2.0, "middle", bar.label.clone()));
        }
    }
    Chart::new(texts, HEIGHT, marks)
}

/// A line through points of a time, in seconds before now, and a value; `span` is the time that
/// the axis shows.
pub(crate) fn line(texts: Texts<'_>, points: &[(f64, f64)], span: f64) -> Chart {
    let top = ceiling(points.iter().map(|(_, value)| *value));
    let mut marks = height_scale(top);
    let across = WIDTH - LEFT - RIGHT;
    for part in 0..=PARTS {
        let share = f64::from(part) / f64::from(PARTS);
        let ago = number(span * (1.0 - share));
        let text = if part == PARTS { "0".to_owned() } else { format!("−{ago}") };
        marks.push(under(LEFT + across * share, "middle", text));
    }
    let at = |(ago, value): &(f64, f64)| {
        let x = LEFT + across * (1.0 - (ago / span).clamp(0.0, 1.0));
        format!("{},{}", rounded(x), at_height(*value, top))
    };
    let points: Vec<String> = points.iter().map(at).collect();
    marks.push(Mark::Line { points: points.join(" ") });
    Chart::new(texts, HEIGHT, marks)
}

/// Intervals below each other, of shares from 0 to 1, on a scale of percent.
pub(crate) fn intervals(texts: Texts<'_>, intervals: &[Interval]) -> Chart {
    let percent = |share: f64| share * 100.0;
    let most = ceiling(intervals.iter().map(|one| percent(one.high))).min(100.0);
    let bottom = TOP + ROW * intervals.len().max(1) as f64;
    // Labels stand above their intervals, so that these have the whole width.
    let left = RIGHT;
    let at = |value: f64| rounded(left + (WIDTH - left - RIGHT) * (value / most).clamp(0.0, 1.0));
    let mut marks = Vec::new();
    for part in 0..=PARTS {
        let value = most * f64::from(part) / f64::from(PARTS);
        let x = at(value);
        marks.push(Mark::Grid { x1: x, y1: TOP, x2: x, y2: bottom });
        let text = number(value);
        marks.push(Mark::Text { x, y: bottom + 14.0, anchor: "middle", text });
    }
    for (place, one) in intervals.iter().enumerate() {
        let y = TOP + ROW * place as f64;
        let text = one.label.clone();
        marks.push(Mark::Text { x: left + 4.0, y: y + 13.0, anchor: "start", text });
        let y = y + 23.0;
        let (low, high) = (percent(one.low), percent(one.high));
        marks.push(Mark::Whisker { x1: at(low), x2: at(high), y });
        marks.push(Mark::Dot { x: at(percent(one.estimate)), y });
    }
    Chart::new(texts, bottom + BOTTOM, marks)
}

impl Chart {
    fn new(texts: Texts<'_>, height: f64, marks: Vec<Mark>) -> Self {
        Self {
            id: texts.id,
            title: texts.title.to_owned(),
            description: texts.description,
            x_name: texts.x.to_owned(),
            y_name: texts.y.to_owned(),
            height,
            marks,
        }
    }

    pub(crate) fn title(&self) -> &str {
        &self.title
    }

    /// Where the name of the axis across stands.
    fn x_name_at(&self) -> (f64, f64) {
        (WIDTH - RIGHT, self.height - 6.0)
    }
}

/// The lines and numbers of the axis that goes up to `top`.
fn height_scale(top: f64) -> Vec<Mark> {
    let mut marks = Vec::new();
    for part in 0..=PARTS {
        let value = top * f64::from(part) / f64::from(PARTS);
        let y = at_height(value, top);
        marks.push(Mark::Grid { x1: LEFT, y1: y, x2: WIDTH - RIGHT, y2: y });
        let text = number(value);
        marks.push(Mark::Text { x: LEFT - 6.0, y: y + 4.0, anchor: "end", text });
    }
    marks
}

fn at_height(value: f64, top: f64) -> f64 {
    let share = (value / top).clamp(0.0, 1.0);
    rounded(HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP))
}

fn under(x: f64, anchor: &'static str, text: String) -> Mark {
    Mark::Text { x: rounded(x), y: HEIGHT - BOTTOM + 14.0, anchor, text }
}

/// The next of 1, 2, 4 and 8 times a power of ten that is not below any value, so that a quarter
/// of it is a short number.
fn ceiling(values: impl Iterator<Item = f64>) -> f64 {
    let most = values.filter(|value| value.is_finite()).fold(0.0, f64::max);
    if most <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(most.log10().floor());
    let steps = [1.0, 2.0, 4.0, 8.0, 10.0];
    steps.map(|step| step * power).into_iter().find(|top| *top >= most).unwrap_or(most)
}

/// A number as short as it says enough.
pub(crate) fn number(value: f64) -> String {
    let digits = match value.abs() {
        0.0 => 0,
        size if size < 0.1 => 4,
        size if size < 1.0 => 3,
        size if size < 10.0 => 2,
        size if size < 100.0 => 1,
        _ => 0,
    };
    let text = format!("{value:.digits$}");
    let short = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    // What is too small to be seen has no sign.
    if short == "-0" { "0".to_owned() } else { short.to_owned() }
}

/// Tenths are finer than anybody sees.
fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts() -> Texts<'static> {
        let description = "1 & 2".to_owned();
        Texts { id: "c", title: "<Latency>", description, x: "ms", y: "calls" }
    }

    fn written(chart: &Chart) -> String {
        chart.render().unwrap()
    }

    #[test]
    fn scales_end_at_round_numbers() {
        for (most, expected) in [
            (0.0, 1.0),
            (1.0, 1.0),
            (1.1, 2.0),
            (3.0, 4.0),
            (7.9, 8.0),
            (81.0, 100.0),
            (0.03, 0.04),
        ] {
            assert!((ceiling([most].into_iter()) - expected).abs() < 1e-9, "{most}");
        }
        assert_eq!(ceiling([f64::NAN, f64::INFINITY].into_iter()).to_string(), "1");
    }

    #[test]
    fn numbers_are_short() {
        for (value, expected) in [
            (0.0, "0"),
            (0.25, "0.25"),
            (2.5, "2.5"),
            (12.34, "12.3"),
            (400.0, "400"),
            (0.0025, "0.0025"),
            (-0.000_01, "0"),
            (-0.25, "-0.25"),
        ] {
            assert_eq!(number(value), expected);
        }
    }

    #[test]
    fn the_highest_bar_reaches_as_far_as_its_value() {
        let bar = |label: &str, value| Bar { label: label.to_owned(), value };
        let chart = bars(texts(), &[bar("1", 2.0), bar("2", 1.0), bar("5", 0.0)]);
        let heights = chart.marks.iter().filter_map(|mark| match mark {
            Mark::Bar { height, .. } => Some(*height),
            _ => None,
        });
        let full = HEIGHT - BOTTOM - TOP;
        assert_eq!(heights.collect::<Vec<_>>(), [full, full / 2.0, 0.0]);
    }

    #[test]
    fn time_goes_to_the_right() {
        let chart = line(texts(), &[(60.0, 0.0), (30.0, 4.0), (0.0, 2.0)], 60.0);
        let found = chart.marks.iter().find_map(|mark| match mark {
            Mark::Line { points } => Some(points.as_str()),
            _ => None,
        });
        assert_eq!(found, Some("46,160 196,24 346,92"));
    }

    #[test]
    fn intervals_span_from_low_to_high() {
        let one = Interval { label: "a".to_owned(), low: 0.1, estimate: 0.2, high: 0.4 };
        let chart = intervals(texts(), &[one]);
        let across = WIDTH - 2.0 * RIGHT;
        let (low, high) = (RIGHT + across / 4.0, RIGHT + across);
        let whisker = Mark::Whisker { x1: low, x2: high, y: TOP + 23.0 };
        let dot = Mark::Dot { x: RIGHT + across / 2.0, y: TOP + 23.0 };
        assert!(chart.marks.contains(&whisker) && chart.marks.contains(&dot), "{:?}", chart.marks);
    }

    #[test]
    fn a_chart_says_what_it_shows_and_nothing_in_it_is_markup() {
        let empty = line(texts(), &[], 60.0);
        let text = written(&empty);
        assert!(text.contains("<title id=\"c-title\">&#60;Latency&#62;</title>"), "{text}");
        assert!(text.contains("<desc id=\"c-desc\">1 &#38; 2</desc>"), "{text}");
        assert!(text.contains("role=\"img\"") && !text.contains("style="), "{text}");
        assert!(!text.contains("NaN"), "{text}");
    }
}
