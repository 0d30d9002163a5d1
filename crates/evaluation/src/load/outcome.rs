//! How a call ended, and what a run counts of it.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;
use std::io;
use std::time::Duration;

use api::code_name;
use tonic::{Code, Status, TimeoutExpired};

use crate::load::Latencies;
use crate::load::client::deepest;

/// Different examples that are kept of each way to go wrong.
pub const EXAMPLES_MAX: usize = 3;

/// An example is cut to so many bytes.
const EXAMPLE_BYTES_MAX: usize = 300;

/// How a call ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// An answer with the right content.
    Good,
    /// A gRPC status other than `OK`, with its message.
    Failed(Code, String),
    /// `OK`, but the content is not what it must be: how so.
    WrongContent(String),
    /// The connection could not be made, or broke: what the system says.
    NoConnection(String),
    /// It could not be sent before the end of the run, because no stream was free.
    Unsent,
}

impl Outcome {
    /// The outcome of a call that ended with this status; `OK` is good.
    #[must_use]
    pub fn of(status: &Status) -> Self {
        if status.code() == Code::Ok {
            return Self::Good;
        }
        let mut cause = status.source();
        let mut message = status.message().to_owned();
        while let Some(error) = cause {
            let text = error.to_string();
            if !message.contains(&text) {
                // Writing to a string cannot fail.
                let _ = write!(message, ": {text}");
            }
            // tonic's own client says CANCELLED when the time of a call is over.
            if error.is::<TimeoutExpired>() {
                return Self::Failed(Code::DeadlineExceeded, message);
            }
            if error.is::<io::Error>() || error.is::<tonic::ConnectError>() {
                return Self::NoConnection(deepest(error));
            }
            cause = error.source();
        }
        Self::Failed(status.code(), message)
    }

    /// Whether this is as it should be.
    #[must_use]
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Good)
    }

    /// Its name: that of the gRPC status, `wrong content`, `no connection` or `unsent`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Good => "OK",
            Self::Failed(code, _) => code_name(*code),
            Self::WrongContent(_) => "wrong content",
            Self::NoConnection(_) => "no connection",
            Self::Unsent => "unsent",
        }
    }

    /// What there is to tell beside the name.
    fn detail(&self) -> Option<&str> {
        match self {
            Self::Good | Self::Unsent => None,
            Self::Failed(_, text) | Self::WrongContent(text) | Self::NoConnection(text) => {
                Some(text)
            }
        }
    }
}

/// All calls that ended in one way.
#[derive(Clone, Debug, Default)]
pub struct OutcomeTally {
    /// Their latencies; of unsent ones, how long they had waited at the end of the run, which
    /// is the least that their latency would have been.
    pub latency: Latencies,
    /// The first few different messages; none of good answers.
    pub examples: Vec<String>,
}

/// Calls by the names of their outcomes.
#[derive(Clone, Debug, Default)]
pub struct Outcomes(pub BTreeMap<&'static str, OutcomeTally>);

impl Outcomes {
    /// Counts a call.
    pub fn record(&mut self, outcome: &Outcome, latency: Duration) {
        let tally = self.0.entry(outcome.name()).or_default();
        tally.latency.record(latency);
        if let Some(detail) = outcome.detail() {
            let cut = detail.floor_char_boundary(EXAMPLE_BYTES_MAX);
            tally.add_example(&detail[..cut]);
        }
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        for (&name, other) in &other.0 {
            let tally = self.0.entry(name).or_default();
            tally.latency.merge(&other.latency);
            other.examples.iter().for_each(|example| tally.add_example(example));
        }
    }

    /// How many calls there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.values().map(|tally| tally.latency.count()).sum()
    }

    /// How many calls ended with this name.
    #[must_use]
    pub fn count_of(&self, name: &str) -> u64 {
        self.0.get(name).map_or(0, |tally| tally.latency.count())
    }

    /// How many calls were sent and did not end well.
    #[must_use]
    pub fn wrong(&self) -> u64 {
        self.count() - self.good() - self.unsent()
    }

    /// How many calls had a good answer.
    #[must_use]
    pub fn good(&self) -> u64 {
        self.count_of(Outcome::Good.name())
    }

    /// How many calls were never sent.
    #[must_use]
    pub fn unsent(&self) -> u64 {
        self.count_of(Outcome::Unsent.name())
    }

    /// The latencies of all calls, however they ended.
    #[must_use]
    pub fn latency(&self) -> Latencies {
        let mut all = Latencies::new();
        self.0.values().for_each(|tally| all.merge(&tally.latency));
        all
    }
}

impl OutcomeTally {
    fn add_example(&mut self, example: &str) {
        if self.examples.len() < EXAMPLES_MAX && !self.examples.iter().any(|known| known == example)
        {
            self.examples.push(example.to_owned());
        }
    }
}
