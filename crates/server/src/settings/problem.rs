//! What is wrong with settings: every key at fault, and where it was set.

use std::fmt::{self, Display, Formatter};

/// So many are listed; more are counted.
pub(super) const LISTED_MAX: usize = 20;

/// One thing that is wrong, on one line. Texts are already safe to print, and values are not secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// There is no such key.
    Unknown {
        /// The key.
        key: String,
        /// Where it was set.
        place: String,
        /// The known key that it looks like.
        nearest: Option<String>,
    },
    /// A value cannot be used.
    Value {
        /// The key.
        key: String,
        /// What was found.
        found: String,
        /// What is expected.
        expected: String,
        /// Where it was set; empty for the reference.
        place: String,
    },
    /// Something else: a file that cannot be read, a name that is none.
    Other(String),
}

/// Everything that is wrong with settings, one line each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    /// Each of them.
    #[must_use]
    pub fn list(&self) -> &[Problem] {
        &self.0
    }
}

impl Display for Problem {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { key, place, nearest } => {
                write!(formatter, "unknown key {key} in {place}")?;
                match nearest {
                    Some(nearest) => write!(formatter, " (did you mean {nearest}?)"),
                    None => formatter
                        .write_str("; `foreword serve --print-config` prints all that there are"),
                }
            }
            Self::Value { key, found, expected, place } => {
                write!(formatter, "{key} is {found}, expected {expected}")?;
                if place.is_empty() { Ok(()) } else { write!(formatter, " (in {place})") }
            }
            Self::Other(text) => formatter.write_str(text),
        }
    }
}

impl Display for Problems {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        if let [only] = self.list() {
            return write!(formatter, "{only}");
        }
        write!(formatter, "{} problems", self.0.len())?;
        for problem in self.0.iter().take(LISTED_MAX) {
            write!(formatter, "\n  {problem}")?;
        }
        match self.0.len().saturating_sub(LISTED_MAX) {
            0 => Ok(()),
            more => write!(formatter, "\n  and {more} more"),
        }
    }
}
