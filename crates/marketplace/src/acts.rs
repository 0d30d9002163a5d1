//! What a visitor does to a book: written down for a reader, kept in the visit of somebody
//! anonymous, and taken back.
//!
//! Invariants:
//!
//! - An act has the same event id however often its form is sent, so that it counts once.
//! - A unit of the stock is given back at most once for each that was taken, whatever forms
//!   somebody makes up: both changes are named by the purchase, whose id is made of session, page
//!   and book, and a purchase is believed from the service or from a signed cookie only.
//! - A unit that was taken is sold, written down or waiting to be; else it is given back.

mod command;

use api::v1::event_entry::Entry;
use api::v1::event_result::Outcome;
use api::v1::{AdjustStockRequest, Event, EventEntry, EventResult, Retraction};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{Context, SHA256};
use tokio::time::{Instant, timeout_at};
use tonic::Code;

use self::command::What;
pub(crate) use self::command::{Act, Command, Fields, attribution};
use crate::done::Done;
use crate::links::digest;
use crate::random::Id;
use crate::service::Failure;
use crate::session::Session;
use crate::shop::Shop;

/// Longer titles are cut where they are told again.
const TITLE_CHARACTERS_MAX: usize = 60;

/// The length of [`source`].
const SOURCE_BYTES: usize = 22;

/// Does what a form asks for, and leaves in the session what became of it. Its calls share the time
/// of one act; to give a unit back may take as long again.
///
/// # Errors
///
/// [`Failure::Invalid`] and [`Failure::NotFound`] for what somebody made up; a service that is away
/// is no error: the visitor is told, and can try again.
pub(crate) async fn perform(
    shop: &Shop,
    session: &mut Session,
    command: Command,
) -> Result<(), Failure> {
    let Command { act, book, what } = command;
    let until = Instant::now() + shop.settings.act_timeout();
    let (done, page) = match what {
        What::Do { stars, page, attribution } => {
            let event = Event {
                event_id: event_id(&kind_name(act, stars), &source(&session.id, &page), &book),
                user_id: session.reader.clone().unwrap_or_default(),
                book_id: book,
                kind: act.kind().into(),
                rating: stars,
                event_time: None,
                attribution_token: attribution,
            };
            (take_down(shop, session, act, event, until).await, Some(page))
        }
        What::TakeBack { event } => {
            (take_back(shop, session, act, &book, &event, until).await, None)
        }
    };
    session.done = Some(match done {
        Err(Failure::Away(_)) => Done::Failed { page },
        other => other?,
    });
    Ok(())
}

async fn take_down(
    shop: &Shop,
    session: &mut Session,
    act: Act,
    event: Event,
    until: Instant,
) -> Result<Done, Failure> {
    let (id, book) = (event.event_id.clone(), event.book_id.clone());
    let title = title(shop, &book);
    if act == Act::Buy {
        let taken = shop.service.adjust_stock(AdjustStockRequest {
            request_id: format!("take-{id}"),
            book_id: book.clone(),
            change: -1,
        });
        match within(until, taken).await {
            Err(Failure::Refused(_)) => return Ok(Done::SoldOut { title }),
            other => other?,
        };
    }
    match write_down(shop, session, act, event, until).await {
        Ok(()) => Ok(Done::Act { act, book, title, event: id }),
        Err(failure) if act == Act::Buy => {
            give_back(shop, &id, &book).await;
            match failure {
                // A form of the same page would find its unit taken already.
                Failure::Away(_) => Ok(Done::Failed { page: None }),
                other => Err(other),
            }
        }
        Err(failure) => Err(failure),
    }
}

/// Writes an act down for a reader, or keeps it in the visit.
async fn write_down(
    shop: &Shop,
    session: &mut Session,
    act: Act,
    event: Event,
    until: Instant,
) -> Result<(), Failure> {
    if session.reader.is_none() {
        let id = if act == Act::Buy { event.event_id.as_str() } else { "" };
        session.visit.add(&event.book_id, act.kind(), event.rating, id);
        return Ok(());
    }
    let entry = EventEntry { entry: Some(Entry::Event(event.clone())) };
    match within(until, record(shop, session, entry)).await {
        // It is sold, so it will be written down.
        Err(Failure::Away(_)) if act == Act::Buy && shop.outbox.put([event]) => {}
        other => {
            other?;
        }
    }
    session.forgotten = None;
    Ok(())
}

async fn take_back(
    shop: &Shop,
    session: &mut Session,
    act: Act,
    book: &str,
    event: &str,
    until: Instant,
) -> Result<Done, Failure> {
    let title = title(shop, book);
    let Some(reader) = session.reader.clone() else {
        let did = session.visit.take_back(book, act.kind());
        if let Some(did) = did.filter(|did| is_purchase(&did.event, book)) {
            give_back(shop, &did.event, book).await;
        }
        return Ok(Done::TakenBack { title });
    };
    let is_purchase = act == Act::Buy && is_purchase(event, book);
    // A purchase that could not be told yet is not known to the service.
    let untold = match is_purchase {
        true => within(until, async { Ok(shop.outbox.cancel(&reader, event).await) }).await?,
        false => None,
    };
    let retraction = Retraction { user_id: reader, event_id: event.to_owned() };
    let entry = EventEntry { entry: Some(Entry::Retraction(retraction)) };
    let result = match within(until, record(shop, session, entry)).await {
        Ok(result) => result,
        Err(failure) => {
            shop.outbox.put(untold);
            return Err(failure);
        }
    };
    let is_now = untold.is_some() || result.outcome() == Outcome::Retracted;
    // What was taken back before has given its unit back. The service knows that only as long as
    // it remembers changes of the stock, so it is not asked to.
    if is_now && is_purchase {
        give_back(shop, event, book).await;
    }
    if is_now || result.outcome() == Outcome::RetractedBefore {
        return Ok(Done::TakenBack { title });
    }
    Err(Failure::NotFound)
}

/// Puts the unit of a purchase back into the stock. That is no part of what the visitor waits to
/// be told, so a failure is logged.
async fn give_back(shop: &Shop, event: &str, book: &str) {
    let given_back = shop.service.adjust_stock(AdjustStockRequest {
        request_id: format!("give-{event}"),
        book_id: book.to_owned(),
        change: 1,
    });
    if let Err(failure) = given_back.await {
        tracing::warn!(%failure, book, event, "a unit that was given back is missing in the stock");
    }
}

/// An answer that comes in time; later, the service counts as away.
async fn within<T>(
    until: Instant,
    answer: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let late = |_| Err(Failure::Away(Code::DeadlineExceeded));
    timeout_at(until, answer).await.unwrap_or_else(late)
}

/// Writes one thing down; later pages reflect it.
async fn record(
    shop: &Shop,
    session: &mut Session,
    entry: EventEntry,
) -> Result<EventResult, Failure> {
    let results = shop.service.record(vec![entry]).await?;
    let result = results.into_iter().next().unwrap_or_default();
    if result.outcome() == Outcome::Invalid {
        let fields = result.violations.iter().map(|violation| violation.description.as_str());
        return Err(Failure::Invalid(fields.collect::<Vec<_>>().join(", ")));
    }
    session.has_seen(result.user_revision);
    Ok(result)
}

/// The id of an event that came of a page: the same however often it is sent.
pub(crate) fn event_id(act: &str, page: &str, book: &str) -> String {
    format!("{act}-{page}-{:016x}", digest(book))
}

/// An act's name in ids. Other stars on the same page are another rating.
fn kind_name(act: Act, stars: f64) -> String {
    match act {
        Act::Rate => format!("{}{stars}", act.name()),
        _ => act.name().to_owned(),
    }
}

/// A page of a session, in ids. Forms name pages, so somebody can name one twice; but nobody makes
/// two sessions have an id in common.
fn source(session: &Id, page: &str) -> String {
    let mut context = Context::new(&SHA256);
    context.update(session.as_str().as_bytes());
    context.update(b" ");
    context.update(page.as_bytes());
    URL_SAFE_NO_PAD.encode(&context.finish().as_ref()[..16])
}

/// Whether an event is a purchase of this book, as the shop names them.
fn is_purchase(event: &str, book: &str) -> bool {
    let model = event_id(Act::Buy.name(), "", book);
    let (start, end) = model.split_at(Act::Buy.name().len() + 1);
    event.len() == model.len() + SOURCE_BYTES && event.starts_with(start) && event.ends_with(end)
}

fn title(shop: &Shop, book: &str) -> String {
    let known = shop.remembered.book(book);
    known.map(|book| book.title.chars().take(TITLE_CHARACTERS_MAX).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::ID_BYTES_MAX;

    #[test]
    fn ids_fit_and_tell_acts_books_pages_and_sessions_apart() {
        let (session, page, book) = (Session::begin().id, "A".repeat(22), "b".repeat(64));
        let id = |session: &Id, act, stars, page: &str, book: &str| {
            event_id(&kind_name(act, stars), &source(session, page), book)
        };
        let first = id(&session, Act::Buy, 0.0, &page, &book);
        assert_eq!(first, id(&session, Act::Buy, 0.0, &page, &book));
        for other in [
            id(&session, Act::Want, 0.0, &page, &book),
            id(&session, Act::Buy, 0.0, "B", &book),
            id(&session, Act::Buy, 0.0, &page, "b"),
            id(&Session::begin().id, Act::Buy, 0.0, &page, &book),
        ] {
            assert_ne!(first, other);
        }
        let rated = |stars| id(&session, Act::Rate, stars, &page, &book);
        assert_ne!(rated(4.5), rated(5.0));
        assert!(format!("take-{first}").len() <= ID_BYTES_MAX && rated(4.5).len() <= ID_BYTES_MAX);
    }

    #[test]
    fn a_purchase_is_known_by_its_id() {
        let source = source(&Session::begin().id, "page");
        assert_eq!(source.len(), SOURCE_BYTES);
        let bought = event_id("buy", &source, "7");
        assert!(is_purchase(&bought, "7"));
        assert!(!is_purchase(&bought, "8"));
        assert!(!is_purchase(&event_id("want", &source, "7"), "7"));
        assert!(!is_purchase(&event_id("buy", "x", "7"), "7"));
        assert!(!is_purchase("", "7") && !is_purchase("visit", "7"));
    }
}
