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

use api::v1::event_entry::Entry;
use api::v1::event_result::Outcome;
use api::v1::{AdjustStockRequest, Event, EventEntry, EventKind, EventResult, Retraction};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};
use tonic::Code;

use crate::links::digest;
use crate::random::Id;
use crate::service::Failure;
use crate::session::Session;
use crate::shop::Shop;

/// Longer titles are cut where they are told again.
const TITLE_CHARACTERS_MAX: usize = 60;

/// Longer texts of the service would not fit into a cookie.
const PROBLEM_CHARACTERS_MAX: usize = 200;

/// The longest id that the service takes.
const ID_BYTES_MAX: usize = 64;

/// The length of [`source`].
const SOURCE_BYTES: usize = 22;

/// The longest attribution token that is taken; those of the service are shorter.
const TOKEN_BYTES_MAX: usize = 128;

/// A kind of act.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Act {
    Want,
    Buy,
    Finish,
    Rate,
    Dismiss,
}

/// What a form asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Command {
    pub(crate) act: Act,
    pub(crate) book: String,
    pub(crate) what: What,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    /// To do it; stars only for a rating.
    Do { stars: f64, page: String, attribution: String },
    /// To take it back, by the id of its event.
    TakeBack { event: String },
}

/// What was done last.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub(crate) enum Done {
    /// An act, which can be taken back.
    Act {
        act: Act,
        book: String,
        title: String,
        event: String,
    },
    TakenBack {
        title: String,
    },
    SoldOut {
        title: String,
    },
    /// The service was away. To try again is the same act if it comes of the same page.
    Failed {
        page: Option<String>,
    },
    SignedIn,
    SignedOut,
    Forgotten {
        count: i64,
    },
    Saved,
    /// The bookseller's: what became of models and rules.
    ModelActive {
        version: String,
    },
    RulesSaved {
        count: usize,
    },
    Refused {
        problem: String,
    },
}

impl Done {
    /// The service did not do it; why, if it says so to people.
    pub(crate) fn refused(failure: &Failure) -> Self {
        match failure {
            Failure::Refused(problem) | Failure::Invalid(problem) => {
                Self::Refused { problem: problem.chars().take(PROBLEM_CHARACTERS_MAX).collect() }
            }
            Failure::NotFound | Failure::Away(_) => Self::Failed { page: None },
        }
    }
}

/// A form that cannot be meant: which field is wrong.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub(crate) struct BadCommand(&'static str);

/// The fields of a form that acts.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Fields {
    /// An act and a book, as `want 42` or `undo-want 42`.
    #[serde(default)]
    pub(crate) r#do: String,
    /// The id of the page that the form is on.
    #[serde(default)]
    pub(crate) page: String,
    #[serde(default)]
    pub(crate) stars: String,
    /// The shelf that the book stands on.
    #[serde(default)]
    pub(crate) from: String,
    /// The event to take back.
    #[serde(default)]
    pub(crate) event: String,
}

impl Act {
    pub(crate) const ALL: [Self; 5] =
        [Self::Want, Self::Buy, Self::Finish, Self::Rate, Self::Dismiss];

    /// Its name in forms.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Want => "want",
            Self::Buy => "buy",
            Self::Finish => "finish",
            Self::Rate => "rate",
            Self::Dismiss => "dismiss",
        }
    }

    pub(crate) fn kind(self) -> EventKind {
        match self {
            Self::Want => EventKind::WantToRead,
            Self::Buy => EventKind::Purchase,
            Self::Finish => EventKind::Finish,
            Self::Rate => EventKind::Rating,
            Self::Dismiss => EventKind::Dismiss,
        }
    }

    /// The act that an event comes of.
    pub(crate) fn of(kind: EventKind) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.kind() == kind)
    }
}

impl Command {
    /// What a form asks for.
    pub(crate) fn read(fields: Fields) -> Result<Self, BadCommand> {
        let (name, book) = fields.r#do.split_once(' ').ok_or(BadCommand("do"))?;
        let (name, is_undo) = match name.strip_prefix("undo-") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let act = Act::ALL.into_iter().find(|act| act.name() == name).ok_or(BadCommand("do"))?;
        if !(1..=ID_BYTES_MAX).contains(&book.len()) || book.chars().any(char::is_control) {
            return Err(BadCommand("do"));
        }
        let book = book.to_owned();
        if is_undo {
            let is_plain = !fields.event.chars().any(char::is_control);
            let fits = (1..=ID_BYTES_MAX).contains(&fields.event.len()) && is_plain;
            let event = fits.then_some(fields.event).ok_or(BadCommand("event"))?;
            return Ok(Self { act, book, what: What::TakeBack { event } });
        }
        let is_id = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let fits = (1..=22).contains(&fields.page.len()) && fields.page.bytes().all(is_id);
        let page = fits.then_some(fields.page).ok_or(BadCommand("page"))?;
        let stars = match act {
            Act::Rate => fields.stars.parse().ok().filter(are_stars),
            _ => Some(0.0),
        };
        let stars = stars.ok_or(BadCommand("stars"))?;
        let attribution = attribution(&fields.from).to_owned();
        Ok(Self { act, book, what: What::Do { stars, page, attribution } })
    }
}

/// The token of a shelf that an address or a form names; empty if the service made no such.
pub(crate) fn attribution(token: &str) -> &str {
    let fits = token.len() <= TOKEN_BYTES_MAX && token.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { token } else { "" }
}

/// Whole and half ones.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "filters hand over a reference")]
fn are_stars(stars: &f64) -> bool {
    (1.0..=5.0).contains(stars) && (stars * 2.0).fract() == 0.0
}

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

    fn fields(r#do: &str, stars: &str, event: &str) -> Fields {
        Fields {
            r#do: r#do.to_owned(),
            page: "Aa0_-".to_owned(),
            stars: stars.to_owned(),
            from: "1.2".to_owned(),
            event: event.to_owned(),
        }
    }

    #[test]
    fn a_form_asks_for_an_act_or_takes_one_back() {
        let read = |fields| Command::read(fields).unwrap();
        let command = read(fields("rate The Odyssey 1", "4.5", ""));
        assert_eq!((command.act, command.book.as_str()), (Act::Rate, "The Odyssey 1"));
        assert!(matches!(command.what, What::Do { stars: 4.5, .. }));
        let command = read(fields("undo-buy 7", "", "buy-x"));
        assert_eq!(command.what, What::TakeBack { event: "buy-x".to_owned() });
    }

    #[test]
    fn a_form_that_cannot_be_meant_is_refused() {
        let check = |fields, expected| assert_eq!(Command::read(fields), Err(BadCommand(expected)));
        check(fields("want", "", ""), "do");
        check(fields("want ", "", ""), "do");
        check(fields("steal 7", "", ""), "do");
        check(fields(&format!("want {}", "7".repeat(65)), "", ""), "do");
        check(fields("rate 7", "", ""), "stars");
        check(fields("rate 7", "NaN", ""), "stars");
        check(fields("rate 7", "6", ""), "stars");
        check(fields("undo-want 7", "", ""), "event");
        check(fields("rate 7", "4.3", ""), "stars");
        check(fields("want 7\n", "", ""), "do");
        check(fields("undo-want 7", "", "a\0"), "event");
        check(Fields { page: "a b".to_owned(), ..fields("want 7", "", "") }, "page");
        check(Fields { page: String::new(), ..fields("want 7", "", "") }, "page");
    }

    #[test]
    fn a_shelf_that_the_service_never_named_is_left_out() {
        assert_eq!(attribution("1.f.2"), "1.f.2");
        for token in ["a b", "a\n", "三", &"x".repeat(129)] {
            assert_eq!(attribution(token), "", "{token:?}");
        }
    }

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
