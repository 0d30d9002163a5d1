//! The tables of a page.

use crate::markup::escape;
use crate::report::{Change, Report, Row};

/// One row a model, with everything that is one number.
pub(super) fn models(report: &Report) -> String {
    let k = report.k;
    let headings = [
        "model".to_owned(),
        format!("Recall@{k}"),
        "95 %".to_owned(),
        format!("NDCG@{k}"),
        "95 %".to_owned(),
        format!("MRR@{k}"),
        format!("hit rate@{k}"),
        "coverage".to_owned(),
        "novelty".to_owned(),
        "Gini".to_owned(),
        "fit".to_owned(),
        "rank".to_owned(),
        "peak memory".to_owned(),
    ];
    table(&headings, report.rows.iter().map(|row| cells(row).to_vec()))
}

fn cells(row: &Row) -> [String; 13] {
    let peak = row.peak_bytes.map(|bytes| format!("{:.0} MB", bytes as f64 / 1e6));
    [
        row.model.clone(),
        format!("{:.4}", row.recall),
        format!("{:.4}–{:.4}", row.recall_interval.low, row.recall_interval.high),
        format!("{:.4}", row.ndcg),
        format!("{:.4}–{:.4}", row.ndcg_interval.low, row.ndcg_interval.high),
        format!("{:.4}", row.mrr),
        format!("{:.4}", row.hit_rate),
        format!("{:.1} %", row.exposure.coverage * 100.0),
        format!("{:.1} bits", row.exposure.novelty),
        format!("{:.3}", row.exposure.gini),
        format!("{:.2} s", row.fit_seconds),
        format!("{:.2} s", row.rank_seconds),
        peak.unwrap_or_else(|| "unknown".to_owned()),
    ]
}

/// The first model beside each of the others.
pub(super) fn differences(report: &Report) -> String {
    let Some(first) = report.differences.first() else { return String::new() };
    let k = report.k;
    let headings = [format!("{} beside", first.model), format!("NDCG@{k}"), format!("Recall@{k}")];
    let rows = report.differences.iter().map(|difference| {
        vec![difference.against.clone(), change(difference.ndcg), change(difference.recall)]
    });
    table(&headings, rows)
}

/// `+6.1 % [5.6, 6.7]`.
fn change(change: Option<Change>) -> String {
    let Some(Change { relative, interval }) = change else { return "not comparable".to_owned() };
    let [relative, low, high] = [relative, interval.low, interval.high].map(|part| part * 100.0);
    format!("{relative:+.1} % [{low:.1}, {high:.1}]")
}

/// The settings of each model that has any.
pub(super) fn settings(report: &Report) -> String {
    let with_settings = report.rows.iter().filter(|row| !row.settings.is_empty());
    let of_row =
        |row: &Row| format!("<dt>{}</dt><dd>{}</dd>\n", escape(&row.model), escape(&row.settings));
    format!("<dl>\n{}</dl>\n", with_settings.map(of_row).collect::<String>())
}

/// A table with these headings.
pub(crate) fn table(headings: &[String], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |tag: &str, cells: &[String]| {
        let cells: String =
            cells.iter().map(|cell| format!("<{tag}>{}</{tag}>", escape(cell))).collect();
        format!("<tr>{cells}</tr>\n")
    };
    let rows: String = rows.map(|cells| line("td", &cells)).collect();
    format!(
        "<div class=\"wide\"><table>\n<thead>{}</thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n",
        line("th", headings)
    )
}
