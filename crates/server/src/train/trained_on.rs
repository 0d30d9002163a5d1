//! What a model was trained on: the shop's revisions, written into the model's file, so that whoever
//! opens it can tell what is news to it.

use storage::Revisions;
use toml::{Table, Value};

/// The shop's revisions from just before its books and events were read: what changed since may be
/// in the model or not, and counts as news.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrainedOn {
    /// The catalogue's revision.
    pub catalogue: i64,
    /// The revision of the events.
    pub events: i64,
    /// Events stored, retracted and deleted, ever.
    pub event_changes: i64,
    /// Commits that removed a user.
    pub removals: i64,
}

/// The name of its table.
const TABLE: &str = "trained_on";

impl TrainedOn {
    /// The shop as it is.
    #[must_use]
    pub fn of(revisions: &Revisions) -> Self {
        let Revisions { catalogue, events, event_changes, removals, .. } = *revisions;
        Self { catalogue, events, event_changes, removals }
    }

    /// As a section of TOML.
    pub(super) fn to_toml(self) -> String {
        let Self { catalogue, events, event_changes, removals } = self;
        let values = [
            ("catalogue", catalogue),
            ("events", events),
            ("event_changes", event_changes),
            ("removals", removals),
        ];
        let values = values.map(|(key, value)| (key.to_owned(), Value::Integer(value)));
        let table = Value::Table(Table::from_iter(values));
        Table::from_iter([(TABLE.to_owned(), table)]).to_string()
    }

    /// What a text with such a section says; `None` if it has none.
    pub(crate) fn from_toml(text: &str) -> Option<Self> {
        let table = text.parse::<Table>().ok()?;
        let table = table.get(TABLE)?;
        let value = |key: &str| table.get(key)?.as_integer();
        Some(Self {
            catalogue: value("catalogue")?,
            events: value("events")?,
            event_changes: value("event_changes")?,
            removals: value("removals")?,
        })
    }
}
