//! What clients asked and heard, in the order in which they did.

use std::fmt;
use std::sync::{Mutex, PoisonError};

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// To keep an event. The same id may be sent again.
    Record {
        /// Whose it is.
        user: String,
        /// Its id, which the client made.
        event: String,
        /// Everything else about it.
        contents: String,
    },
    /// To undo an event.
    Retract {
        /// Whose it is.
        user: String,
        /// Its id.
        event: String,
    },
    /// To see all events of a user that are not retracted.
    Read {
        /// Which user.
        user: String,
    },
}

impl Request {
    /// The user that this is about.
    #[must_use]
    pub fn user(&self) -> &str {
        match self {
            Self::Record { user, .. } | Self::Retract { user, .. } | Self::Read { user } => user,
        }
    }
}

/// What a client hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An event or a retraction is durable.
    Acknowledged {
        /// The user's revision, in which it is.
        revision: u64,
    },
    /// Certainly not done, now or later.
    Refused,
    /// No answer, or one that does not say: done or not, now or later.
    Unknown,
    /// The answer to a read.
    Seen {
        /// The user's revision, of which this is all.
        revision: u64,
        /// The events.
        events: Vec<SeenEvent>,
    },
}

/// An event as a read shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenEvent {
    /// Its id.
    pub event: String,
    /// Everything else about it, in the words of [`Request::Record`].
    pub contents: String,
}

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Which client.
    pub client: u32,
    /// What it asked for.
    pub request: Request,
    /// When it asked, on the history's own clock, which ticks at each question and answer.
    pub invoked: u64,
    /// When it heard; `None` if it never did.
    pub responded: Option<u64>,
    /// What it heard; [`Outcome::Unknown`] until then.
    pub outcome: Outcome,
}

impl Operation {
    /// Whether this was over before that moment.
    pub(super) fn is_before(&self, moment: u64) -> bool {
        self.responded.is_some_and(|responded| responded < moment)
    }

    /// When it was over; the end of time if it never was.
    pub(super) fn end(&self) -> u64 {
        self.responded.unwrap_or(u64::MAX)
    }

    /// The revision that the answer names.
    pub(super) fn revision(&self) -> Option<u64> {
        match self.outcome {
            Outcome::Acknowledged { revision } | Outcome::Seen { revision, .. } => Some(revision),
            Outcome::Refused | Outcome::Unknown => None,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "client {} [{}", self.client, self.invoked)?;
        match self.responded {
            Some(responded) => write!(formatter, "–{responded}] ")?,
            None => write!(formatter, "–] ")?,
        }
        match &self.request {
            Request::Record { user, event, contents } => {
                write!(formatter, "record {event} of {user}: {contents:?}")?;
            }
            Request::Retract { user, event } => write!(formatter, "retract {event} of {user}")?,
            Request::Read { user } => write!(formatter, "read {user}")?,
        }
        match &self.outcome {
            Outcome::Acknowledged { revision } => write!(formatter, " → revision {revision}"),
            Outcome::Refused => write!(formatter, " → refused"),
            Outcome::Unknown => write!(formatter, " → unknown"),
            Outcome::Seen { revision, events } => {
                write!(formatter, " → {} events in revision {revision}", events.len())
            }
        }
    }
}

/// Names an operation of one history, so that its answer can be noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OperationNumber(pub(super) usize);

/// All operations, in the order in which they were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    operations: Vec<Operation>,
    clock: u64,
}

impl History {
    /// Notes that a client is about to ask.
    pub fn invoke(&mut self, client: u32, request: Request) -> OperationNumber {
        let invoked = self.tick();
        let outcome = Outcome::Unknown;
        self.operations.push(Operation { client, request, invoked, responded: None, outcome });
        OperationNumber(self.operations.len() - 1)
    }

    /// Notes what a client has heard.
    ///
    /// # Panics
    ///
    /// If the number is not one of this history.
    pub fn respond(&mut self, number: OperationNumber, outcome: Outcome) {
        let responded = self.tick();
        let operation = &mut self.operations[number.0];
        operation.responded = Some(responded);
        operation.outcome = outcome;
    }

    /// The operations.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The operations, to be changed: a checker is tested by what it must not accept.
    pub fn operations_mut(&mut self) -> &mut [Operation] {
        &mut self.operations
    }

    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }
}

/// A history that several clients write at once.
///
/// Its lock is what orders them, so a client notes its question before it asks, and its answer
/// after it has heard.
#[derive(Debug, Default)]
pub struct Recorder {
    history: Mutex<History>,
}

impl Recorder {
    /// [`History::invoke`].
    pub fn invoke(&self, client: u32, request: Request) -> OperationNumber {
        self.history.lock().unwrap_or_else(PoisonError::into_inner).invoke(client, request)
    }

    /// [`History::respond`].
    ///
    /// # Panics
    ///
    /// If the number is not one of this history.
    pub fn respond(&self, number: OperationNumber, outcome: Outcome) {
        self.history.lock().unwrap_or_else(PoisonError::into_inner).respond(number, outcome);
    }

    /// What has been noted so far.
    #[must_use]
    pub fn history(&self) -> History {
        self.history.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
