//! A report as a person likes to read it in a terminal.

use std::fmt::Write as _;
use std::time::Duration;

use comfy_table::ColumnConstraint;
use evaluation::Report;
use evaluation::report::{Change, Row};

use crate::figures;
use crate::table;

/// What was measured, the models side by side, how sure the differences are, and with which
/// settings it was.
pub(super) fn of(report: &Report) -> String {
    let mut text = scene(report);
    let k = report.k;
    let (recall, ndcg, mrr) = (format!("R@{k}"), format!("N@{k} [95 %]"), format!("MRR@{k}"));
    let headings = ["model", &recall, &ndcg, &mrr, "coverage", "novelty", "fit", "memory"];
    let mut rows = table::of_figures(&headings);
    for row in &report.rows {
        rows.add_row(cells(row));
    }
    if let Some(ndcg) = rows.column_mut(2) {
        ndcg.set_constraint(ColumnConstraint::ContentWidth);
    }
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{rows}");
    if let Some(first) = report.differences.first() {
        let beside = format!("{} beside", first.model);
        let mut differences = table::of_figures(&[&beside, &format!("N@{k}"), &format!("R@{k}")]);
        for difference in &report.differences {
            let [recall, ndcg] = [difference.recall, difference.ndcg].map(change);
            differences.add_row([difference.against.clone(), ndcg, recall]);
        }
        let _ = writeln!(text, "{differences}");
    }
    for row in report.rows.iter().filter(|row| !row.settings.is_empty()) {
        let _ = writeln!(text, "{}: {}", row.model, row.settings);
    }
    text
}

fn cells(row: &Row) -> [String; 8] {
    let interval = row.ndcg_interval;
    [
        row.model.clone(),
        format!("{:.4}", row.recall),
        format!("{:.4} [{}, {}]", row.ndcg, bare(interval.low), bare(interval.high)),
        format!("{:.4}", row.mrr),
        format!("{:.1} %", row.exposure.coverage * 100.0),
        format!("{:.1} bits", row.exposure.novelty),
        figures::seconds(Duration::from_secs_f64(row.fit_seconds)),
        row.peak_bytes.map_or_else(|| "unknown".to_owned(), figures::bytes),
    ]
}

/// `0.0745` → `.0745`: tables are narrow.
fn bare(value: f64) -> String {
    let text = format!("{value:.4}");
    text.strip_prefix('0').map(str::to_owned).unwrap_or(text)
}

/// `+6.1 % [5.6, 6.7]`.
fn change(change: Option<Change>) -> String {
    let Some(Change { relative, interval }) = change else {
        return "not comparable".to_owned();
    };
    let [relative, low, high] = [relative, interval.low, interval.high].map(|part| part * 100.0);
    format!("{relative:+.1} % [{low:.1}, {high:.1}]")
}

/// What was learnt from, what was held out, and what could not be used.
fn scene(report: &Report) -> String {
    let count = |number: usize| figures::count(number as u64);
    let mut text = format!(
        "{} users × {} items; learnt from {} interactions, {} held out of {} users; {} threads\n{}\n",
        count(report.users),
        count(report.items),
        count(report.interactions),
        count(report.held_out),
        count(report.users_tested),
        report.threads,
        report.protocol,
    );
    for remark in report.remarks() {
        let _ = writeln!(text, "{remark}");
    }
    text
}

#[cfg(test)]
mod tests {
    use evaluation::metrics::bootstrap::Interval;

    use super::*;

    #[test]
    fn a_difference_is_told_with_its_interval() {
        let interval = Interval { low: 0.056, high: 0.067 };
        let told = change(Some(Change { relative: 0.0612, interval }));
        assert_eq!(told, "+6.1 % [5.6, 6.7]");
        let worse = Interval { low: -0.2, high: -0.1 };
        assert_eq!(
            change(Some(Change { relative: -0.15, interval: worse })),
            "-15.0 % [-20.0, -10.0]"
        );
        assert_eq!(change(None), "not comparable");
    }
}
