//! The scene as a picture: a bar for each request, from sent to answered, as a self-contained
//! SVG that suits light and dark pages.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Answers, SERVERS};

const WIDTH: f64 = 720.0;
const LABEL_WIDTH: f64 = 176.0;
const VALUE_WIDTH: f64 = 64.0;
const BAR_HEIGHT: f64 = 10.0;
const BAR_STEP: f64 = 13.0;
const GAP: f64 = 20.0;
const TOP: f64 = 44.0;
const AXIS_HEIGHT: f64 = 30.0;
const TICK: Duration = Duration::from_secs(5);

const STYLE: &str = "text{font:14px system-ui,sans-serif;fill:#222}.title{font-weight:600}\
    .small{font-size:12px}.grid{stroke:#888;stroke-opacity:.35}.before{fill:#8da9c4}\
    .unstall{fill:#134074}@media(prefers-color-scheme:dark){text{fill:#ddd}\
    .before{fill:#5f7f9f}.unstall{fill:#5fa8e8}}";

/// Where a bar is, in the picture's units.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Bar {
    y: f64,
    width: f64,
}

/// Draws a group of bars for each server, the quickest answer first; the last answer of all
/// fills the width.
pub(super) fn svg(answers: &[Answers], cores: usize) -> String {
    let longest = answers.iter().map(Answers::last).max().unwrap_or(TICK).max(TICK);
    let groups = bars(answers, longest);
    let bottom = TOP + groups.iter().map(|group| height(group.len()) + GAP).sum::<f64>();
    let mut text = head(answers, cores, bottom + AXIS_HEIGHT);
    axis(&mut text, longest, bottom);
    for (answers, bars) in answers.iter().zip(&groups) {
        draw(&mut text, answers, bars);
    }
    text.push_str("</svg>\n");
    text
}

fn bars(answers: &[Answers], longest: Duration) -> Vec<Vec<Bar>> {
    let mut y = TOP;
    let mut groups = Vec::new();
    for answers in answers {
        let mut after = answers.after.clone();
        after.sort_unstable();
        let rows = std::iter::successors(Some(y), |y| Some(y + BAR_STEP));
        let bar = |(after, y)| Bar { y, width: width(after, longest) };
        groups.push(after.into_iter().zip(rows).map(bar).collect());
        y += height(answers.after.len()) + GAP;
    }
    groups
}

fn width(time: Duration, longest: Duration) -> f64 {
    (WIDTH - LABEL_WIDTH - VALUE_WIDTH) * time.div_duration_f64(longest)
}

fn height(bars: usize) -> f64 {
    BAR_STEP * bars as f64
}

fn head(answers: &[Answers], cores: usize, height: f64) -> String {
    let title = format!("Five requests at once, a handler that sleeps 5 s, {cores} cores");
    let totals = answers
        .iter()
        .map(|answers| format!("{} {:.2} s", answers.server, answers.last().as_secs_f64()));
    let totals = totals.collect::<Vec<_>>().join("; ");
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-labelledby=\"title desc\"><title id=\"title\">{title}</title>\
         <desc id=\"desc\">A bar for each request, from sent to answered. Until the fifth answer: \
         {totals}.</desc><style>{STYLE}</style>\n\
         <text class=\"title\" x=\"0\" y=\"18\">{title}</text>\n"
    )
}

/// A line and a number every five seconds.
fn axis(text: &mut String, longest: Duration, bottom: f64) {
    let ticks = (0..).map(|count| TICK * count).take_while(|time| *time <= longest);
    for time in ticks {
        let (x, base) = (LABEL_WIDTH + width(time, longest), bottom + 6.0);
        let (top, end, seconds) = (TOP - 8.0, bottom - 8.0, time.as_secs());
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "<line class=\"grid\" x1=\"{x:.1}\" y1=\"{top}\" x2=\"{x:.1}\" y2=\"{end}\"/>\
             <text class=\"small\" x=\"{x:.1}\" y=\"{base}\" text-anchor=\"middle\">{seconds} s</text>"
        );
    }
    let (middle, base) = (LABEL_WIDTH + width(longest, longest) / 2.0, bottom + 23.0);
    let _ = writeln!(
        text,
        "<text class=\"small\" x=\"{middle}\" y=\"{base}\" text-anchor=\"middle\">\
         one bar per request, from sent to answered</text>"
    );
}

fn draw(text: &mut String, answers: &Answers, bars: &[Bar]) {
    let class = if answers.server == SERVERS[2].name { "unstall" } else { "before" };
    let Some((first, last)) = bars.first().zip(bars.last()) else { return };
    let (middle, server) = ((first.y + last.y + BAR_HEIGHT) / 2.0 + 5.0, answers.server);
    let _ = writeln!(text, "<text x=\"0\" y=\"{middle}\">{server}</text>");
    for Bar { y, width } in bars {
        let _ = writeln!(
            text,
            "<rect class=\"{class}\" x=\"{LABEL_WIDTH}\" y=\"{y}\" width=\"{width:.1}\" \
             height=\"{BAR_HEIGHT}\" rx=\"2\"/>"
        );
    }
    let (end, base) = (LABEL_WIDTH + last.width + 6.0, last.y + BAR_HEIGHT);
    let seconds = answers.last().as_secs_f64();
    let _ = writeln!(text, "<text x=\"{end:.1}\" y=\"{base}\">{seconds:.2} s</text>");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(server: &'static str, seconds: &[u64]) -> Answers {
        Answers { server, after: seconds.iter().copied().map(Duration::from_secs).collect() }
    }

    #[test]
    fn bars_are_as_long_as_their_requests_took_the_quickest_first() {
        let answers = [answers("a", &[24, 6, 12]), answers("b", &[6])];
        let bar = |y, width| Bar { y, width };
        assert_eq!(
            bars(&answers, Duration::from_secs(24)),
            [vec![bar(44.0, 120.0), bar(57.0, 240.0), bar(70.0, 480.0)], vec![bar(103.0, 120.0)],]
        );
    }

    #[test]
    fn the_picture_has_its_numbers_as_bars_and_as_words() {
        let picture = svg(&[answers("a", &[24, 6]), answers(SERVERS[2].name, &[6])], 2);
        for part in [
            "width=\"480.0\"",
            "<rect class=\"unstall\" x=\"176\" y=\"90\" width=\"120.0\"",
            "a 24.00 s; Rust: tonic on unstall 6.00 s.</desc>",
            ">20 s</text>",
            "2 cores</title>",
        ] {
            assert!(picture.contains(part), "{part} in {picture}");
        }
        assert!(!picture.contains(">25 s</text>"));
    }
}
