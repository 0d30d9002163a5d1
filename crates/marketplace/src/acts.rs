//! What a visitor does to a book: written down for a reader, kept in the visit of somebody
//! anonymous, and taken back.
//!
//! Invariants:
//!
//! - An act has the same event id however often its form is sent, so that it counts once.
//! - A unit of the stock is given back at most once for each that was taken, whatever forms
//!   somebody makes up.

use api::v1::event_entry::Entry;
use api::v1::event_result::Outcome;
use api::v1::{AdjustStockRequest, Event, EventEntry, EventKind, EventResult, Retraction};
use serde::{Deserialize, Serialize};

use crate::links::digest;
use crate::service::Failure;
use crate::session::Session;
use crate::shop::Shop;

/// Longer titles are cut where they are told again.
const TITLE_CHARACTERS_MAX: usize = 60;

/// The longest id that the service takes.
const ID_BYTES_MAX: usize = 64;

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
    Failed,
    SignedIn,
    SignedOut,
    Forgotten {
        count: i64,
    },
    Saved,
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
        if !(1..=ID_BYTES_MAX).contains(&book.len()) {
            return Err(BadCommand("do"));
        }
        let book = book.to_owned();
        if is_undo {
            let fits = (1..=ID_BYTES_MAX).contains(&fields.event.len());
            let event = fits.then_some(fields.event).ok_or(BadCommand("event"))?;
            return Ok(Self { act, book, what: What::TakeBack { event } });
        }
        let is_id = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let fits = (1..=22).contains(&fields.page.len()) && fields.page.bytes().all(is_id);
        let page = fits.then_some(fields.page).ok_or(BadCommand("page"))?;
        let stars = match act {
            Act::Rate => fields.stars.parse().ok().filter(|stars| (1.0..=5.0).contains(stars)),
            _ => Some(0.0),
        };
        let stars = stars.ok_or(BadCommand("stars"))?;
        let attribution = fields.from.chars().take(128).collect();
        Ok(Self { act, book, what: What::Do { stars, page, attribution } })
    }
}

/// Does what a form asks for, and leaves in the session what became of it.
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
    let done = match what {
        What::Do { stars, page, attribution } => {
            let event = Event {
                event_id: event_id(act.name(), &page, &book),
                user_id: session.reader.clone().unwrap_or_default(),
                book_id: book,
                kind: act.kind().into(),
                rating: stars,
                event_time: None,
                attribution_token: attribution,
            };
            take_down(shop, session, act, event).await
        }
        What::TakeBack { event } => take_back(shop, session, act, &book, event).await,
    };
    session.done = Some(match done {
        Err(Failure::Away(_)) => Done::Failed,
        other => other?,
    });
    Ok(())
}

async fn take_down(
    shop: &Shop,
    session: &mut Session,
    act: Act,
    event: Event,
) -> Result<Done, Failure> {
    let title = title(shop, &event.book_id);
    if act == Act::Buy {
        let taken = shop.service.adjust_stock(AdjustStockRequest {
            request_id: stock_request("take", session, &event.event_id),
            book_id: event.book_id.clone(),
            change: -1,
        });
        match taken.await {
            Err(Failure::Refused(_)) => return Ok(Done::SoldOut { title }),
            other => other?,
        };
    }
    let (id, book) = (event.event_id.clone(), event.book_id.clone());
    if session.reader.is_some() {
        let entry = EventEntry { entry: Some(Entry::Event(event.clone())) };
        match record(shop, session, entry).await {
            // It is sold, so it will be written down.
            Err(Failure::Away(_)) if act == Act::Buy => shop.outbox.put([event]),
            other => {
                other?;
            }
        }
    } else {
        session.visit.add(&event.book_id, act.kind(), event.rating);
    }
    Ok(Done::Act { act, book, title, event: id })
}

async fn take_back(
    shop: &Shop,
    session: &mut Session,
    act: Act,
    book: &str,
    event: String,
) -> Result<Done, Failure> {
    let is_taken_back = match &session.reader {
        Some(reader) => {
            let retraction = Retraction { user_id: reader.clone(), event_id: event.clone() };
            let entry = EventEntry { entry: Some(Entry::Retraction(retraction)) };
            let result = record(shop, session, entry).await?;
            result.outcome() == Outcome::Retracted
        }
        None => {
            session.visit.take_back(book, act.kind());
            // The session is signed, so the event is one that was.
            matches!(&session.done, Some(Done::Act { event: last, .. }) if *last == event)
        }
    };
    let was_purchase = event.starts_with(&format!("{}-", Act::Buy.name()));
    if is_taken_back && was_purchase && act == Act::Buy {
        let given_back = shop.service.adjust_stock(AdjustStockRequest {
            request_id: stock_request("give", session, &event),
            book_id: book.to_owned(),
            change: 1,
        });
        if let Err(failure) = given_back.await {
            tracing::warn!(%failure, book, "a unit that was given back is missing in the stock");
        }
    }
    Ok(Done::TakenBack { title: title(shop, book) })
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

/// The id of a change of the stock. Ids of events are visitors' own; those of changes are the
/// shop's, so the visitor is part of them.
fn stock_request(change: &str, session: &Session, event: &str) -> String {
    let who = session.reader.as_deref().unwrap_or_default();
    // An anonymous visitor's page is drawn, and nobody else knows it.
    format!("{change}-{:016x}-{:016x}", digest(who), digest(event))
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
        check(Fields { page: "a b".to_owned(), ..fields("want 7", "", "") }, "page");
        check(Fields { page: String::new(), ..fields("want 7", "", "") }, "page");
    }

    #[test]
    fn ids_fit_and_tell_acts_books_and_pages_apart() {
        let page = "A".repeat(22);
        let id = event_id("dismiss", &page, &"b".repeat(64));
        assert!(id.len() <= ID_BYTES_MAX, "{id}");
        assert_eq!(id, event_id("dismiss", &page, &"b".repeat(64)));
        assert_ne!(id, event_id("dismiss", &page, "b"));
        assert_ne!(id, event_id("want", &page, &"b".repeat(64)));
        let session = Session::begin().signed_in("ann");
        assert!(stock_request("take", &session, &id).len() <= ID_BYTES_MAX);
    }
}
