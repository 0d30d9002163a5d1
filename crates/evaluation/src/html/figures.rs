//! The pictures of a page, each with what it says.

use crate::markup::{count, escape};
use crate::metrics::bootstrap::Interval;
use crate::plot::bars::{self, Bar, Mark};
use crate::plot::lines::{self, Line};
use crate::plot::scatter::{self, Dot};
use crate::report::{Report, Row};

/// A fit quicker than this, in seconds, is drawn here.
const FIT_SECONDS_MIN: f64 = 0.001;

/// All pictures, in the order of their questions.
pub(super) fn all(report: &Report) -> String {
    let k = report.k;
    let bars = |what, value, interval| quality(report, what, value, interval);
    let figures = [
        (
            format!("NDCG@{k}: what was hidden, found near the top. Whiskers hold 95 %."),
            bars("NDCG", |row| row.ndcg, |row| row.ndcg_interval),
        ),
        (
            format!("Recall@{k}: how much of what was hidden is in the list. Whiskers hold 95 %."),
            bars("Recall", |row| row.recall, |row| row.recall_interval),
        ),
        (
            format!("NDCG@{k} for readers with short and long histories (books known of them; below, how many readers)."),
            by_history(report),
        ),
        (
            format!("Recall@{k} of popular and rare books: each third of what was learnt from, from the most popular books (below, how many) to the rarest."),
            by_popularity(report),
        ),
        (
            format!("NDCG@{k} against the time to learn, in seconds; each step to the right takes ten times as long."),
            against_fit(report),
        ),
        (
            "Who gets the places? The share that the least shown books have of all places in all lists; dashed, if all were shown equally often.".to_owned(),
            exposure(report),
        ),
        (
            "Popularity bias: how many readers the listed books have on average; dashed, the books that the same readers really have.".to_owned(),
            popularity(report),
        ),
    ];
    let figure = |(caption, picture): &(String, String)| {
        format!("<figure>\n<figcaption>{}</figcaption>\n{picture}</figure>\n", escape(caption))
    };
    figures.iter().map(figure).collect()
}

fn quality(
    report: &Report,
    what: &str,
    value: fn(&Row) -> f64,
    interval: fn(&Row) -> Interval,
) -> String {
    let bar = |row| Bar {
        name: name(row),
        value: value(row),
        text: format!("{:.4}", value(row)),
        interval: Some(interval(row)),
    };
    let bars: Vec<Bar<'_>> = report.rows.iter().map(bar).collect();
    bars::draw(&format!("{what} of each model"), &bars, None)
}

fn by_history(report: &Report) -> String {
    // All models are judged on the same users, so they have the same segments.
    let segments = report.rows.first().map_or(&[][..], |row| &row.by_history);
    let steps: Vec<(&str, String)> =
        segments.iter().map(|segment| (segment.history, count(segment.users))).collect();
    let line =
        |row| Line { name: name(row), values: row.by_history.iter().map(|of| of.ndcg).collect() };
    let lines: Vec<Line<'_>> = report.rows.iter().map(line).collect();
    lines::steps("NDCG by length of history", &steps, &lines)
}

fn by_popularity(report: &Report) -> String {
    let segments = report.rows.first().map_or(&[][..], |row| &row.by_popularity);
    let steps: Vec<(&str, String)> =
        segments.iter().map(|segment| (segment.name, count(segment.items))).collect();
    let line = |row| Line {
        name: name(row),
        values: row.by_popularity.iter().map(|of| of.recall).collect(),
    };
    let lines: Vec<Line<'_>> = report.rows.iter().map(line).collect();
    lines::steps("Recall by popularity of books", &steps, &lines)
}

fn against_fit(report: &Report) -> String {
    let dot = |row| Dot { name: name(row), cost: row.fit_seconds, value: row.ndcg };
    let dots: Vec<Dot<'_>> = report.rows.iter().map(dot).collect();
    scatter::draw("NDCG against seconds to learn", "seconds to learn", &dots, FIT_SECONDS_MIN)
}

fn exposure(report: &Report) -> String {
    let line = |row| Line { name: name(row), values: row.exposure.lorenz.clone() };
    let lines: Vec<Line<'_>> = report.rows.iter().map(line).collect();
    lines::shares("Lorenz curves of exposure", "share of books, least shown first", &lines)
}

fn popularity(report: &Report) -> String {
    let bar = |row| Bar {
        name: name(row),
        value: row.exposure.popularity,
        text: format!("{:.1}", row.exposure.popularity),
        interval: None,
    };
    let bars: Vec<Bar<'_>> = report.rows.iter().map(bar).collect();
    let value = report.histories_popularity;
    let mark = Mark { value, text: format!("what they have: {value:.1}") };
    bars::draw("Average popularity of listed books", &bars, Some(&mark))
}

fn name(row: &Row) -> &str {
    &row.model
}
