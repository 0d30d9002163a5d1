//! What became of what a visitor did: the session keeps it, and the next page tells it.

use serde::{Deserialize, Serialize};

use crate::acts::Act;
use crate::language::{Words, counted, fill};
use crate::service::Failure;

/// Longer texts of the service would not fit into a cookie.
const PROBLEM_CHARACTERS_MAX: usize = 200;

/// What was done last.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub(crate) enum Done {
    /// An act, which can be taken back.
    Act {
        act: Act,
        book: String,
        title: String,
        event: String,
    },
    TakenBack {
        title: String,
    },
    SoldOut {
        title: String,
    },
    /// The service was away. To try again is the same act if it comes of the same page.
    Failed {
        page: Option<String>,
    },
    SignedIn,
    SignedOut,
    Forgotten {
        count: i64,
    },
    Saved,
    /// The bookseller's: what became of models and rules.
    ModelActive {
        version: String,
    },
    RulesSaved {
        count: usize,
    },
    Refused {
        problem: String,
    },
}

/// What became of it, as a page tells it.
pub(crate) struct Notice {
    pub(crate) text: String,
    /// It did not work.
    pub(crate) is_failed: bool,
    /// What takes it back: the button's value and the event.
    pub(crate) undo: Option<(String, String)>,
}

impl Done {
    /// Whether it did not work.
    fn is_failed(&self) -> bool {
        match self {
            Self::SoldOut { .. } | Self::Failed { .. } | Self::Refused { .. } => true,
            Self::Act { .. }
            | Self::TakenBack { .. }
            | Self::SignedIn
            | Self::SignedOut
            | Self::Forgotten { .. }
            | Self::Saved
            | Self::ModelActive { .. }
            | Self::RulesSaved { .. } => false,
        }
    }

    /// The service did not do it; why, if it says so to people.
    pub(crate) fn refused(failure: &Failure) -> Self {
        match failure {
            Failure::Refused(problem) | Failure::Invalid(problem) => {
                Self::Refused { problem: problem.chars().take(PROBLEM_CHARACTERS_MAX).collect() }
            }
            Failure::NotFound | Failure::Away(_) => Self::Failed { page: None },
        }
    }

    /// It in words; `reader` is who is signed in.
    pub(crate) fn notice(self, words: &Words, reader: Option<&str>) -> Notice {
        let texts = &words.done;
        let about = |text: &str, title: &str| {
            let title = if title.is_empty() { &texts.unknown_book } else { title };
            fill(text, &[("title", title)])
        };
        let is_failed = self.is_failed();
        let mut undo = None;
        let text = match self {
            Self::Act { act, book, title, event } => {
                undo = Some((format!("undo-{} {book}", act.name()), event));
                let text = match act {
                    Act::Want => &texts.want,
                    Act::Buy => &texts.buy,
                    Act::Finish => &texts.finish,
                    Act::Rate => &texts.rate,
                    Act::Dismiss => &texts.dismiss,
                };
                about(text, &title)
            }
            Self::TakenBack { title } => about(&texts.undone, &title),
            Self::SoldOut { title } => about(&texts.sold_out, &title),
            Self::Failed { .. } => texts.failed.clone(),
            Self::SignedIn => fill(&texts.signed_in, &[("reader", reader.unwrap_or_default())]),
            Self::SignedOut => texts.signed_out.clone(),
            Self::Forgotten { count } => {
                counted(count, &texts.forgotten_one, &texts.forgotten_many)
            }
            Self::Saved => texts.saved.clone(),
            Self::ModelActive { version } => {
                fill(&words.models.told_active, &[("version", &version)])
            }
            Self::RulesSaved { count } => {
                fill(&words.try_it.saved, &[("count", &count.to_string())])
            }
            Self::Refused { problem } => fill(&words.console.refused, &[("problem", &problem)]),
        };
        Notice { text, is_failed, undo }
    }
}
