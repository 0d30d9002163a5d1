//! A channel: the calling side of gRPC, for services that call others.
//!
//! A [`Channel`] is what tonic's generated clients are made with. It finds the addresses of a
//! target, keeps a connection of HTTP/2 to each, sends each call to the one with the fewest, and
//! sees to it that a peer that is slow, stuck or gone costs its callers no more than the time
//! they had given.
//!
//! Invariants:
//!
//! - A call ends at its deadline, here, whatever the peer does; its response stream too.
//! - A call never waits for a particular endpoint: it takes the first place that is free
//!   anywhere. A peer that does not answer holds up only the calls that it had already.
//! - A method is made again only if its owner says that it may be done twice, or if the peer
//!   has certainly not begun with it.
//! - Nothing here blocks, and no lock is held across an await. All tasks run on the runtime
//!   that the channel was made on, and end with its last clone.
//!
//! Failures are answers: each is a gRPC response with a status, as from a server.

mod backoff;
mod call;
mod common;
mod connect;
mod endpoint;
mod failure;
mod figures;
mod health;
mod io;
mod pick;
mod place;
mod pool;
mod request;
mod resolve;
mod response;
mod retry;
mod settings;
mod target;
mod template;
mod tend;
mod tokens;
mod upload;

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use rustls::pki_types::ServerName;
use tokio::runtime::Handle;
use tonic::body::Body;
use tower_service::Service;

use self::common::{Common, Task};
use self::pool::Pool;
use self::resolve::{Resolving, resolver};
use self::target::Location;
use crate::tls::ClientTls;

pub use self::figures::{EndpointFigures, EndpointState, Figures};
pub use self::response::ResponseBody;
pub use self::settings::{Ejection, Keepalive, Names, Retries, Settings};
pub use self::target::{Target, TargetError};

/// Carries calls to a service. A clone is the same channel, and costs one counter.
///
/// ```
/// use transport::client::{Channel, Settings};
/// # use transport::health::v1::{HealthCheckRequest, health_client::HealthClient};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut settings = Settings::for_a_nearby_service();
/// settings.retries.idempotent_methods.push("/grpc.health.v1.Health/Check".to_owned());
/// let target = "http://127.0.0.1:9".parse()?; // nobody listens there
/// let channel = Channel::new(target, settings, None)?;
///
/// let mut client = HealthClient::new(channel);
/// let status = client.check(HealthCheckRequest::default()).await.unwrap_err();
/// assert_eq!(status.code(), tonic::Code::Unavailable);
/// assert!(status.message().contains("127.0.0.1:9"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Channel {
    inner: Arc<Inner>,
}

struct Inner {
    pool: Arc<Pool>,
    _resolving: Option<Task>,
}

/// Why there is no channel.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// Its tasks need a tokio runtime, and it was not made on one.
    #[error("a channel must be made on a tokio runtime")]
    NoRuntime,
    /// The target is reached by TLS, and nobody says whom to trust.
    #[error("{0} begins with https://, and no authorities are given")]
    NoTls(Target),
    /// The name for certificates is no host name and no address.
    #[error("{found:?} is no server name: expected a host name or an address")]
    BadServerName {
        /// The name.
        found: String,
    },
    /// The system does not say how names are resolved.
    #[error("cannot resolve names: {0}")]
    Resolver(String),
}

impl Channel {
    /// A channel to a target. Nothing is connected before the first call.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]
    pub fn new(
        target: Target,
        settings: Settings,
        tls: Option<ClientTls>,
    ) -> Result<Self, ChannelError> {
        let runtime = Handle::try_current().map_err(|_| ChannelError::NoRuntime)?;
        if tls.is_none() && target.places().iter().any(target::Place::is_tls) {
            return Err(ChannelError::NoTls(target));
        }
        if let Some(name) = &settings.server_name
            && ServerName::try_from(name.as_str()).is_err()
        {
            return Err(ChannelError::BadServerName { found: name.clone() });
        }
        let has_names =
            target.places().iter().any(|place| matches!(place.location, Location::Name(..)));
        let resolver = has_names.then(|| resolver(&settings.names)).transpose();
        let resolver = resolver.map_err(|error| ChannelError::Resolver(error.to_string()))?;
        let common = Arc::new(Common::new(target, settings, tls, runtime.clone()));
        let pool = Arc::new(Pool::new(Arc::clone(&common)));
        let resolving = resolver.map(|resolver| {
            let resolving = Resolving::new(resolver, common, Arc::downgrade(&pool));
            Task::spawn(&runtime, resolving.run())
        });
        Ok(Self { inner: Arc::new(Inner { pool, _resolving: resolving }) })
    }

    /// What it is doing, for metrics.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.inner.pool.figures()
    }
}

impl Service<Request<Body>> for Channel {
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> ResponseFuture {
        let inner = Arc::clone(&self.inner);
        ResponseFuture(Box::pin(async move { call::call(Arc::clone(&inner.pool), request).await }))
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = self.inner.pool.common.target.to_string();
        f.debug_struct("Channel").field("target", &target).finish_non_exhaustive()
    }
}

/// A response on its way. Dropping it cancels the call.
pub struct ResponseFuture(Pin<Box<dyn Future<Output = Response<ResponseBody>> + Send>>);

impl Future for ResponseFuture {
    type Output = Result<Response<ResponseBody>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx).map(Ok)
    }
}

impl fmt::Debug for ResponseFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
