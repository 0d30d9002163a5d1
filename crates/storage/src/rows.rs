//! Every row of a store, one after the other: what a backup keeps and a restore brings back.
//!
//! Rows come in one order, whatever the database: by [`RowKind`], and within a kind by
//! [`RowKey`], each key once. What a row refers to comes before it: the shop's revisions before
//! whatever has one, sequences before the numbers that they gave.
//!
//! Words to find books by are no rows: they are made of the books. Nor are models.

use std::fmt;

use recommender::id::{FIRST_ASSIGNED, LAST_NUMBER, check_id, own_number};
use recommender::{IdError, ItemNumber, UserNumber};

use crate::api_keys::ApiKey;
use crate::book::{Book, BookError};
use crate::event::{EventError, EventId, NewEvent};
use crate::history::UserRevision;
use crate::ids::IdSpace;
use crate::impressions::NewImpression;
use crate::rules::Rule;
use crate::store::Revisions;

/// One more than the last number: what a sequence says when none is left.
const END_OF_NUMBERS: i64 = LAST_NUMBER as i64 + 1;

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

/// Why rows are not those of a store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RowError {
    /// A row comes too late, or twice.
    #[error("{found} comes after {before}, expected rows by kind and number or id, each once")]
    Order {
        /// The row.
        found: RowKind,
        /// The one before it.
        before: RowKind,
    },
    /// A row that every store has is not there.
    #[error("{missing} is missing, expected the shop and a sequence for each kind of id")]
    Missing {
        /// The first one that is missing.
        missing: RowKind,
    },
    /// A number is out of range.
    #[error("{field} is {found}, expected {least} to {most}")]
    Range {
        /// What it is of.
        field: &'static str,
        /// The number found.
        found: i64,
        /// The least it can be.
        least: i64,
        /// The most it can be.
        most: i64,
    },
    /// An id that is its own number has no row.
    #[error("id {found:?} has a number from {FIRST_ASSIGNED} up, expected to be its own")]
    OwnNumber {
        /// The id.
        found: String,
    },
    /// A string cannot be an id.
    #[error(transparent)]
    Id(#[from] IdError),
    /// A book is out of bounds.
    #[error(transparent)]
    Book(#[from] BookError),
    /// An event or impression cannot be.
    #[error(transparent)]
    Event(#[from] EventError),
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

/// Looks at rows as they come: whether they could be, one after the other, those of a store.
///
/// Knows the row before and the shop's own, not all: whether an id has two numbers, say, only a
/// database tells.
#[derive(Clone, Debug, Default)]
pub struct RowChecks {
    before: Option<RowKey>,
    revisions: Revisions,
    /// The next number of each space.
    next_numbers: Vec<i64>,
}

impl RowChecks {
    /// Checks the next row.
    ///
    /// # Errors
    ///
    /// [`RowError`] says what is wrong with it. No other row may follow then.
    pub fn check(&mut self, row: &Row) -> Result<(), RowError> {
        let found = row.key();
        if let Some(missing) = self.first_missing()
            && found > missing
        {
            return Err(RowError::Missing { missing: missing.kind() });
        }
        if let Some(before) = &self.before
            && *before >= found
        {
            return Err(RowError::Order { found: found.kind(), before: before.kind() });
        }
        self.check_values(row)?;
        self.before = Some(found);
        Ok(())
    }

    /// Checks that no row is missing that every store has.
    ///
    /// # Errors
    ///
    /// [`RowError::Missing`].
    pub fn finish(&self) -> Result<(), RowError> {
        match self.first_missing() {
            Some(missing) => Err(RowError::Missing { missing: missing.kind() }),
            None => Ok(()),
        }
    }

    /// The first row that every store has, and that has not come yet.
    fn first_missing(&self) -> Option<RowKey> {
        if self.before.is_none() {
            return Some(RowKey::Shop);
        }
        let space = IdSpace::ALL.get(self.next_numbers.len())?;
        Some(RowKey::Sequence(space.number()))
    }

    fn check_values(&mut self, row: &Row) -> Result<(), RowError> {
        let Revisions { catalogue, events, .. } = self.revisions;
        match row {
            Row::Shop(revisions) => {
                self.revisions = *revisions;
                check_revisions(revisions)
            }
            Row::Sequence { next_number, .. } => {
                in_range("next_number", *next_number, FIRST_ASSIGNED.into(), END_OF_NUMBERS)?;
                self.next_numbers.push(*next_number);
                Ok(())
            }
            Row::Id { space, number, id } => {
                let next = self.next_numbers.get(usize::from(space.number() - 1)).copied();
                let most = next.unwrap_or(END_OF_NUMBERS) - 1;
                in_range("number", (*number).into(), FIRST_ASSIGNED.into(), most)?;
                check_assigned(id)
            }
            Row::Book { book, revision } => {
                book.check()?;
                in_range("revision", *revision, 0, catalogue)
            }
            Row::DeletedBook { number, revision } => {
                numbered("number", number.0)?;
                in_range("revision", *revision, 0, catalogue)
            }
            Row::User(UserRevision { user, revision }) => {
                numbered("number", user.0)?;
                in_range("revision", *revision, 0, events)
            }
            Row::MergedUser { number, into } => {
                numbered("number", number.0)?;
                numbered("into", into.0)
            }
            Row::Event { event, .. } => Ok(event.check()?),
            Row::Impression { impression, .. } => Ok(impression.check()?),
            // Checked by the tables: a rule as a whole, a key not at all.
            Row::Rule(_) | Row::ApiKey(_) => Ok(()),
        }
    }
}

fn check_revisions(revisions: &Revisions) -> Result<(), RowError> {
    let Revisions { catalogue, events, rules, api_keys, removals, event_changes, simulated: _ } =
        *revisions;
    let counted = [
        ("catalogue_revision", catalogue),
        ("events_revision", events),
        ("rules_revision", rules),
        ("api_keys_revision", api_keys),
        ("removals_revision", removals),
        ("event_changes", event_changes),
    ];
    counted.into_iter().try_for_each(|(field, found)| in_range(field, found, 0, i64::MAX))
}

/// Checks an id that is not its own number.
fn check_assigned(id: &str) -> Result<(), RowError> {
    check_id(id)?;
    match own_number(id) {
        Some(_) => Err(RowError::OwnNumber { found: id.to_owned() }),
        None => Ok(()),
    }
}

/// Checks the number of a user or book.
fn numbered(field: &'static str, found: u32) -> Result<(), RowError> {
    in_range(field, found.into(), 1, LAST_NUMBER.into())
}

fn in_range(field: &'static str, found: i64, least: i64, most: i64) -> Result<(), RowError> {
    if (least..=most).contains(&found) {
        Ok(())
    } else {
        Err(RowError::Range { field, found, least, most })
    }
}
