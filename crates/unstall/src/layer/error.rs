//! Why a request, or the rest of a response, has no answer of its service.

use http::StatusCode;

use crate::job::{JobError, Shed};

/// An error of any kind.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a request has no answer, or a response body no end.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// Its time is up. The handler is cancelled, but its thread may still be stuck.
    #[error("the deadline has passed")]
    DeadlinePassed,
    /// It was refused so that others can be served; trying again later may succeed.
    #[error("shed: {0}")]
    Shed(Shed),
    /// The handler panicked. Not for the client's eyes.
    #[error("panicked: {message}")]
    Panicked {
        /// What the panic said.
        message: String,
    },
    /// The executor is stopping; try elsewhere.
    #[error("the executor is stopping")]
    Stopping,
    /// An error of the wrapped service or of its body.
    #[error(transparent)]
    Inner(BoxError),
}

impl LayerError {
    /// The status that tells an HTTP client: 504, 503 or 500.
    #[must_use]
    pub fn http_status(&self) -> StatusCode {
        match self {
            Self::DeadlinePassed => StatusCode::GATEWAY_TIMEOUT,
            Self::Shed(_) | Self::Stopping => StatusCode::SERVICE_UNAVAILABLE,
            Self::Panicked { .. } | Self::Inner(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<JobError> for LayerError {
    fn from(error: JobError) -> Self {
        match error {
            JobError::Shed(shed) => Self::Shed(shed),
            JobError::Panicked { message } => Self::Panicked { message },
            JobError::Stopping => Self::Stopping,
        }
    }
}
