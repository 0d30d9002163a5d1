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

/// Makes a history or its store wrong; gives whether it found a place to.
type Flaw = fn(&mut History, &mut Vec<StoredEvent>) -> bool;

/// Makes each history wrong where it can be, and expects this kind to be found each time.
fn check_flaw(kind: Kind, make: Flaw) {
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

#[test]
fn each_kind_of_flaw_is_found_wherever_it_is() {
    for kind in Kind::ALL {
        check_flaw(kind, flaw(kind));
    }
}

/// How to bring this kind about.
fn flaw(kind: Kind) -> Flaw {
    match kind {
        Kind::Lost => lose,
        Kind::Duplicated => store_twice,
        Kind::Invented => invent,
        Kind::RefusedButStored => refuse,
        Kind::ContentsChanged => |_, stored| change_contents(stored),
        Kind::RetractionUndone => |history, stored| undo_retraction(history, stored),
        Kind::StaleRead | Kind::TornRead => hide_acknowledged,
        Kind::StaleRevision => lower_read,
        Kind::RevisionWentBack => lower_acknowledgement,
        Kind::Vanished => hide_seen,
    }
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

/// The first event that was acknowledged and that nobody tried to retract.
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

fn lose(history: &mut History, stored: &mut Vec<StoredEvent>) -> bool {
    let Some((user, event, _)) = kept(history) else { return false };
    stored.retain(|row| row.user != user || row.event != event);
    true
}

fn store_twice(_: &mut History, stored: &mut Vec<StoredEvent>) -> bool {
    let twice = stored.first().cloned();
    stored.extend(twice.clone());
    twice.is_some()
}

fn invent(_: &mut History, stored: &mut Vec<StoredEvent>) -> bool {
    let Some(mut row) = stored.first().cloned() else { return false };
    row.event = "foreign".to_owned();
    stored.push(row);
    true
}

fn refuse(history: &mut History, _: &mut Vec<StoredEvent>) -> bool {
    // As if every sending of an event that is stored had been refused.
    let Some((user, event, _)) = kept(history) else { return false };
    for operation in history.operations_mut() {
        if event_of(operation) == Some((&user, &event)) {
            operation.outcome = Outcome::Refused;
        }
    }
    true
}

fn change_contents(stored: &mut [StoredEvent]) -> bool {
    let Some(row) = stored.first_mut() else { return false };
    row.contents.push('!');
    true
}

fn undo_retraction(history: &History, stored: &mut [StoredEvent]) -> bool {
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
}

fn hide_acknowledged(history: &mut History, _: &mut Vec<StoredEvent>) -> bool {
    let Some((user, event, after)) = kept(history) else { return false };
    change_read(history, &user, after, |outcome| hide(outcome, &event))
}

fn lower_read(history: &mut History, _: &mut Vec<StoredEvent>) -> bool {
    let Some((user, _, after)) = kept(history) else { return false };
    change_read(history, &user, after, |outcome| {
        let Outcome::Seen { revision, .. } = outcome else { return false };
        *revision = 0;
        true
    })
}

fn lower_acknowledgement(history: &mut History, _: &mut Vec<StoredEvent>) -> bool {
    let Some((user, _, after)) = kept(history) else { return false };
    let is_later = |operation: &&mut Operation| {
        operation.request.user() == user && operation.invoked > after && is_acknowledged(operation)
    };
    let Some(operation) = history.operations_mut().iter_mut().find(is_later) else {
        return false;
    };
    operation.outcome = Outcome::Acknowledged { revision: 0 };
    true
}

fn hide_seen(history: &mut History, _: &mut Vec<StoredEvent>) -> bool {
    let Some((user, event, _)) = kept(history) else { return false };
    let shows = |operation: &&Operation| {
        let Outcome::Seen { events, .. } = &operation.outcome else { return false };
        operation.request.user() == user && events.iter().any(|seen| seen.event == event)
    };
    let first = history.operations().iter().find(shows).and_then(|read| read.responded);
    let Some(first) = first else { return false };
    change_read(history, &user, first, |outcome| hide(outcome, &event))
}
