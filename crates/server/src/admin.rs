//! The port for operators: probes, metrics, and what to look at when something is wrong.
//!
//! Served by a transport of its own and not on the executor, so that it answers when every
//! worker is stuck. In plaintext; what begins with `/debug/` answers this machine only.

mod debug;
mod guard;
mod probes;

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use transport::{Address, ListenError, Listeners, Monitor, OtherRequests, Server};
use unstall::Executor;

use crate::settings::{AdminSection, LiveSettings};
use crate::telemetry::metrics::{Format, Metrics, Sources};
use crate::telemetry::{Phases, RecentStalls};

/// Connections of operators, and streams of each.
const CONNECTIONS_MAX: NonZeroUsize = NonZeroUsize::new(64).expect("it is not zero");
const STREAMS_MAX: NonZeroU32 = NonZeroU32::new(16).expect("it is not zero");

/// How long an operator's request may go on after the stop.
const DRAIN: Duration = Duration::from_millis(200);

/// What operators are shown.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Where the service is in its life.
    pub phases: Phases,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The last stalls.
    pub stalls: Arc<RecentStalls>,
    /// The settings in force.
    pub settings: LiveSettings,
    /// The connections of the service, once there are any.
    pub monitor: Arc<OnceLock<Monitor>>,
}

impl Shown {
    /// Of a service that has not begun.
    #[must_use]
    pub fn new(settings: LiveSettings) -> Self {
        let (metrics, stalls) = (Arc::default(), Arc::default());
        let monitor = Arc::new(OnceLock::new());
        Self { phases: Phases::default(), metrics, stalls, settings, monitor }
    }

    /// Says where the figures are that are read when somebody asks.
    pub fn read_from(&self, sources: Sources) {
        // It is said once.
        let _ = self.monitor.set(sources.monitor.clone());
        self.metrics.read_from(sources);
    }
}

/// A bound port for operators.
#[derive(Debug)]
pub struct Admin {
    listeners: Listeners,
    addresses: Vec<Address>,
}

/// Why the port for operators cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// Its address cannot be listened on.
    #[error("the port for operators: {0}; admin.listen chooses another address, or none with []")]
    Listen(#[from] ListenError),
    /// The system does not tell where it listens.
    #[error("the port for operators: {0}")]
    Io(#[from] std::io::Error),
}

impl Admin {
    /// Binds the addresses; none if there are to be none. If nobody has chosen the address and it
    /// is taken, as by another server on this machine, there is a warning and no such port.
    ///
    /// # Errors
    ///
    /// [`AdminError`] if a chosen address is taken or not there.
    pub fn bind(settings: &AdminSection) -> Result<Option<Self>, AdminError> {
        if settings.listen.is_empty() {
            return Ok(None);
        }
        let listeners = match Listeners::bind(&settings.listen) {
            Ok(listeners) => listeners,
            Err(error) if settings.is_default() => {
                tracing::warn!(
                    "no port for operators: {error}; another server may have it; admin.listen chooses another address"
                );
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let addresses = listeners.addresses()?;
        let shown: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        if addresses.iter().all(Address::is_local) {
            tracing::info!(addresses = ?shown, "port for operators");
        } else {
            tracing::info!(addresses = ?shown, "port for operators: other machines can read probes and metrics, in plaintext");
        }
        Ok(Some(Self { listeners, addresses }))
    }

    /// Where it listens.
    #[must_use]
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// Answers until the server is dropped or drained. The executor only watches its thread.
    ///
    /// # Errors
    ///
    /// If there is no thread to be had.
    pub fn start(self, shown: Shown, executor: &Executor) -> Result<Server, transport::StartError> {
        Server::start(limits(), self.listeners, None, executor, router(shown))
    }
}

/// One loop and few connections: whoever looks at a service needs no more.
fn limits() -> transport::Settings {
    transport::Settings {
        loops: NonZeroUsize::MIN,
        connections_max: CONNECTIONS_MAX,
        streams_per_connection_max: STREAMS_MAX,
        other_requests: OtherRequests::PassOn,
        stream_grace: DRAIN,
        drain_timeout: DRAIN,
        ..transport::Settings::for_this_machine()
    }
}

fn router(shown: Shown) -> Router {
    let debug = Router::new()
        .route("/debug/stalls", get(debug::stalls))
        .route("/debug/connections", get(debug::connections))
        .route("/debug/settings", get(debug::settings))
        .route("/debug/log", get(debug::levels).put(debug::set_levels))
        .route_layer(axum::middleware::from_fn(guard::this_machine_only));
    Router::new()
        .route("/livez", get(probes::live))
        .route("/readyz", get(probes::ready))
        .route("/startupz", get(probes::started))
        .route("/metrics", get(metrics))
        .merge(debug)
        .fallback(not_found)
        .with_state(shown)
}

async fn metrics(State(shown): State<Shown>, headers: HeaderMap) -> impl IntoResponse {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    let format = Format::accepted(accept.unwrap_or_default());
    ([(CONTENT_TYPE, format.content_type())], shown.metrics.render(format))
}

async fn not_found() -> impl IntoResponse {
    const THERE_IS: &str = "there is nothing here; there are /livez /readyz /startupz /metrics \
        /debug/stalls /debug/connections /debug/settings /debug/log\n";
    (StatusCode::NOT_FOUND, THERE_IS)
}
