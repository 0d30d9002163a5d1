//! A table of rounds, by what went wrong in them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use super::trouble::Trouble;
use super::witness::Counts;

/// One round that was found to be in order: any other ends the run.
pub(super) struct Row {
    pub(super) trouble: Trouble,
    pub(super) operations: usize,
    pub(super) counts: Counts,
    /// How long the service took to open after it.
    pub(super) opened_in: Duration,
}

/// The table, with times in milliseconds.
pub(super) fn of(rows: &[Row]) -> String {
    let mut by_trouble = BTreeMap::<Trouble, Vec<&Row>>::new();
    for row in rows {
        by_trouble.entry(row.trouble).or_default().push(row);
    }
    let heads = ["rounds", "operations", "acked", "refused", "lost", "shelves", "open p50", "max"];
    let mut text = format!("{:25}", "what went wrong");
    for head in heads {
        write!(text, "{head:>11}").unwrap();
    }
    for (trouble, rows) in &by_trouble {
        write!(text, "\n{trouble:25}").unwrap();
        line(&mut text, rows);
    }
    write!(text, "\n{:25}", "all").unwrap();
    line(&mut text, &rows.iter().collect::<Vec<_>>());
    text + "\nviolations: 0"
}

fn line(text: &mut String, rows: &[&Row]) {
    let sum = |of: fn(&Counts) -> u64| rows.iter().map(|row| of(&row.counts)).sum::<u64>();
    let mut opened: Vec<u128> = rows.iter().map(|row| row.opened_in.as_millis()).collect();
    opened.sort_unstable();
    let columns = [
        rows.len() as u128,
        rows.iter().map(|row| row.operations as u128).sum(),
        sum(|counts| counts.acknowledged).into(),
        sum(|counts| counts.refused).into(),
        sum(|counts| counts.lost).into(),
        sum(|counts| counts.recommended).into(),
        opened.get(opened.len() / 2).copied().unwrap_or(0),
        opened.last().copied().unwrap_or(0),
    ];
    for column in columns {
        write!(text, "{column:>11}").unwrap();
    }
}
