//! News: what the shop has that no model was trained on.

use std::fmt;

use storage::Revisions;

use crate::train::TrainedOn;

/// A state of the shop, as far as a model depends on it: another one if anything changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    catalogue: i64,
    /// A merge changes this and nothing else.
    events: i64,
    event_changes: i64,
    removals: i64,
}

impl Mark {
    pub(super) fn of(revisions: &Revisions) -> Self {
        let Revisions { catalogue, events, event_changes, removals, .. } = *revisions;
        Self { catalogue, events, event_changes, removals }
    }
}

/// What there is to learn.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct News {
    /// The shop's state.
    pub(super) mark: Mark,
    /// Whether there are books and events at all.
    pub(super) has_shop: bool,
    /// What the latest model was trained on, and the removals that the active one knows; `None` if
    /// their files do not tell, as those of an older version do not.
    pub(super) trained_on: Option<TrainedOn>,
    /// Whether there is an active model.
    pub(super) has_model: bool,
    /// Whether somebody chose it over a later one. It then stays until many events are new to that, or
    /// for a user who was deleted since it was trained.
    pub(super) is_chosen: bool,
    /// Whether it is known what the latest one was trained on: its file may be elsewhere still.
    pub(super) knows_newest: bool,
    /// Books that the active model does not know.
    pub(super) new_books: usize,
    /// Whether books that it knows only from the catalogue have got events.
    pub(super) first_events: bool,
}

/// Why a model is trained, what matters most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// There is no model.
    NoModel,
    /// Users were deleted and are in the model still.
    Removed,
    /// There are books that it does not know.
    NewBooks,
    /// Books have got their first events.
    FirstEvents,
    /// There are many new events.
    ManyEvents,
    /// Something changed.
    Changed,
}

impl Reason {
    /// Whether it is a reason to train soon.
    pub(super) fn presses(self) -> bool {
        self != Self::Changed
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NoModel => "there was no model",
            Self::Removed => "users were removed",
            Self::NewBooks => "new books",
            Self::FirstEvents => "first events of books",
            Self::ManyEvents => "many new events",
            Self::Changed => "changes",
        })
    }
}

impl News {
    /// How many events were stored, retracted or deleted since the latest training.
    pub(super) fn events(&self) -> u64 {
        let before = self.trained_on.map_or(0, |trained_on| trained_on.event_changes);
        u64::try_from(self.mark.event_changes.saturating_sub(before)).unwrap_or_default()
    }

    /// Why to train; `None` if there is nothing to learn. `share`: how many new events are many, of
    /// those that the model was trained on.
    pub(super) fn reason(&self, share: f64) -> Option<Reason> {
        if !self.has_shop {
            return None;
        }
        if !self.has_model {
            return Some(Reason::NoModel);
        }
        let Some(trained_on) = self.trained_on else {
            return (!self.is_chosen).then_some(Reason::Changed);
        };
        let TrainedOn { catalogue, events, event_changes, removals } = trained_on;
        if self.mark == (Mark { catalogue, events, event_changes, removals }) {
            return None;
        }
        let is_many = self.events() > 0 && self.events() as f64 >= share * event_changes as f64;
        Some(if self.mark.removals != removals {
            Reason::Removed
        } else if self.is_chosen {
            return (is_many && self.knows_newest).then_some(Reason::ManyEvents);
        } else if self.new_books > 0 && self.mark.catalogue != catalogue {
            Reason::NewBooks
        } else if self.first_events {
            Reason::FirstEvents
        } else if is_many {
            Reason::ManyEvents
        } else {
            Reason::Changed
        })
    }
}
