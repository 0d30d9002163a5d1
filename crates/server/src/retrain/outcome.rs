//! What came of a training: an error here, and a line of JSON between processes.

use std::io;

use serde::{Deserialize, Serialize};
use storage::ModelFolderError;

use super::program::ProgramError;
use super::schedule::Ended;
use crate::train::{TrainError, Trained};

/// Why there is no new model.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RetrainError {
    /// The training says why.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// Another process trained, and says why.
    #[error("{why}")]
    Told {
        /// What it is to the schedule.
        how: Ended,
        /// The reason in words.
        why: String,
    },
    /// Another process was to train, and has no say.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// This is the process that trains, and somebody told it to stop.
    #[error(
        "the process that trains was told to stop by a signal: by whoever saves memory, as earlyoom does, or by hand"
    )]
    Stopped,
    /// There is no thread, or no runtime, to be had.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] io::Error),
    /// It panicked, and the log has the panic.
    #[error("the training panicked")]
    Panicked,
    /// One is under way here, and may be stopping.
    #[error("a training is under way already")]
    AtWork,
}

impl RetrainError {
    /// What it is to the schedule.
    pub(crate) fn ended(&self) -> Ended {
        match self {
            Self::Told { how, .. } => *how,
            Self::Train(TrainError::NoInteractions { .. }) => Ended::NothingToLearn,
            // One that was cancelled is of a service that stops.
            Self::Train(
                TrainError::Elsewhere
                | TrainError::AnotherActive
                | TrainError::Cancelled
                | TrainError::Models(ModelFolderError::Locked { .. }),
            )
            | Self::AtWork => Ended::Busy,
            Self::Train(_)
            | Self::Program(_)
            | Self::Stopped
            | Self::Thread(_)
            | Self::Panicked => Ended::Failed,
        }
    }
}

/// The same, as a process tells another of the same program.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    Trained(Trained),
    NotTrained { how: Ended, why: String },
}

impl Outcome {
    /// A training that could not begin.
    pub(super) fn failed(why: &impl ToString) -> Self {
        Self::NotTrained { how: Ended::Failed, why: why.to_string() }
    }
}

impl From<Result<Trained, RetrainError>> for Outcome {
    fn from(trained: Result<Trained, RetrainError>) -> Self {
        match trained {
            Ok(trained) => Self::Trained(trained),
            Err(error) => Self::NotTrained { how: error.ended(), why: error.to_string() },
        }
    }
}

impl From<Outcome> for Result<Trained, RetrainError> {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Trained(trained) => Ok(trained),
            Outcome::NotTrained { how, why } => Err(RetrainError::Told { how, why }),
        }
    }
}
