//! A Watch stream: the status of one service now, and after each change.

use std::pin::Pin;

use futures_util::{Stream, stream};
use tokio::sync::watch;

use super::Statuses;
use super::v1::HealthCheckResponse;
use super::v1::health_check_response::ServingStatus;

/// What a Watch call is answered with.
pub(super) type Updates =
    Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, tonic::Status>> + Send>>;

/// The status of a service at once and after each change, until the server stops.
pub(super) fn updates(statuses: watch::Receiver<Statuses>, service: String) -> Updates {
    let watching = Watching { statuses, service, sent: None };
    Box::pin(stream::unfold(Some(watching), |watching| async {
        let mut watching = watching?;
        match watching.next().await {
            Some(status) => Some((Ok(status.into()), Some(watching))),
            None => Some((Err(tonic::Status::unavailable("the server is stopping")), None)),
        }
    }))
}

struct Watching {
    statuses: watch::Receiver<Statuses>,
    service: String,
    sent: Option<ServingStatus>,
}

impl Watching {
    /// Waits for a status other than the one sent last. None once the server stops.
    async fn next(&mut self) -> Option<ServingStatus> {
        loop {
            let (status, stopping) = self.look();
            if self.sent != Some(status) {
                self.sent = Some(status);
                return Some(status);
            }
            if stopping || self.statuses.changed().await.is_err() {
                return None;
            }
        }
    }

    /// How the service is, and whether the server is stopping.
    fn look(&mut self) -> (ServingStatus, bool) {
        let statuses = self.statuses.borrow_and_update();
        let status = statuses.of(&self.service);
        (status.map_or(ServingStatus::ServiceUnknown, Into::into), statuses.stopping)
    }
}
