//! Correct histories of some length, each made wrong in one place: the checker must see it.

use testbed::checker::{History, Kind, Operation, Outcome, Request, StoredEvent, check};

use super::simulation::simulate;
use super::text;

const SEEDS: u64 = 300;

/// A correct history.
fn correct(seed: u64) -> (History, Vec<StoredEvent>) {
    let mut state = seed;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 32) as u32
    };
    let choices: Vec<u32> = (0..400).map(|_| next()).collect();
    simulate(&choices)
}

/// Makes each history wrong where it can be, and expects this kind to be found each time, with the
/// operations that are involved.
fn check_flaw(kind: Kind, make: impl Fn(&mut History, &mut Vec<StoredEvent>) -> bool) {
    let mut made = 0;
    for seed in 0..SEEDS {
        let (mut history, mut stored) = correct(seed);
        if !make(&mut history, &mut stored) {
            continue;
        }
        made += 1;
        let report = check(&history, &stored);
        let found = report.of(kind);
        assert!(found.is_some(), "seed {seed}: {kind}: {report}\nof\n{}", text(&history));
    }
    assert!(made > SEEDS / 2, "only {made} of {SEEDS} histories could be made wrong");
}

fn event_of(operation: &Operation) -> Option<(&str, &str)> {
    match &operation.request {
        Request::Record { user, event, .. } | Request::Retract { user, event } => {
            Some((user, event))
        }
        Request::Read { .. } => None,
    }
}

fn is_acknowledged(operation: &Operation) -> bool {
    matches!(operation.outcome, Outcome::Acknowledged { .. })
}

fn is_record(operation: &Operation) -> bool {
    matches!(operation.request, Request::Record { .. })
}

/// Whether nobody tried to retract this event.
fn is_never_retracted(history: &History, user: &str, event: &str) -> bool {
    let is_retraction = |operation: &&Operation| {
        !is_record(operation) && event_of(operation) == Some((user, event))
    };
    !history.operations().iter().any(|operation| is_retraction(&operation))
}

/// The last event that was acknowledged and that nobody tried to retract.
fn kept(history: &History) -> Option<(String, String, u64)> {
    let is_kept = |operation: &&Operation| {
        let about = event_of(operation);
        is_record(operation)
            && is_acknowledged(operation)
            && about.is_some_and(|(user, event)| is_never_retracted(history, user, event))
    };
    let operation = history.operations().iter().find(is_kept)?;
    let (user, event) = event_of(operation)?;
    Some((user.to_owned(), event.to_owned(), operation.responded?))
}

/// Changes the last answer to a read of this user which was asked for after this moment.
fn change_read(
    history: &mut History,
    user: &str,
    after: u64,
    change: impl FnOnce(&mut Outcome) -> bool,
) -> bool {
    let is_it = |operation: &&mut Operation| {
        operation.request.user() == user
            && operation.invoked > after
            && matches!(operation.outcome, Outcome::Seen { .. })
    };
    let read = history.operations_mut().iter_mut().rev().find(is_it);
    read.is_some_and(|read| change(&mut read.outcome))
}

/// Removes an event from what a read showed.
fn hide(outcome: &mut Outcome, hidden: &str) -> bool {
    let Outcome::Seen { events, .. } = outcome else { return false };
    let before = events.len();
    events.retain(|seen| seen.event != hidden);
    events.len() < before
}

#[test]
fn a_lost_event_is_found() {
    check_flaw(Kind::Lost, |history, stored| {
        let Some((user, event, _)) = kept(history) else { return false };
        stored.retain(|row| row.user != user || row.event != event);
        true
    });
}

#[test]
fn an_event_that_is_stored_twice_is_found() {
    check_flaw(Kind::Duplicated, |_, stored| {
        let twice = stored.first().cloned();
        stored.extend(twice.clone());
        twice.is_some()
    });
}

#[test]
fn an_event_that_nobody_sent_is_found() {
    check_flaw(Kind::Invented, |_, stored| {
        let Some(mut row) = stored.first().cloned() else { return false };
        row.event = "foreign".to_owned();
        stored.push(row);
        true
    });
}

#[test]
fn a_refused_event_that_is_stored_is_found() {
    check_flaw(Kind::RefusedButStored, |history, _| {
        // As if every sending of an event that is stored had been refused.
        let Some((user, event, _)) = kept(history) else { return false };
        for operation in history.operations_mut() {
            if event_of(operation) == Some((&user, &event)) {
                operation.outcome = Outcome::Refused;
            }
        }
        true
    });
}

#[test]
fn changed_contents_are_found() {
    check_flaw(Kind::ContentsChanged, |_, stored| {
        let Some(row) = stored.first_mut() else { return false };
        row.contents.push('!');
        true
    });
}

#[test]
fn a_retraction_that_is_undone_is_found() {
    check_flaw(Kind::RetractionUndone, |history, stored| {
        let operations = history.operations();
        let is_certain = |retraction: &Operation| {
            operations.iter().any(|sent| {
                is_record(sent)
                    && is_acknowledged(sent)
                    && event_of(sent) == event_of(retraction)
                    && sent.responded < Some(retraction.invoked)
            })
        };
        let undone = |row: &&mut StoredEvent| {
            let about = Some((row.user.as_str(), row.event.as_str()));
            operations.iter().any(|operation| {
                !is_record(operation)
                    && is_acknowledged(operation)
                    && event_of(operation) == about
                    && is_certain(operation)
            })
        };
        let Some(row) = stored.iter_mut().find(undone) else { return false };
        row.is_retracted = false;
        true
    });
}

#[test]
fn a_stale_read_is_found() {
    check_flaw(Kind::StaleRead, |history, _| {
        let Some((user, event, after)) = kept(history) else { return false };
        change_read(history, &user, after, |outcome| hide(outcome, &event))
    });
}

#[test]
fn a_torn_read_is_found() {
    check_flaw(Kind::TornRead, |history, _| {
        let Some((user, event, after)) = kept(history) else { return false };
        change_read(history, &user, after, |outcome| hide(outcome, &event))
    });
}

#[test]
fn a_stale_revision_is_found() {
    check_flaw(Kind::StaleRevision, |history, _| {
        let Some((user, _, after)) = kept(history) else { return false };
        change_read(history, &user, after, |outcome| {
            let Outcome::Seen { revision, .. } = outcome else { return false };
            *revision = 0;
            true
        })
    });
}

#[test]
fn a_revision_that_goes_back_is_found() {
    check_flaw(Kind::RevisionWentBack, |history, _| {
        let Some((user, _, after)) = kept(history) else { return false };
        let is_later = |operation: &&mut Operation| {
            operation.request.user() == user
                && operation.invoked > after
                && is_acknowledged(operation)
        };
        let Some(operation) = history.operations_mut().iter_mut().find(is_later) else {
            return false;
        };
        operation.outcome = Outcome::Acknowledged { revision: 0 };
        true
    });
}

#[test]
fn an_event_that_vanishes_is_found() {
    check_flaw(Kind::Vanished, |history, _| {
        let Some((user, event, _)) = kept(history) else { return false };
        let shows = |operation: &&Operation| {
            let Outcome::Seen { events, .. } = &operation.outcome else { return false };
            operation.request.user() == user && events.iter().any(|seen| seen.event == event)
        };
        let first = history.operations().iter().find(shows).and_then(|read| read.responded);
        let Some(first) = first else { return false };
        change_read(history, &user, first, |outcome| hide(outcome, &event))
    });
}

#[test]
fn no_kind_is_without_a_flaw_here() {
    // The tests above, in the order of the kinds.
    assert_eq!(Kind::ALL.len(), 11);
}
