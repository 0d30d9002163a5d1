//! Health by the book: `grpc.health.v1` with Check, List and Watch.
//!
//! What balancers and Kubernetes ask before they send a call. Every named service, and the
//! server as a whole under the empty name, is `NOT_SERVING` until [`Health::serving`] says
//! otherwise, so that nobody is sent here while the server is still starting.
//!
//! Invariants:
//! - Nothing here waits for a handler or for a reader: all statuses are in one map, looked at
//!   under a lock that is held for as long as one look takes.
//! - No queue: a Watch stream remembers what it sent last, and compares with what is true when
//!   its reader is ready. A slow reader misses changes in between, never the latest one.
//! - [`Health::shut_down`] is final.
//!
//! The number of open Watch streams has no bound of its own. A stream costs less than two
//! kilobytes, because longer names than [`REQUEST_BYTES_MAX`] are refused, and streams are
//! capped per connection and connections per server. A bound for all clients together would
//! let one of them take every place and leave the balancers without.
//!
//! [`Health::layer`] goes around `unstall::GrpcLayer`, so that an executor full of handlers
//! sheds no call that asks how the server is: balancers would take a busy server for a dead
//! one, and send its load to the next. [`Health::service`] is for routes that run without one.
//!
//! Specification: <https://github.com/grpc/grpc/blob/master/doc/health-checking.md>.

mod layer;
mod service;
mod watch;

/// Messages, client and server trait of `grpc.health.v1`.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
pub mod v1 {
    include!("generated/grpc.health.v1.rs");
}

use std::collections::BTreeMap;
use std::sync::Arc;

pub use self::layer::{HealthFuture, HealthLayer, HealthService};
use self::v1::health_check_response::ServingStatus;
use self::v1::health_server::HealthServer;

/// The contract of `grpc.health.v1` as an encoded `google.protobuf.FileDescriptorSet`: what
/// server reflection serves.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("generated/descriptor.bin");

/// Bytes of a request. It holds the name of one service, which is part of a path of HTTP/2.
pub const REQUEST_BYTES_MAX: usize = 1024;

/// Name of the server as a whole.
const SERVER: &str = "";

/// Whether a service may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Calls are answered.
    Serving,
    /// Calls should go elsewhere.
    NotServing,
}

impl From<Status> for ServingStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Serving => Self::Serving,
            Status::NotServing => Self::NotServing,
        }
    }
}

/// Says how each service of a server is, and changes it. Clones share the statuses.
///
/// # Examples
///
/// ```
/// # use tonic::service::Routes;
/// use tower_layer::Layer as _;
/// use transport::health::{Health, Status};
/// use unstall::{Executor, GrpcLayer, Settings};
///
/// # fn routes() -> Routes { Routes::default() }
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let executor = Executor::start(Settings::for_this_machine(), ())?;
/// let health = Health::new(["foreword.v1.RecommendationService"]);
/// let service = health.layer().layer(GrpcLayer::new(executor).layer(routes()));
/// // Models are loaded: calls may come.
/// health.serving();
/// // One of them is being replaced.
/// health.set("foreword.v1.RecommendationService", Status::NotServing);
/// // SIGTERM.
/// health.shut_down();
/// # let _ = service;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Health {
    statuses: Arc<tokio::sync::watch::Sender<Statuses>>,
}

/// How each service is.
#[derive(Debug)]
struct Statuses {
    by_service: BTreeMap<String, Status>,
    stopping: bool,
}

impl Health {
    /// All named services, and the server as a whole, as `NOT_SERVING`.
    ///
    /// Names are full names with package, as `tonic::server::NamedService::NAME` has them.
    #[must_use]
    pub fn new(services: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let names = services.into_iter().map(Into::into).chain([SERVER.to_owned()]);
        let by_service = names.map(|name| (name, Status::NotServing)).collect();
        let statuses = Statuses { by_service, stopping: false };
        Self { statuses: Arc::new(tokio::sync::watch::Sender::new(statuses)) }
    }

    /// The gRPC service, to be added to `tonic::service::Routes`.
    #[must_use]
    pub fn service(&self) -> HealthServer<Self> {
        HealthServer::new(self.clone()).max_decoding_message_size(REQUEST_BYTES_MAX)
    }

    /// A layer that answers health calls by itself and hands on all others.
    #[must_use]
    pub fn layer(&self) -> HealthLayer {
        HealthLayer::new(self)
    }

    /// Says that every service, and the server as a whole, may be called.
    pub fn serving(&self) {
        self.set_all(Status::Serving);
    }

    /// Says how one service is. A name that was not known until now is from now on; the empty
    /// name is the server as a whole. Ignored after [`shut_down`](Self::shut_down).
    pub fn set(&self, service: impl Into<String>, status: Status) {
        let service = service.into();
        self.change(|statuses| statuses.by_service.insert(service, status) != Some(status));
    }

    /// Says how every service, and the server as a whole, is. Ignored after
    /// [`shut_down`](Self::shut_down).
    pub fn set_all(&self, status: Status) {
        self.change(|statuses| statuses.set_all(status));
    }

    /// Says that the server is stopping: everything is `NOT_SERVING` from now on, whatever is
    /// set later, and Watch streams end with `UNAVAILABLE` once they have said so, in order not
    /// to hold up a drain.
    pub fn shut_down(&self) {
        self.change(|statuses| {
            statuses.set_all(Status::NotServing);
            statuses.stopping = true;
            true
        });
    }

    /// Changes the statuses, and wakes the Watch streams if the change says that there was one.
    fn change(&self, change: impl FnOnce(&mut Statuses) -> bool) {
        self.statuses.send_if_modified(|statuses| !statuses.stopping && change(statuses));
    }
}

impl Statuses {
    fn of(&self, service: &str) -> Option<Status> {
        self.by_service.get(service).copied()
    }

    /// Returns whether anything changed.
    fn set_all(&mut self, status: Status) -> bool {
        let mut changed = false;
        for known in self.by_service.values_mut() {
            changed |= *known != status;
            *known = status;
        }
        changed
    }
}
