//! From messages to entries, with everything checked: each by itself.

use api::v1::event_entry::Entry as EntryMessage;
use api::v1::{Event as EventMessage, EventEntry, EventKind as KindMessage, Retraction};
use prost_types::Timestamp;
use recommender::{EventKind, Rating};
use storage::EventId;
use storage::event::ATTRIBUTION_TOKEN_BYTES_MAX;

use super::super::v1::check_id;
use super::super::violations::{Invalid, Violations};
use super::result::Answers;
use crate::clock::now_ms;
use crate::generation::Generation;
use crate::ingest::{NewEntry, Times, What};
use crate::settings::{EventsSection, REQUEST_ENTRIES_MAX};

/// The entries of one request.
pub(super) struct Checked {
    /// Those that are valid.
    pub(super) entries: Vec<NewEntry>,
    /// What is to be answered of each.
    pub(super) answers: Answers,
}

/// Checks the entries of one request.
///
/// # Errors
///
/// [`Invalid`] if there are none or too many.
pub(super) fn check(
    messages: Vec<EventEntry>,
    limits: &EventsSection,
    generation: &Generation,
) -> Result<Checked, Invalid> {
    let mut violations = Violations::new();
    let fits = (1..=REQUEST_ENTRIES_MAX).contains(&messages.len());
    let count = format_args!("{} entries", messages.len());
    violations.expect(fits, "entries", count, "1 to 1000");
    violations.check()?;
    let (mut entries, mut answers) = (Vec::with_capacity(messages.len()), Answers::default());
    let now_ms = now_ms();
    for message in messages {
        let id = event_id(&message).to_owned();
        let mut violations = Violations::new();
        let entry = match message.entry {
            Some(EntryMessage::Event(event)) => of_event(event, now_ms, limits, &mut violations),
            Some(EntryMessage::Retraction(retraction)) => {
                of_retraction(retraction, &mut violations)
            }
            None => {
                violations.add("entry", "none", "an event or a retraction");
                None
            }
        };
        match (violations.check(), entry) {
            (Ok(()), Some(entry)) => {
                let book = book_id(&entry);
                let is_unknown = book.is_some_and(|book| !is_in_shop(generation, book));
                answers.valid(id, is_unknown);
                entries.push(entry);
            }
            (Err(invalid), _) => answers.refuse(id, invalid),
            (Ok(()), None) => unreachable!("what is not valid has a violation"),
        }
    }
    Ok(Checked { entries, answers })
}

fn is_in_shop(generation: &Generation, book: &str) -> bool {
    let index = generation.index_of_id(book);
    index.is_some_and(|index| generation.book(index).is_some())
}

fn event_id(message: &EventEntry) -> &str {
    match &message.entry {
        Some(EntryMessage::Event(event)) => &event.event_id,
        Some(EntryMessage::Retraction(retraction)) => &retraction.event_id,
        None => "",
    }
}

fn book_id(entry: &NewEntry) -> Option<&str> {
    match &entry.what {
        What::Event { book_id, .. } | What::Impression { book_id, .. } => Some(book_id),
        What::Retraction => None,
    }
}

/// The entry for an event; `None` if it is not valid.
fn of_event(
    event: EventMessage,
    now_ms: i64,
    limits: &EventsSection,
    found: &mut Violations,
) -> Option<NewEntry> {
    check_id("event.event_id", &event.event_id, found);
    check_id("event.user_id", &event.user_id, found);
    check_id("event.book_id", &event.book_id, found);
    let what = kind(&event, found);
    let happened_ms = match &event.event_time {
        None => Some(now_ms),
        Some(time) => happened_ms(time, now_ms, limits, found),
    };
    let token = Some(event.attribution_token).filter(|token| !token.is_empty());
    if let Some(token) = &token {
        let fits =
            token.len() <= ATTRIBUTION_TOKEN_BYTES_MAX && !token.chars().any(char::is_control);
        let what = format_args!("{} bytes: {token:?}", token.len());
        found.expect(fits, "event.attribution_token", what, "at most 512 bytes of printable text");
    }
    let times = Times { happened_ms: happened_ms?, recorded_ms: now_ms };
    let book_id = event.book_id.into();
    let what = match what? {
        Kind::Event(kind, rating) => What::Event { book_id, kind, rating, times, token },
        Kind::Impression => What::Impression { book_id, times, token },
    };
    let event_id = EventId::new(event.event_id.as_bytes()).ok()?;
    Some(NewEntry { user_id: event.user_id.into(), event_id, what })
}

fn of_retraction(retraction: Retraction, found: &mut Violations) -> Option<NewEntry> {
    let Retraction { user_id, event_id } = retraction;
    check_id("retraction.user_id", &user_id, found);
    check_id("retraction.event_id", &event_id, found);
    let event_id = EventId::new(event_id.as_bytes()).ok()?;
    Some(NewEntry { user_id: user_id.into(), event_id, what: What::Retraction })
}

/// What was done.
enum Kind {
    Event(EventKind, Option<Rating>),
    Impression,
}

fn kind(event: &EventMessage, found: &mut Violations) -> Option<Kind> {
    const FIELD: &str = "event.rating";
    let no_rating = |found: &mut Violations| {
        found.expect(event.rating == 0.0, FIELD, event.rating, "0 for this kind of event");
    };
    match KindMessage::try_from(event.kind) {
        Ok(KindMessage::Impression) => {
            no_rating(found);
            Some(Kind::Impression)
        }
        Ok(KindMessage::Rating) => {
            let rating = Rating::from_stars(event.rating).ok();
            found.expect(rating.is_some(), FIELD, event.rating, "1 to 5 in steps of 0.5");
            Some(Kind::Event(EventKind::Rating, Some(rating?)))
        }
        Ok(kind) if kind != KindMessage::Unspecified => {
            no_rating(found);
            let kind = u8::try_from(kind as i32).ok().and_then(EventKind::from_number)?;
            Some(Kind::Event(kind, None))
        }
        Ok(_) | Err(_) => {
            found.add("event.kind", event.kind, "a kind of event");
            None
        }
    }
}

/// When it happened, if that is within what clocks and delays explain.
fn happened_ms(
    time: &Timestamp,
    now_ms: i64,
    limits: &EventsSection,
    found: &mut Violations,
) -> Option<i64> {
    const FIELD: &str = "event.event_time";
    let Timestamp { seconds, nanos } = *time;
    if !(0..1_000_000_000).contains(&nanos) {
        found.add(FIELD, format_args!("{nanos} nanos"), "0 to 999999999");
        return None;
    }
    let ago = (now_ms / 1000).saturating_sub(seconds);
    let happened_ms = seconds.saturating_mul(1000).saturating_add(i64::from(nanos / 1_000_000));
    if happened_ms < now_ms - limits.late_ms_max() {
        let expected = format!("at most {} s ago", limits.late_ms_max() / 1000);
        found.add(FIELD, format_args!("{ago} s ago"), &expected);
        return None;
    }
    if happened_ms > now_ms + limits.future_ms_max() {
        let expected = format!("at most {} s ahead", limits.future_ms_max() / 1000);
        found.add(FIELD, format_args!("{} s ahead", ago.saturating_neg()), &expected);
        return None;
    }
    Some(happened_ms)
}
