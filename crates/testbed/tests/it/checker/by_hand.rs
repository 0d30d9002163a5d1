//! Histories of few lines, each with what is wrong with it.
//!
//! A line is a client, what it asks, and what it hears, one after the other; a question with
//! `…` is answered by a later line of that client.

use std::collections::BTreeMap;

use testbed::checker::{History, Kind, Outcome, Request, SeenEvent, StoredEvent, check};

/// Plays lines such as `a: record e1 cover = 1`, `a: read = 1 e1 cover`, and `a: = unknown`.
fn history(lines: &str) -> History {
    let mut history = History::default();
    let mut open = BTreeMap::new();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (client, rest) = line.split_once(": ").expect("client: …");
        let client = client.bytes().map(u32::from).sum();
        let (request, outcome) = match rest.split_once('=') {
            Some((request, outcome)) => (request.trim(), Some(outcome.trim())),
            None => (rest, None),
        };
        let words: Vec<_> = request.split_whitespace().collect();
        let user = "ann".to_owned();
        let request = match words[..] {
            ["record", event, contents] => {
                Some(Request::Record { user, event: event.into(), contents: contents.into() })
            }
            ["retract", event] => Some(Request::Retract { user, event: event.into() }),
            ["read"] => Some(Request::Read { user }),
            _ => None,
        };
        if let Some(request) = request {
            let is_read = matches!(request, Request::Read { .. });
            open.insert(client, (history.invoke(client, request), is_read));
        }
        if let Some(outcome) = outcome {
            let (number, is_read) = open.remove(&client).expect("a question before the answer");
            history.respond(number, answer(outcome, is_read));
        }
    }
    history
}

fn answer(text: &str, is_read: bool) -> Outcome {
    let words: Vec<_> = text.split_whitespace().collect();
    match words[..] {
        ["refused"] => Outcome::Refused,
        ["unknown"] => Outcome::Unknown,
        [revision, ref seen @ ..] => {
            let revision = revision.parse().expect("a revision");
            let event =
                |pair: &[&str]| SeenEvent { event: pair[0].into(), contents: pair[1].into() };
            let events = seen.chunks(2).map(event).collect();
            if is_read {
                Outcome::Seen { revision, events }
            } else {
                Outcome::Acknowledged { revision }
            }
        }
        [] => panic!("an answer"),
    }
}

/// Checks lines against a store such as `e1 cover, e2 page retracted`.
fn check_lines(lines: &str, stored: &str, expected: &[Kind]) {
    let row = |row: &str| {
        let words: Vec<_> = row.split_whitespace().collect();
        StoredEvent {
            user: "ann".into(),
            event: words[0].into(),
            contents: words[1].into(),
            is_retracted: words.len() > 2,
        }
    };
    let stored: Vec<_> = stored.split(',').filter(|it| !it.is_empty()).map(row).collect();
    let report = check(&history(lines), &stored);
    let kinds: Vec<_> = report.anomalies().map(|anomaly| anomaly.kind).collect();
    assert_eq!(kinds, expected, "{lines}\n{report}");
}

#[test]
fn an_acknowledged_event_stays() {
    check_lines("a: record e1 x = 1", "e1 x", &[]);
    check_lines("a: record e1 x = 1", "", &[Kind::Lost]);
    check_lines("a: record e1 x = 1", "e1 x retracted", &[Kind::Lost]);
    check_lines("a: record e1 x = unknown", "", &[]);
    check_lines("a: record e1 x = unknown", "e1 x", &[]);
    check_lines("a: record e1 x\nb: read = 0", "", &[]);
}

#[test]
fn an_event_is_there_once() {
    check_lines("a: record e1 x = unknown\na: record e1 x = 1", "e1 x", &[]);
    check_lines("a: record e1 x = unknown\na: record e1 x = 1", "e1 x,e1 x", &[Kind::Duplicated]);
    check_lines("a: record e1 x = 1\nb: read = 1 e1 x e1 x", "e1 x", &[Kind::Duplicated]);
}

#[test]
fn only_what_was_sent_is_there() {
    check_lines("a: read = 0", "e1 x", &[Kind::Invented]);
    check_lines("a: read = 1 e1 x\nb: record e1 x = 1", "e1 x", &[Kind::Invented]);
    check_lines("b: record e1 x\na: read = 1 e1 x\nb: = 1", "e1 x", &[]);
    check_lines("a: record e1 x = refused", "", &[]);
    check_lines("a: record e1 x = refused", "e1 x", &[Kind::RefusedButStored]);
    check_lines("a: record e1 x = refused\na: record e1 x = unknown", "e1 x", &[]);
    let seen = "a: record e1 x = refused\nb: read = 1 e1 x\nb: read = 1 e1 x";
    check_lines(seen, "e1 x", &[Kind::RefusedButStored]);
}

#[test]
fn contents_stay_what_was_sent() {
    check_lines("a: record e1 x = 1", "e1 y", &[Kind::ContentsChanged]);
    check_lines("a: record e1 x = 1\nb: read = 1 e1 y", "e1 x", &[Kind::ContentsChanged]);
    check_lines("a: record e1 x = unknown\na: record e1 y = 1", "e1 x", &[]);
}

#[test]
fn a_retraction_holds() {
    let retracted = "a: record e1 x = 1\na: retract e1 = 2";
    check_lines(retracted, "e1 x retracted", &[]);
    check_lines(retracted, "", &[]);
    check_lines(retracted, "e1 x", &[Kind::RetractionUndone]);
    check_lines(&format!("{retracted}\nb: record e1 x = 2"), "e1 x", &[Kind::RetractionUndone]);
    check_lines(&format!("{retracted}\nb: read = 2 e1 x"), "", &[Kind::RetractionUndone]);
    check_lines("a: record e1 x = 1\na: retract e1 = unknown", "e1 x", &[]);
    check_lines("a: record e1 x = 1\na: retract e1 = unknown", "", &[]);
    check_lines("a: record e1 x = 1\na: retract e1 = refused", "", &[Kind::Lost]);
    // It may have been retracted before it came.
    check_lines("a: record e1 x\nb: retract e1 = 0\na: = 1", "e1 x", &[]);
    let seen_gone = "a: record e1 x = 1\na: retract e1 = unknown\nb: read = 2";
    check_lines(&format!("{seen_gone}\nb: read = 2 e1 x"), "", &[Kind::RetractionUndone]);
}

#[test]
fn a_read_shows_what_came_before_it() {
    let stale = "a: record e1 x = 1\nb: read = 0";
    check_lines(stale, "e1 x", &[Kind::StaleRead, Kind::StaleRevision, Kind::RevisionWentBack]);
    check_lines("b: read\na: record e1 x = 1\nb: = 0", "e1 x", &[]);
    check_lines("b: read\na: record e1 x = 1\nb: = 1", "e1 x", &[Kind::TornRead]);
    let torn = "a: record e1 x = 1\nb: read = 1";
    check_lines(torn, "e1 x", &[Kind::StaleRead, Kind::TornRead]);
    let vanished = "a: record e1 x\nb: read = 1 e1 x\nb: read = 1";
    check_lines(vanished, "", &[Kind::Vanished]);
    check_lines("a: record e1 x\nb: read = 1 e1 x", "", &[Kind::Vanished]);
}

#[test]
fn revisions_do_not_go_back() {
    let two = "a: record e1 x = 2\nb: record e2 y = ";
    check_lines(&format!("{two}1"), "e1 x,e2 y", &[Kind::RevisionWentBack]);
    check_lines(&format!("{two}2"), "e1 x,e2 y", &[]);
    let crossing = "a: record e1 x\nb: record e2 y = 2\na: = 1";
    check_lines(crossing, "e1 x,e2 y", &[]);
    check_lines("a: read = 3\nb: read = 2", "", &[Kind::RevisionWentBack]);
}

#[test]
fn a_report_names_the_first_of_each_kind_with_its_operations() {
    let lines = "a: record e1 x = 1\nb: record e2 y = 2\na: read = 2 e1 x\nb: read = 2 e2 y";
    let report = check(&history(lines), &[]);
    let stale = report.of(Kind::StaleRead).expect("two are stale");
    assert_eq!((stale.count, stale.event.as_deref()), (2, Some("e2")));
    assert_eq!(
        stale.to_string(),
        "a read misses an event acknowledged before it (2 times); first, event e2 of user ann:\
         \n  client 98 [3–4] record e2 of ann: \"y\" → revision 2\
         \n  client 97 [5–6] read ann → 1 events in revision 2"
    );
    let lost = report.of(Kind::Lost).expect("both are lost");
    assert!(lost.is_in_store && lost.count == 2);
    assert!(lost.to_string().ends_with("and what the store holds at the end"));
    assert_eq!(check(&History::default(), &[]).to_string(), "no anomalies");
}
