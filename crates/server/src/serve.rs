//! `serve`: loads what there is, listens, and answers until it is told to stop.

mod renewal;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{Request, Response};
use tokio::sync::watch;
use tonic::body::Body;
use tonic::service::Routes;
use tower::layer::util::Identity;
use tower::{Layer, ServiceBuilder};
use transport::health::Health;
use transport::json::{Contract, ContractError, Document, JsonEdgeLayer, JsonLayer};
use transport::tls::{Tls, TlsError, Watcher};
use transport::web::WebLayer;
use transport::{Address, Drained, ListenError, Listeners, Server, mirror_compression, supervisor};
use unstall::{Executor, GrpcLayer};

use crate::admin::{Admin, AdminError, Shown};
use crate::blocking::blocking;
use crate::data_folder::DataFolder;
use crate::grpc;
use crate::layers::Stack;
use crate::layers::log_context::LogContextLayer;
use crate::recommend::{OpenError, Recommender};
use crate::settings::{Settings, SettingsError};
use crate::telemetry::metrics::Sources;
use crate::telemetry::traces::{Traces, TracesError};
use crate::telemetry::{ExecutorObserver, Phase, Phases};

/// How often to try to become the server that others find.
const ANNOUNCE_AGAIN: Duration = Duration::from_millis(200);

/// After so many vain tries there is another server.
const RIVAL_AFTER: u32 = 5;

/// How long to wait at the end for handlers that hold a thread.
const STUCK_PATIENCE: Duration = Duration::from_millis(200);

/// What the supervisor allows for closing the store.
const CLOSING_PATIENCE: Duration = Duration::from_secs(5);

/// An error of any kind.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Whether addresses beyond this machine may be served without authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Openness {
    /// Loopback only.
    LoopbackOnly,
    /// Any address; whoever reaches it may ask.
    Insecure,
}

/// Why the service could not start or had to end.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// An address beyond this machine was asked for, without saying that it is meant.
    #[error(
        "{address} can be reached from other machines and there is no authentication; ask clients for certificates (tls.client_ca), add --insecure if that is meant, or listen on 127.0.0.1"
    )]
    Open {
        /// The address.
        address: Address,
    },
    /// An address cannot be listened on.
    #[error("{0}; --listen chooses another address")]
    Listen(#[from] ListenError),
    /// Certificates cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A setting cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// There is no thread to be had for connections.
    #[error(transparent)]
    Transport(#[from] transport::StartError),
    /// The port for operators cannot be had.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// Traces cannot be sent.
    #[error(transparent)]
    Traces(#[from] TracesError),
    /// There is nothing to serve from.
    #[error(transparent)]
    Data(#[from] OpenError),
    /// The contract's descriptor is broken: a defect of the build.
    #[error("cannot serve reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The contract's descriptor is broken: a defect of the build.
    #[error("cannot serve JSON: {0}")]
    Json(#[from] ContractError),
    /// There is no thread to be had for the handlers.
    #[error(transparent)]
    Executor(#[from] unstall::StartError),
    /// A thread of the transport has ended: a defect.
    #[error("a thread that serves connections has ended; start the service again")]
    Broken,
    /// Serving failed.
    #[error("serving failed: {0}")]
    Io(#[from] io::Error),
}

/// A service that listens, with everything loaded; [`Service::run`] lets it answer.
#[derive(Debug)]
pub struct Service {
    settings: Settings,
    listeners: Listeners,
    addresses: Vec<Address>,
    tls: Option<Tls>,
    recommender: Arc<Recommender>,
    routes: Routes,
    executor: Executor,
    data: DataFolder,
    traces: Traces,
    shown: Shown,
    admin: Option<Server>,
}

impl Service {
    /// Listens and loads the data of a folder. Connections wait until it runs.
    ///
    /// # Errors
    ///
    /// [`ServeError`] says what to do.
    pub async fn start(
        data: &DataFolder,
        settings: &Settings,
        openness: Openness,
    ) -> Result<Self, ServeError> {
        let files = settings.tls.files();
        let knows_clients = files.as_ref().is_some_and(|files| files.client_ca.is_some());
        let check = |addresses: &[Address]| {
            let beyond = addresses.iter().find(|address| !address.is_local());
            match (beyond, openness, knows_clients) {
                (Some(address), Openness::LoopbackOnly, false) => {
                    Err(ServeError::Open { address: address.clone() })
                }
                _ => Ok(()),
            }
        };
        let listen = &settings.serve.listen;
        // What systemd hands over shows where it is once it is taken.
        let asked: Vec<Address> =
            listen.iter().filter(|one| **one != Address::Systemd).cloned().collect();
        check(&asked)?;
        let tls = files.map(Tls::load).transpose()?;
        let listeners = Listeners::bind(listen)?;
        let addresses = listeners.addresses()?;
        check(&addresses)?;
        let traces = Traces::start(&settings.traces)?;
        let shown = shown(settings);
        let (metrics, stalls) = (Arc::clone(&shown.metrics), Arc::clone(&shown.stalls));
        let observer = ExecutorObserver::new(metrics, stalls);
        let executor = Executor::start(settings.executor.settings(), observer)?;
        // Before the data is loaded, so that probes are answered meanwhile.
        let admin = Admin::bind(&settings.admin)?;
        let admin = admin.map(|admin| admin.start(shown.clone(), &executor)).transpose()?;
        let recommender = Arc::new(Recommender::open(data, settings).await?);
        let routes = grpc::routes(&recommender, settings)?;
        Ok(Self {
            settings: settings.clone(),
            listeners,
            addresses,
            tls,
            recommender,
            routes,
            executor,
            data: data.clone(),
            traces,
            shown,
            admin,
        })
    }

    /// Where operators can ask it.
    #[must_use]
    pub fn admin_addresses(&self) -> &[Address] {
        self.admin.as_ref().map_or(&[], Server::addresses)
    }

    /// What happens in it, for whoever adds to it.
    #[must_use]
    pub fn executor(&self) -> &Executor {
        &self.executor
    }

    /// Where it listens.
    #[must_use]
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// Where others on this machine can ask it in plaintext over TCP.
    #[must_use]
    pub fn plaintext_addresses(&self) -> Vec<SocketAddr> {
        let tcp = self.addresses.iter().filter_map(|address| match address {
            Address::Tcp(address) => Some(*address),
            Address::Unix(_) | Address::Systemd => None,
        });
        if self.tls.is_none() { tcp.collect() } else { Vec::new() }
    }

    /// What answers its requests.
    #[must_use]
    pub fn recommender(&self) -> &Arc<Recommender> {
        &self.recommender
    }

    /// Answers until `stop` ends, then lets open calls finish.
    ///
    /// # Errors
    ///
    /// If serving fails; being told to stop is no error.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
        self.run_with(Identity::new(), stop).await
    }

    /// [`Service::run`] with a layer of one's own around the handlers. It runs on the executor,
    /// so it may wait and compute; it gets requests that were admitted, with their
    /// [`Call`](crate::layers::Call) in the extensions.
    ///
    /// # Errors
    ///
    /// As [`Service::run`].
    pub async fn run_with<L, B>(
        self,
        layer: L,
        stop: impl Future<Output = ()>,
    ) -> Result<(), ServeError>
    where
        L: Layer<Routes>,
        L::Service: tower::Service<
                Request<Body>,
                Response = Response<B>,
                Future: Send,
                Error: Into<BoxError> + Send,
            > + Clone
            + Send
            + 'static,
        B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let found_at = self.plaintext_addresses();
        let Self { settings, listeners, addresses, tls, recommender, routes, executor, .. } = self;
        let Self { data, traces, shown, admin, .. } = self;
        let watching = tls.clone().map(|tls| Watcher::start(tls, settings.tls.reload()));
        let _watching = watching.transpose()?;
        let health = Health::new(grpc::SERVICES);
        let contract = Contract::decode(api::FILE_DESCRIPTOR_SET)?;
        let openapi = Document::new("/openapi.json", "application/json", api::OPENAPI);
        let stack = Stack {
            limits: Arc::new(ArcSwap::from_pointee(settings.limits.clone())),
            traces: traces.clone(),
            metrics: Arc::clone(&shown.metrics),
        };
        // The order is told in `layers.rs`.
        let handlers = ServiceBuilder::new()
            .layer(GrpcLayer::new(executor.clone()))
            .layer(LogContextLayer)
            .layer(JsonLayer::new(contract.clone()))
            .map_request(mirror_compression)
            .map_request(|request: Request<_>| request.map(Body::new))
            .layer(layer)
            .service(routes);
        let service = ServiceBuilder::new()
            .layer(WebLayer::new(settings.transport.origins()?))
            .layer(JsonEdgeLayer::new(contract, [openapi]))
            .layer(health.layer())
            .service(stack.around(handlers));
        let transport = settings.transport.settings();
        let secured = tls.is_some();
        let server = Server::start(transport, listeners, tls.clone(), &executor, service)?;
        let monitor = server.monitor();
        let _ = shown.monitor.set(monitor.clone());
        let (recommender_shown, traces_shown) = (Arc::clone(&recommender), traces.clone());
        shown.metrics.read_from(Sources {
            monitor,
            recommender: recommender_shown,
            tls,
            traces: traces_shown,
        });
        let live = recommender.live();
        let books = live.current().book_count();
        let listening: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        tracing::info!(addresses = ?listening, tls = secured, model = live.model_version(), books, "serving");
        health.serving();
        shown.phases.enter(Phase::Serving);
        supervisor::ready();
        let (tell, told) = watch::channel(false);
        let stopped = || {
            let mut told = told.clone();
            async move {
                // An error means that the sender is gone: stopped as well.
                let _ = told.wait_for(|told| *told).await;
            }
        };
        let ending = async {
            tokio::select! {
                () = stop => {}
                () = server.failed() => return Err(ServeError::Broken),
            }
            tracing::info!("stopping; open calls may finish");
            health.shut_down();
            shown.phases.enter(Phase::Stopping);
            supervisor::stopping(server.drain_at_most() + STUCK_PATIENCE + CLOSING_PATIENCE);
            tell.send_replace(true);
            finish(server).await;
            Ok(())
        };
        let renewing = renewal::renew(&executor, &recommender, settings.serve.poll(), stopped);
        let announcing = announce(&data, &found_at, stopped());
        let beside = async {
            tokio::join!(renewing, announcing, supervisor::show_life());
        };
        tokio::select! {
            ended = ending => ended?,
            () = beside => unreachable!("it never ends"),
        }
        if let Some(admin) = admin {
            admin.drain().await;
        }
        traces.finish().await;
        recommender.close().await;
        let stopped = blocking(move || executor.stop(STUCK_PATIENCE)).await;
        if stopped.stuck > 0 {
            let unstall::Stopped { stuck, methods, .. } = stopped;
            tracing::warn!(stuck, ?methods, "threads were still stuck in handlers at the end");
        }
        Ok(())
    }
}

/// What operators are shown, of a service that has not begun.
fn shown(settings: &Settings) -> Shown {
    Shown {
        phases: Phases::default(),
        metrics: Arc::default(),
        stalls: Arc::default(),
        settings: settings.shown().into(),
        monitor: Arc::new(OnceLock::new()),
    }
}

/// Lets connections finish, and says what did not.
async fn finish(server: Server) {
    let Drained { ended, cut, .. } = server.drain().await;
    if ended > 0 {
        tracing::warn!(ended, "calls that did not finish were told that the server is stopping");
    }
    if cut > 0 {
        tracing::warn!(cut, "connections were closed although they had calls");
    }
}

/// Lets others find the server until `stopped` ends. Where another server of the folder can
/// be found already, this one takes over when that one ends.
async fn announce(data: &DataFolder, addresses: &[SocketAddr], stopped: impl Future<Output = ()>) {
    if addresses.is_empty() {
        return;
    }
    let announcing = async {
        let mut tries = 0_u32;
        loop {
            match data.announce(addresses) {
                Ok(Some(announcement)) => {
                    let _held = announcement;
                    std::future::pending::<()>().await;
                }
                // A passing `foreword recommend` may hold the lock for a moment.
                Ok(None) if tries == RIVAL_AFTER => tracing::warn!(
                    "another server of this data folder is running; `foreword recommend` asks that one"
                ),
                Ok(None) => {}
                Err(error) if tries == 0 => {
                    tracing::warn!(%error, "`foreword recommend` will not find this server");
                }
                Err(_) => {}
            }
            tries = tries.saturating_add(1);
            tokio::time::sleep(ANNOUNCE_AGAIN).await;
        }
    };
    tokio::select! {
        () = stopped => {}
        () = announcing => {}
    }
}
