//! The leave to call of somebody whose call lasts: looked at again until it ends.
//!
//! A key may be revoked, a token expire, and roles change while a stream is open. Whoever reads
//! from a stream waits for [`Permit::ended`] beside it, so that nothing is taken any more from the
//! moment on at which a new call would be refused; what was taken before is still answered.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use tonic::{Request, Status};
use transport::Peer;

use crate::access::{Access, Role};
use crate::clock::now_ms;
use crate::grpc::status;
use crate::telemetry::metrics::{self, Metrics};

/// The longest time between two looks: the clock may be set.
const LOOK_EVERY_AT_MOST: Duration = Duration::from_secs(10);

/// The leave of one call; in the extensions of a stream's request, where callers are asked who they
/// are. A clone is the same. `Debug` shows no credential.
#[derive(Clone)]
pub(crate) struct Permit(Option<Arc<Inner>>);

struct Inner {
    access: Arc<Access>,
    metrics: Arc<Metrics>,
    shown: HeaderMap,
    peer: Option<Peer>,
    role: Role,
}

impl Permit {
    pub(super) fn new(
        access: Arc<Access>,
        metrics: Arc<Metrics>,
        authorization: Option<HeaderValue>,
        peer: Option<Peer>,
        role: Role,
    ) -> Self {
        let shown = authorization.map(|value| (AUTHORIZATION, value)).into_iter().collect();
        Self(Some(Arc::new(Inner { access, metrics, shown, peer, role })))
    }

    /// That of a request; it never ends where nobody is asked.
    pub(crate) fn of<T>(request: &Request<T>) -> Self {
        request.extensions().get().cloned().unwrap_or(Self(None))
    }

    /// Looks whether the caller may still call.
    ///
    /// # Errors
    ///
    /// What the caller is to be told if not.
    pub(crate) fn check(&self) -> Result<(), Status> {
        self.0.as_ref().map_or(Ok(()), |inner| inner.check().map(drop))
    }

    /// Ends when the caller may not call any more, with what they are to be told.
    pub(crate) async fn ended(&self) -> Status {
        match &self.0 {
            None => std::future::pending().await,
            Some(inner) => inner.ended().await,
        }
    }
}

impl Inner {
    /// From when on what was shown is refused, if ever.
    fn check(&self) -> Result<Option<i64>, Status> {
        let standing = self.access.identify_again(&self.shown, self.peer.as_ref(), now_ms());
        let standing = standing.map_err(|refusal| {
            self.metrics.refusals.count(refusal.into());
            status::not_authenticated_any_more(refusal, self.access.expected())
        })?;
        if !standing.identity.roles.contains(self.role) {
            self.metrics.refusals.count(metrics::Refusal::WrongRole);
            return Err(status::role_missing(self.role));
        }
        Ok(standing.ends_ms)
    }

    async fn ended(&self) -> Status {
        // Before the look, so that a change after it is noticed.
        let mut changes = self.access.changes();
        loop {
            let ends_ms = match self.check() {
                Ok(ends_ms) => ends_ms,
                Err(status) => return status,
            };
            let left_ms = ends_ms.map_or(i64::MAX, |ends_ms| ends_ms.saturating_sub(now_ms()));
            let left = Duration::from_millis(u64::try_from(left_ms).unwrap_or_default());
            tokio::select! {
                // The sender is in `access`, so it is not gone.
                _ = changes.changed() => {}
                () = tokio::time::sleep(left.min(LOOK_EVERY_AT_MOST)) => {}
            }
        }
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let role = self.0.as_ref().map(|inner| inner.role);
        f.debug_struct("Permit").field("role", &role).finish_non_exhaustive()
    }
}
