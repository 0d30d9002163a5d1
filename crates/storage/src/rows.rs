//! Every row of a store, one after the other: what a backup keeps and a restore brings back.
//!
//! Rows come in one order, whatever the database: by [`RowKind`], and within a kind by
//! [`RowKey`], each key once. What a row refers to comes before it: the shop's revisions before
//! whatever has one, sequences before the numbers that they gave.
//!
//! Words to find books by are no rows: they are made of the books. Nor are models.

mod checks;

use std::fmt;

use recommender::{ItemNumber, UserNumber};

use crate::api_keys::ApiKey;
use crate::book::Book;
use crate::event::{EventId, NewEvent};
use crate::history::UserRevision;
use crate::ids::IdSpace;
use crate::impressions::NewImpression;
use crate::rules::Rule;
use crate::store::Revisions;

pub use checks::{RowChecks, RowError};

/// A row of a store, with everything that is stored of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Row {
    /// The shop itself.
    Shop(Revisions),
    /// The first number of a space that was never assigned.
    Sequence {
        /// Whose numbers.
        space: IdSpace,
        /// The next to assign, or 2³¹ if none is left.
        next_number: i64,
    },
    /// An id that is not its own number.
    Id {
        /// What it names.
        space: IdSpace,
        /// Its number.
        number: u32,
        /// The id.
        id: String,
    },
    /// A book.
    Book {
        /// The book; its id is not looked at when it is restored.
        book: Box<Book>,
        /// The catalogue's revision after the commit that last changed it.
        revision: i64,
    },
    /// A book that was deleted and not stored again.
    DeletedBook {
        /// Its number.
        number: ItemNumber,
        /// The catalogue's revision after the commit that deleted it.
        revision: i64,
    },
    /// A user who has, or had, events.
    User(UserRevision),
    /// A user who became part of another one.
    MergedUser {
        /// Their number.
        number: UserNumber,
        /// The other's.
        into: UserNumber,
    },
    /// An event.
    Event {
        /// What was recorded.
        event: NewEvent,
        /// Whether it was retracted, and so is in no history.
        retracted: bool,
    },
    /// An impression.
    Impression {
        /// What was recorded.
        impression: NewImpression,
        /// Its place among those of the shop: the oldest are forgotten first.
        sequence: i64,
    },
    /// A rule.
    Rule(Rule),
    /// An API key.
    ApiKey(ApiKey),
}

/// What a row is of, in the order in which rows come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKind {
    /// [`Row::Shop`], one row.
    Shop,
    /// [`Row::Sequence`], one row for each [`IdSpace`].
    Sequence,
    /// [`Row::Id`].
    Id,
    /// [`Row::Book`].
    Book,
    /// [`Row::DeletedBook`].
    DeletedBook,
    /// [`Row::User`].
    User,
    /// [`Row::MergedUser`].
    MergedUser,
    /// [`Row::Event`].
    Event,
    /// [`Row::Impression`].
    Impression,
    /// [`Row::Rule`].
    Rule,
    /// [`Row::ApiKey`].
    ApiKey,
}

/// What tells a row from all others, and its place among them. Ids count by their bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowKey {
    /// Of the shop.
    Shop,
    /// Of a sequence: the space's number.
    Sequence(u8),
    /// Of an id: the space's number, and its own.
    Id(u8, u32),
    /// Of a book.
    Book(ItemNumber),
    /// Of a deleted book.
    DeletedBook(ItemNumber),
    /// Of a user.
    User(UserNumber),
    /// Of a merged user.
    MergedUser(UserNumber),
    /// Of an event.
    Event(UserNumber, EventId),
    /// Of an impression.
    Impression(UserNumber, EventId),
    /// Of a rule: its id.
    Rule(String),
    /// Of an API key: its id.
    ApiKey(String),
}

impl Row {
    /// What it is of.
    #[must_use]
    pub fn kind(&self) -> RowKind {
        match self {
            Self::Shop(_) => RowKind::Shop,
            Self::Sequence { .. } => RowKind::Sequence,
            Self::Id { .. } => RowKind::Id,
            Self::Book { .. } => RowKind::Book,
            Self::DeletedBook { .. } => RowKind::DeletedBook,
            Self::User(_) => RowKind::User,
            Self::MergedUser { .. } => RowKind::MergedUser,
            Self::Event { .. } => RowKind::Event,
            Self::Impression { .. } => RowKind::Impression,
            Self::Rule(_) => RowKind::Rule,
            Self::ApiKey(_) => RowKind::ApiKey,
        }
    }

    /// What tells it from all others.
    #[must_use]
    pub fn key(&self) -> RowKey {
        match self {
            Self::Shop(_) => RowKey::Shop,
            Self::Sequence { space, .. } => RowKey::Sequence(space.number()),
            Self::Id { space, number, .. } => RowKey::Id(space.number(), *number),
            Self::Book { book, .. } => RowKey::Book(book.number),
            Self::DeletedBook { number, .. } => RowKey::DeletedBook(*number),
            Self::User(user) => RowKey::User(user.user),
            Self::MergedUser { number, .. } => RowKey::MergedUser(*number),
            Self::Event { event, .. } => RowKey::Event(event.user, event.event_id),
            Self::Impression { impression, .. } => {
                RowKey::Impression(impression.user, impression.event_id)
            }
            Self::Rule(rule) => RowKey::Rule(rule.id.clone()),
            Self::ApiKey(key) => RowKey::ApiKey(key.id.clone()),
        }
    }
}

impl RowKey {
    /// What the row is of.
    #[must_use]
    pub fn kind(&self) -> RowKind {
        match self {
            Self::Shop => RowKind::Shop,
            Self::Sequence(_) => RowKind::Sequence,
            Self::Id(..) => RowKind::Id,
            Self::Book(_) => RowKind::Book,
            Self::DeletedBook(_) => RowKind::DeletedBook,
            Self::User(_) => RowKind::User,
            Self::MergedUser(_) => RowKind::MergedUser,
            Self::Event(..) => RowKind::Event,
            Self::Impression(..) => RowKind::Impression,
            Self::Rule(_) => RowKind::Rule,
            Self::ApiKey(_) => RowKind::ApiKey,
        }
    }

    /// The number in it, after that of its space; zeros where there is none.
    pub(crate) fn number(&self) -> (u8, u32) {
        match self {
            Self::Sequence(space) => (*space, 0),
            Self::Id(space, number) => (*space, *number),
            Self::Book(item) | Self::DeletedBook(item) => (0, item.0),
            Self::User(user)
            | Self::MergedUser(user)
            | Self::Event(user, _)
            | Self::Impression(user, _) => (0, user.0),
            Self::Shop | Self::Rule(_) | Self::ApiKey(_) => (0, 0),
        }
    }
}

impl RowKind {
    /// The kind whose rows come next; `None` after the last.
    pub(crate) fn next(self) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind > self)
    }

    /// Every kind, in order.
    pub const ALL: [Self; 11] = [
        Self::Shop,
        Self::Sequence,
        Self::Id,
        Self::Book,
        Self::DeletedBook,
        Self::User,
        Self::MergedUser,
        Self::Event,
        Self::Impression,
        Self::Rule,
        Self::ApiKey,
    ];
}

impl fmt::Display for RowKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Shop => "shop",
            Self::Sequence => "sequence",
            Self::Id => "id",
            Self::Book => "book",
            Self::DeletedBook => "deleted_book",
            Self::User => "user",
            Self::MergedUser => "merged_user",
            Self::Event => "event",
            Self::Impression => "impression",
            Self::Rule => "rule",
            Self::ApiKey => "api_key",
        })
    }
}
