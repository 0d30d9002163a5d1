//! A line of a backup, and the row of a store that it stands for.
//!
//! JSON, one object a line with one key, which says what it is. Fields have the names of the
//! contract where it has them; docs/backup.md is for who reads such files. Unknown fields are
//! refused: a row that is only half understood is not restored.

mod api_key;
mod book;
mod event;
mod rule;
mod value;

use recommender::{ItemNumber, UserNumber};
use serde::{Deserialize, Serialize};
use storage::{IdSpace, Revisions, Row, UserRevision};

use api_key::ApiKeyLine;
use book::BookLine;
use event::{EventLine, ImpressionLine};
use rule::RuleLine;
pub(super) use value::FieldError;

/// A line but for the first and the last one.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    Shop(ShopLine),
    Sequence(SequenceLine),
    Id(IdLine),
    Book(Box<BookLine>),
    DeletedBook(DeletedBookLine),
    User(UserLine),
    MergedUser(MergedUserLine),
    Event(EventLine),
    Impression(ImpressionLine),
    Rule(RuleLine),
    ApiKey(ApiKeyLine),
    End(End),
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ShopLine {
    catalogue_revision: i64,
    events_revision: i64,
    rules_revision: i64,
    api_keys_revision: i64,
    removals_revision: i64,
    event_changes: i64,
    has_simulated_events: bool,
}

/// What ids name.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Space {
    User,
    Book,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SequenceLine {
    of: Space,
    next_number: i64,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IdLine {
    of: Space,
    number: u32,
    id: String,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeletedBookLine {
    number: u32,
    revision: i64,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UserLine {
    number: u32,
    revision: i64,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MergedUserLine {
    number: u32,
    into_number: u32,
}

/// The last line.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {
    /// How many lines there are of each kind.
    pub(super) rows: super::RowCounts,
    /// XXH3-64 of all bytes before this line, in 16 hexadecimal digits.
    pub(super) xxh3: String,
}

impl From<IdSpace> for Space {
    fn from(space: IdSpace) -> Self {
        match space {
            IdSpace::User => Self::User,
            IdSpace::Book => Self::Book,
        }
    }
}

impl From<Space> for IdSpace {
    fn from(space: Space) -> Self {
        match space {
            Space::User => Self::User,
            Space::Book => Self::Book,
        }
    }
}

impl From<Row> for Line {
    fn from(row: Row) -> Self {
        match row {
            Row::Shop(revisions) => Self::Shop(revisions.into()),
            Row::Sequence { space, next_number } => {
                Self::Sequence(SequenceLine { of: space.into(), next_number })
            }
            Row::Id { space, number, id } => Self::Id(IdLine { of: space.into(), number, id }),
            Row::Book { book, revision } => Self::Book(Box::new(BookLine::new(*book, revision))),
            Row::DeletedBook { number, revision } => {
                Self::DeletedBook(DeletedBookLine { number: number.0, revision })
            }
            Row::User(UserRevision { user, revision }) => {
                Self::User(UserLine { number: user.0, revision })
            }
            Row::MergedUser { number, into } => {
                Self::MergedUser(MergedUserLine { number: number.0, into_number: into.0 })
            }
            Row::Event { event, retracted } => Self::Event(EventLine::new(event, retracted)),
            Row::Impression { impression, sequence } => {
                Self::Impression(ImpressionLine::new(impression, sequence))
            }
            Row::Rule(rule) => Self::Rule(rule.into()),
            Row::ApiKey(key) => Self::ApiKey(key.into()),
        }
    }
}

impl Line {
    /// The row that it stands for, or the end.
    pub(super) fn row(self) -> Result<Result<Row, End>, FieldError> {
        Ok(Ok(match self {
            Self::Shop(shop) => Row::Shop(shop.into()),
            Self::Sequence(SequenceLine { of, next_number }) => {
                Row::Sequence { space: of.into(), next_number }
            }
            Self::Id(IdLine { of, number, id }) => Row::Id { space: of.into(), number, id },
            Self::Book(book) => book.row()?,
            Self::DeletedBook(DeletedBookLine { number, revision }) => {
                Row::DeletedBook { number: ItemNumber(number), revision }
            }
            Self::User(UserLine { number, revision }) => {
                Row::User(UserRevision { user: UserNumber(number), revision })
            }
            Self::MergedUser(MergedUserLine { number, into_number }) => {
                Row::MergedUser { number: UserNumber(number), into: UserNumber(into_number) }
            }
            Self::Event(event) => event.row()?,
            Self::Impression(impression) => impression.row()?,
            Self::Rule(rule) => Row::Rule(rule.rule()?),
            Self::ApiKey(key) => Row::ApiKey(key.api_key()?),
            Self::End(end) => return Ok(Err(end)),
        }))
    }
}

impl From<Revisions> for ShopLine {
    fn from(revisions: Revisions) -> Self {
        let Revisions { catalogue, events, rules, api_keys, removals, event_changes, simulated } =
            revisions;
        Self {
            catalogue_revision: catalogue,
            events_revision: events,
            rules_revision: rules,
            api_keys_revision: api_keys,
            removals_revision: removals,
            event_changes,
            has_simulated_events: simulated,
        }
    }
}

impl From<ShopLine> for Revisions {
    fn from(line: ShopLine) -> Self {
        Self {
            catalogue: line.catalogue_revision,
            events: line.events_revision,
            rules: line.rules_revision,
            api_keys: line.api_keys_revision,
            removals: line.removals_revision,
            event_changes: line.event_changes,
            simulated: line.has_simulated_events,
        }
    }
}
