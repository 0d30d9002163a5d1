//! What was found: of each kind of anomaly the earliest evidence, and how many there are.

use std::collections::BTreeMap;
use std::fmt;

use super::history::{History, Operation};

/// What no correct store does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An acknowledged event is not in the store, or retracted though nobody asked for that.
    Lost,
    /// An event is there twice.
    Duplicated,
    /// An event is there that nobody had sent.
    Invented,
    /// An event is there that was refused each time it was sent.
    RefusedButStored,
    /// An event says what was never sent under its id.
    ContentsChanged,
    /// An event is there again that had been retracted.
    RetractionUndone,
    /// A read misses an event that was acknowledged before the read was asked for.
    StaleRead,
    /// A read has a lower revision than one that was acknowledged before it was asked for.
    StaleRevision,
    /// A read misses an event that was acknowledged with its revision or a lower one.
    TornRead,
    /// A revision is lower than one that somebody had heard before.
    RevisionWentBack,
    /// An event that one read showed is missing from a later one, or from the store.
    Vanished,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Lost,
        Self::Duplicated,
        Self::Invented,
        Self::RefusedButStored,
        Self::ContentsChanged,
        Self::RetractionUndone,
        Self::StaleRead,
        Self::StaleRevision,
        Self::TornRead,
        Self::RevisionWentBack,
        Self::Vanished,
    ];
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Lost => "an acknowledged event is lost",
            Self::Duplicated => "an event is there twice",
            Self::Invented => "an event is there that nobody had sent",
            Self::RefusedButStored => "a refused event is there",
            Self::ContentsChanged => "the contents of an event changed",
            Self::RetractionUndone => "a retraction was undone",
            Self::StaleRead => "a read misses an event acknowledged before it",
            Self::StaleRevision => "a read has a lower revision than one acknowledged before it",
            Self::TornRead => "a read misses an event of its revision",
            Self::RevisionWentBack => "a revision went back",
            Self::Vanished => "an event that was seen has vanished",
        })
    }
}

/// The earliest evidence of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anomaly {
    /// What it is.
    pub kind: Kind,
    /// Whose events.
    pub user: String,
    /// Which event, if it is about one.
    pub event: Option<String>,
    /// The operations that cannot all be as they are; without any, it is the store alone.
    pub operations: Vec<Operation>,
    /// Whether what the store holds at the end is part of the evidence.
    pub is_in_store: bool,
    /// How many there are of this kind, this one included.
    pub count: usize,
    moment: u64,
}

impl fmt::Display for Anomaly {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({} times); first, ", self.kind, self.count)?;
        if let Some(event) = &self.event {
            write!(formatter, "event {event} of ")?;
        }
        write!(formatter, "user {}:", self.user)?;
        for operation in &self.operations {
            write!(formatter, "\n  {operation}")?;
        }
        if self.is_in_store {
            write!(formatter, "\n  and what the store holds at the end")?;
        }
        Ok(())
    }
}

/// All that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    anomalies: BTreeMap<Kind, Anomaly>,
}

impl Report {
    /// Whether nothing was found.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.anomalies.is_empty()
    }

    /// The earliest evidence of this kind.
    #[must_use]
    pub fn of(&self, kind: Kind) -> Option<&Anomaly> {
        self.anomalies.get(&kind)
    }

    /// The earliest evidence of each kind that was found.
    pub fn anomalies(&self) -> impl Iterator<Item = &Anomaly> {
        self.anomalies.values()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_clean() {
            return formatter.write_str("no anomalies");
        }
        for (number, anomaly) in self.anomalies().enumerate() {
            let separator = if number == 0 { "" } else { "\n" };
            write!(formatter, "{separator}{anomaly}")?;
        }
        Ok(())
    }
}

/// Adds what is found about one user.
pub(super) struct Finder<'a> {
    report: &'a mut Report,
    history: &'a History,
    user: &'a str,
}

impl<'a> Finder<'a> {
    pub(super) fn new(report: &'a mut Report, history: &'a History, user: &'a str) -> Self {
        Self { report, history, user }
    }

    /// Something that the last of these operations showed.
    pub(super) fn in_history(&mut self, kind: Kind, event: Option<&str>, operations: &[usize]) {
        let last = operations.last().map(|number| self.history.operations()[*number].end());
        self.add(kind, event, operations, last.unwrap_or(u64::MAX), false);
    }

    /// Something that the store shows at the end.
    pub(super) fn in_store(&mut self, kind: Kind, event: &str, operations: &[usize]) {
        self.add(kind, Some(event), operations, u64::MAX, true);
    }

    fn add(
        &mut self,
        kind: Kind,
        event: Option<&str>,
        operations: &[usize],
        moment: u64,
        is_in_store: bool,
    ) {
        let known = self.report.anomalies.get(&kind);
        let count = known.map_or(1, |known| known.count + 1);
        if let Some(known) = self.report.anomalies.get_mut(&kind)
            && known.moment <= moment
        {
            known.count = count;
            return;
        }
        let copy = |number: &usize| self.history.operations()[*number].clone();
        let operations = operations.iter().map(copy).collect();
        let (user, event) = (self.user.to_owned(), event.map(str::to_owned));
        let anomaly = Anomaly { kind, user, event, operations, is_in_store, count, moment };
        self.report.anomalies.insert(kind, anomaly);
    }
}
