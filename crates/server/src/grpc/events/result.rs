//! What is answered of each entry.

use api::v1::EventResult;
use api::v1::event_result::{Outcome, Violation};
use storage::Recorded;

use super::super::violations::Invalid;
use crate::ingest::{Written, WrittenEntry};

/// What is to be answered of the entries of one request, in their order.
#[derive(Debug, Default)]
pub(super) struct Answers(Vec<Answer>);

#[derive(Debug)]
enum Answer {
    /// It says what is wrong.
    Invalid(EventResult),
    /// It waits for what becomes of the entry.
    Valid { event_id: String, unknown_book: bool },
}

impl Answers {
    /// Adds an entry that is written.
    pub(super) fn valid(&mut self, event_id: String, unknown_book: bool) {
        self.0.push(Answer::Valid { event_id, unknown_book });
    }

    /// Adds an entry that is refused.
    pub(super) fn refuse(&mut self, event_id: String, invalid: Invalid) {
        let violations = invalid
            .fields
            .into_iter()
            .map(|field| Violation { field: field.field, description: field.description });
        self.0.push(Answer::Invalid(EventResult {
            event_id,
            outcome: Outcome::Invalid.into(),
            violations: violations.collect(),
            ..EventResult::default()
        }));
    }

    /// How many entries are refused.
    pub(super) fn invalid(&self) -> usize {
        self.0.iter().filter(|answer| matches!(answer, Answer::Invalid(_))).count()
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The results, with what became of the valid ones; `None` if there are none.
    pub(super) fn results(self, written: Option<Written>) -> Vec<EventResult> {
        let Written { revision, entries } =
            written.unwrap_or(Written { revision: 0, entries: Vec::new() });
        let mut entries = entries.into_iter();
        let answers = self.0.into_iter();
        let result = |answer| match answer {
            Answer::Invalid(result) => Some(result),
            Answer::Valid { event_id, unknown_book } => {
                let WrittenEntry { recorded, is_new_user } = entries.next()?;
                Some(EventResult {
                    event_id,
                    outcome: outcome(recorded).into(),
                    user_revision: revision,
                    unknown_book,
                    new_user: is_new_user,
                    violations: Vec::new(),
                })
            }
        };
        answers.filter_map(result).collect()
    }
}

fn outcome(recorded: Recorded) -> Outcome {
    match recorded {
        Recorded::Stored => Outcome::Stored,
        Recorded::Repeated => Outcome::Repeated,
        Recorded::Conflicting => Outcome::Conflicting,
        Recorded::Retracted => Outcome::Retracted,
        Recorded::RetractedBefore => Outcome::RetractedBefore,
        Recorded::Unknown => Outcome::NotFound,
    }
}
