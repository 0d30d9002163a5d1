//! What a form asks to be done to a book, or taken back.

use api::v1::EventKind;
use serde::{Deserialize, Serialize};

use crate::service::is_id;

/// The longest attribution token that is taken; those of the service are shorter.
const TOKEN_BYTES_MAX: usize = 128;

/// A kind of act.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Act {
    Buy,
    Want,
    Finish,
    Dismiss,
    Rate,
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
    /// All of them, in the order in which the page of a book has them.
    pub(crate) const ALL: [Self; 5] =
        [Self::Buy, Self::Want, Self::Finish, Self::Dismiss, Self::Rate];

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
        if !is_id(book) {
            return Err(BadCommand("do"));
        }
        let book = book.to_owned();
        if is_undo {
            let event = is_id(&fields.event).then_some(fields.event).ok_or(BadCommand("event"))?;
            return Ok(Self { act, book, what: What::TakeBack { event } });
        }
        let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let fits = (1..=22).contains(&fields.page.len()) && fields.page.bytes().all(is_sign);
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
}
