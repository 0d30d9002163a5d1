//! `serve`: loads what there is, listens, and answers until it is told to stop.

mod announce;
mod openness;
mod reload;
mod renewal;
mod running;
mod ways_in;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use tokio::sync::mpsc;
use tonic::body::Body;
use tonic::service::Routes;
use tower::Layer;
use tower::layer::util::Identity;
use transport::health::Health;
use transport::json::ContractError;
use transport::tls::{Tls, TlsError};
use transport::web::OriginError;
use transport::{Address, ListenError, Listeners, Server};
use unstall::Executor;

use self::running::Running;
use crate::access::Access;
use crate::access::jwt::KeyFileError;
use crate::admin::{Admin, AdminError, Shown};
use crate::data_folder::DataFolder;
use crate::grpc;
use crate::ingest::Ingest;
use crate::rates::RateLimits;
use crate::recommend::{OpenError, Recommender};
use crate::retrain::{Trainer, TrainingProgram};
use crate::settings::{LiveSettings, Settings};
use crate::telemetry::ExecutorObserver;
use crate::telemetry::traces::{Traces, TracesError};

pub use self::openness::Openness;
pub(crate) use self::openness::check_open;
use self::openness::warn_of_plaintext;

/// An error of any kind.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why the service could not start or had to end.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// An address beyond this machine was asked for, without saying that it is meant.
    #[error(
        "{address} can be reached from other machines and there is no authentication; ask clients for certificates (tls.client_ca), API keys (access.api_keys) or tokens (access.jwt_keys), add --insecure if that is meant, or listen on 127.0.0.1"
    )]
    Open {
        /// The address.
        address: Address,
    },
    /// An address cannot be listened on.
    #[error("{0}; --listen chooses another address")]
    Listen(#[from] ListenError),
    /// Certificates cannot be used.
    #[error("{0}; tls.certificate, tls.key and tls.client_ca name the files")]
    Tls(#[from] TlsError),
    /// The keys for tokens cannot be used.
    #[error(transparent)]
    TokenKeys(#[from] KeyFileError),
    /// What is listed as the origin of a page is none.
    #[error("transport.web_origins: {0}")]
    Origins(#[from] OriginError),
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
    listeners: Listeners,
    routes: Routes,
    running: Running,
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
        let listen = &settings.serve.listen;
        check_open(listen, settings, openness)?;
        let tls = settings.tls.files().map(Tls::load).transpose()?;
        let access = Arc::new(Access::open(settings)?);
        let listeners = Listeners::bind(listen)?;
        let addresses = listeners.addresses()?;
        check_open(&addresses, settings, openness)?;
        warn_of_plaintext(&addresses, settings);
        let traces = Traces::start(&settings.traces)?;
        let settings = LiveSettings::new(settings.clone());
        let shown = Shown::new(settings.clone());
        let observer = ExecutorObserver::new(Arc::clone(&shown.metrics), Arc::clone(&shown.stalls));
        let current = settings.current();
        let executor = Executor::start(current.executor.settings(), observer)?;
        // Before the data is loaded, so that probes are answered meanwhile.
        let admin = Admin::bind(&current.admin)?;
        let admin = admin.map(|admin| admin.start(shown.clone(), &executor)).transpose()?;
        let recommender = Arc::new(Recommender::open(data, &current).await?);
        access.renew(recommender.store()).await.map_err(OpenError::from)?;
        let ingest = Arc::new(Ingest::new(&recommender, &current.events));
        let data = data.clone();
        let trainer = Arc::new(Trainer::new(data.clone(), Arc::clone(&shown.metrics)));
        let routes = grpc::routes(&recommender, &ingest, &settings, &shown, &trainer)?;
        let rates = RateLimits::new(current.limits.rate());
        let running = Running {
            settings,
            addresses,
            tls,
            access,
            rates,
            recommender,
            ingest,
            executor,
            data,
            trainer,
            traces,
            shown,
            admin,
            reloads: None,
        };
        Ok(Self { listeners, routes, running })
    }

    /// Where it listens.
    #[must_use]
    pub fn addresses(&self) -> &[Address] {
        &self.running.addresses
    }

    /// Where others on this machine can ask it in plaintext over TCP.
    #[must_use]
    pub fn plaintext_addresses(&self) -> Vec<SocketAddr> {
        self.running.plaintext_addresses()
    }

    /// Where operators can ask it.
    #[must_use]
    pub fn admin_addresses(&self) -> &[Address] {
        self.running.admin.as_ref().map_or(&[], Server::addresses)
    }

    /// What answers its requests.
    #[must_use]
    pub fn recommender(&self) -> &Arc<Recommender> {
        &self.running.recommender
    }

    /// What writes the events that it is told.
    #[must_use]
    pub fn ingest(&self) -> &Arc<Ingest> {
        &self.running.ingest
    }

    /// What operators are shown of it.
    #[must_use]
    pub fn shown(&self) -> &Shown {
        &self.running.shown
    }

    /// What trains for it.
    #[must_use]
    pub fn trainer(&self) -> &Arc<Trainer> {
        &self.running.trainer
    }

    /// What its handlers run on.
    #[must_use]
    pub fn executor(&self) -> &Executor {
        &self.running.executor
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> &LiveSettings {
        &self.running.settings
    }

    /// Has the settings read again for each message. Settings that cannot be used are logged,
    /// and those before stay.
    #[must_use]
    pub fn reload_on(mut self, reloads: mpsc::Receiver<()>) -> Self {
        self.running.reloads = Some(reloads);
        self
    }

    /// Has a process of its own train, whenever that is due or asked for. Otherwise trainings are within this
    /// process, which then grows by all that they learn from. It gets the settings that were read, from
    /// files, variables and flags; what was changed in a [`Settings`] since is not handed over.
    #[must_use]
    pub fn train_by(self, program: TrainingProgram) -> Self {
        self.running.trainer.train_by(program);
        self
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
        let Self { listeners, routes, running } = self;
        let health = Health::new(grpc::SERVICES);
        let service = running.ways_in(&health, layer.layer(routes))?;
        let transport = running.settings.current().transport.settings();
        let tls = running.tls.clone();
        let server = Server::start(transport, listeners, tls, &running.executor, service)?;
        running.run(server, &health, stop).await
    }
}
