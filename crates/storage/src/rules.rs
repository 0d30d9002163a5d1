//! The shop's rules: what it pins, boosts and buries, as it was told.
//!
//! A rule names books, authors, series and categories in the shop's own words, whether or not
//! there are such: it is joined to the catalogue by whoever serves it.

use crate::error::StoreError;
use crate::event::number;
use crate::store::Store;
use crate::writer::Writer;

/// The most rules of a shop: a server resolves them all whenever one of them, or a book, changes.
pub const RULES_MAX: u32 = 1_000;

/// The last place that a book can be pinned to.
pub const PLACE_MAX: u32 = 100;

/// The largest factor.
pub const FACTOR_MAX: f64 = 100.0;

/// The longest note, in bytes.
pub const NOTE_BYTES_MAX: usize = 500;

/// A rule as the store has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The shop's id for it.
    pub id: String,
    /// Which books it is about.
    pub target: RuleTarget,
    /// What becomes of them.
    pub effect: RuleEffect,
    /// The shelves that it is for; none stands for all.
    pub surfaces: Surfaces,
    /// From when on it holds, in milliseconds since 1970.
    pub starts_ms: Option<i64>,
    /// From when on it does not hold any more, in milliseconds since 1970; after the start.
    pub ends_ms: Option<i64>,
    /// A note for people, at most [`NOTE_BYTES_MAX`].
    pub note: Option<String>,
}

/// Which books a rule is about. The shop need not have them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleTarget {
    /// One book, by the shop's id.
    Book(String),
    /// The books by an author, by name.
    Author(String),
    /// The books of a series, by name.
    Series(String),
    /// The books of a category, by its slug.
    Category(String),
}

/// What becomes of the books that a rule is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RuleEffect {
    /// It stands at this place, from 1 to [`PLACE_MAX`]; for one book only.
    Pin(u32),
    /// Scores are multiplied by a number above 0 and at most [`FACTOR_MAX`].
    Boost(f64),
    /// They come after all others.
    Last,
    /// They do not come.
    Out,
}

/// A shelf that a rule can be for. The numbers are those of the table and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// Books recommended to somebody.
    Recommend = 1,
    /// Books that go with one.
    SimilarBooks = 2,
    /// Books that are read more lately than they used to be.
    Trending = 4,
}

/// Some shelves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Surfaces(u8);

/// What became of a rule that is to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeletedRule {
    /// It is deleted.
    Deleted,
    /// There is none with this id.
    Unknown,
}

impl Surface {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Recommend, Self::SimilarBooks, Self::Trending];
}

impl Surfaces {
    /// Their number in the table.
    pub(crate) fn bits(self) -> u8 {
        self.0
    }

    /// Those that are in it.
    pub fn iter(self) -> impl Iterator<Item = Surface> {
        Surface::ALL.into_iter().filter(move |surface| self.0 & *surface as u8 != 0)
    }

    /// Whether a rule for these is for that one: none stands for all.
    #[must_use]
    pub fn cover(self, surface: Surface) -> bool {
        self.0 == 0 || self.0 & surface as u8 != 0
    }
}

impl FromIterator<Surface> for Surfaces {
    fn from_iter<I: IntoIterator<Item = Surface>>(surfaces: I) -> Self {
        Self(surfaces.into_iter().fold(0, |bits, surface| bits | surface as u8))
    }
}

/// A row of the table, in the order of its columns.
pub(crate) type RuleRow = (
    String,
    i64,
    String,
    i64,
    Option<i64>,
    Option<f64>,
    i64,
    Option<i64>,
    Option<i64>,
    Option<String>,
);

impl RuleTarget {
    /// Its kind in the table, and what it names.
    pub(crate) fn columns(&self) -> (i64, &str) {
        match self {
            Self::Book(id) => (1, id),
            Self::Author(name) => (2, name),
            Self::Series(name) => (3, name),
            Self::Category(slug) => (4, slug),
        }
    }

    fn read(kind: i64, target: String) -> Result<Self, StoreError> {
        match kind {
            1 => Ok(Self::Book(target)),
            2 => Ok(Self::Author(target)),
            3 => Ok(Self::Series(target)),
            4 => Ok(Self::Category(target)),
            found => Err(StoreError::UnexpectedValue { column: "target_kind", found }),
        }
    }
}

impl RuleEffect {
    /// Its number in the table, its place and its factor.
    pub(crate) fn columns(self) -> (i64, Option<u32>, Option<f64>) {
        match self {
            Self::Pin(place) => (1, Some(place), None),
            Self::Boost(factor) => (2, None, Some(factor)),
            Self::Last => (3, None, None),
            Self::Out => (4, None, None),
        }
    }

    fn read(effect: i64, place: Option<i64>, factor: Option<f64>) -> Result<Self, StoreError> {
        match (effect, place, factor) {
            (1, Some(place), None) => Ok(Self::Pin(number("place", place)?)),
            (2, None, Some(factor)) => Ok(Self::Boost(factor)),
            (3, None, None) => Ok(Self::Last),
            (4, None, None) => Ok(Self::Out),
            (found, ..) => Err(StoreError::UnexpectedValue { column: "effect", found }),
        }
    }
}

impl Rule {
    pub(crate) fn read(row: RuleRow) -> Result<Self, StoreError> {
        let (id, target_kind, target, effect, place, factor, found, starts_ms, ends_ms, note) = row;
        let surfaces = u8::try_from(found)
            .map_err(|_| StoreError::UnexpectedValue { column: "surfaces", found })?;
        Ok(Self {
            id,
            target: RuleTarget::read(target_kind, target)?,
            effect: RuleEffect::read(effect, place, factor)?,
            surfaces: Surfaces(surfaces),
            starts_ms,
            ends_ms,
            note,
        })
    }
}

impl Store {
    /// The rules from the first after `after`, in the order of the bytes of their ids; at most
    /// `limit`.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts), and [`StoreError::UnexpectedValue`].
    pub async fn rules_after(
        &self,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Rule>, StoreError> {
        self.backend.rules_after(after, limit).await
    }

    /// The revision of the rules: higher after every commit that changed one. Reads one row.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn rules_revision(&self) -> Result<i64, StoreError> {
        Ok(self.revisions().await?.rules)
    }
}

impl Writer {
    /// Stores a rule, in place of the one with its id if there is one.
    ///
    /// # Errors
    ///
    /// [`StoreError::TooManyRules`] if there are [`RULES_MAX`] others: nothing changes then, and
    /// the writer goes on. [`StoreError::Unfinished`] or [`StoreError::Database`], also for a
    /// rule that is not within the bounds of its fields.
    pub async fn put_rule(&mut self, rule: &Rule) -> Result<(), StoreError> {
        if self.transaction.count_other_rules(&rule.id).await? >= u64::from(RULES_MAX) {
            return Err(StoreError::TooManyRules { max: RULES_MAX });
        }
        self.begin_change()?;
        self.transaction.put_rule(rule).await?;
        self.touch_rules();
        self.end_change();
        Ok(())
    }

    /// Deletes a rule.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unfinished`] or [`StoreError::Database`].
    pub async fn delete_rule(&mut self, id: &str) -> Result<DeletedRule, StoreError> {
        self.begin_change()?;
        let deleted = if self.transaction.delete_rule(id).await? {
            self.touch_rules();
            DeletedRule::Deleted
        } else {
            DeletedRule::Unknown
        };
        self.end_change();
        Ok(deleted)
    }
}
