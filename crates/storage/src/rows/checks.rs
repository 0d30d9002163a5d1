//! Whether rows, one after the other, could be those of a store.

use recommender::IdError;
use recommender::id::{FIRST_ASSIGNED, LAST_NUMBER, check_id, own_number};

use super::{Row, RowKey, RowKind};
use crate::book::BookError;
use crate::event::EventError;
use crate::history::UserRevision;
use crate::ids::IdSpace;
use crate::store::Revisions;

/// One more than the last number: what a sequence says when none is left.
const END_OF_NUMBERS: i64 = LAST_NUMBER as i64 + 1;

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
