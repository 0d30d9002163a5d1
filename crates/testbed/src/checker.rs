//! Checks what concurrent clients saw against what a store may do, after Jepsen's manner.
//!
//! Clients note each operation in a [`Recorder`] when they ask and when they hear; afterwards
//! [`check`] is given the [`History`] and what is in the store. It knows three things for sure: an
//! operation that was acknowledged has happened, one that was refused never happens, and one whose
//! answer was lost may happen at any time after it was asked for, or never. One operation comes
//! before another only if its answer came before the other was asked for.
//!
//! What a store has to do: an event is there once, however often it was sent under its id; a
//! retraction holds for good, also when the event is sent again, if the event was known to be there
//! when it was asked for; a user's revision never falls, and a read shows all that was
//! acknowledged up to its revision.

mod events;
mod facts;
mod history;
mod report;
mod revisions;

pub use history::{History, Operation, OperationNumber, Outcome, Recorder, Request, SeenEvent};
pub use report::{Anomaly, Kind, Report};

/// A row of the store at the end. An event that is stored twice has two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Whose it is.
    pub user: String,
    /// The id that the client gave it.
    pub event: String,
    /// What it says, in the words of [`Request::Record`].
    pub contents: String,
    /// Whether it was retracted. A store that removes what is retracted need not list it.
    pub is_retracted: bool,
}

/// Looks for everything that no correct store could have brought about.
///
/// `stored` is read after the last operation was answered or given up. Costs
/// `O(events × reads)` for each user.
#[must_use]
pub fn check(history: &History, stored: &[StoredEvent]) -> Report {
    let mut report = Report::default();
    for (user, facts) in facts::by_user(history, stored) {
        let mut finder = report::Finder::new(&mut report, history, user);
        revisions::check(&facts, history, &mut finder);
        events::check(&facts, history, &mut finder);
    }
    report
}
