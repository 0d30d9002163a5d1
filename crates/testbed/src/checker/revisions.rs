//! A user's revision never falls: whoever asks after an answer has come hears at least what
//! that answer said.

use super::facts::UserFacts;
use super::history::{History, Operation, Outcome};
use super::report::{Finder, Kind};

/// Compares each revision with the highest that was heard before it was asked for.
pub(super) fn check(facts: &UserFacts<'_>, history: &History, finder: &mut Finder<'_>) {
    let operations = history.operations();
    let mut answered = facts.with_revision.clone();
    answered.sort_by_key(|number| operations[*number].end());
    let highest = running_highest(&answered, operations, |_| true);
    let is_acknowledgement =
        |operation: &Operation| matches!(operation.outcome, Outcome::Acknowledged { .. });
    let highest_acknowledged = running_highest(&answered, operations, is_acknowledgement);

    for number in &answered {
        let operation = &operations[*number];
        let earlier = answered.partition_point(|it| operations[*it].end() < operation.invoked);
        let is_read = matches!(operation.outcome, Outcome::Seen { .. });
        let lower_than = |highest: &[Option<usize>]| {
            let before = highest[..earlier].last().copied().flatten()?;
            (operations[before].revision() > operation.revision()).then_some(before)
        };
        if is_read && let Some(before) = lower_than(&highest_acknowledged) {
            finder.in_history(Kind::StaleRevision, None, &[before, *number]);
        }
        if let Some(before) = lower_than(&highest) {
            finder.in_history(Kind::RevisionWentBack, None, &[before, *number]);
        }
    }
}

/// For each place, the operation with the highest revision up to there, of those that count.
fn running_highest(
    answered: &[usize],
    operations: &[Operation],
    counts: impl Fn(&Operation) -> bool,
) -> Vec<Option<usize>> {
    let mut highest: Option<usize> = None;
    let next = |number: &usize| {
        let is_higher = highest
            .is_none_or(|highest| operations[*number].revision() > operations[highest].revision());
        if counts(&operations[*number]) && is_higher {
            highest = Some(*number);
        }
        highest
    };
    answered.iter().map(next).collect()
}
