//! `serve`: loads what there is, listens, and answers until it is told to stop.

mod renewal;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tonic::service::Routes;
use unstall::Executor;

use crate::blocking::blocking;
use crate::data_folder::DataFolder;
use crate::grpc;
use crate::listen::{ListenError, Listeners};
use crate::recommend::{OpenError, Recommender};
use crate::settings::Settings;

/// How often to try to become the server that others find.
const ANNOUNCE_AGAIN: Duration = Duration::from_millis(200);

/// After so many vain tries there is another server.
const RIVAL_AFTER: u32 = 5;

/// How long to wait at the end for handlers that hold a thread.
const STUCK_PATIENCE: Duration = Duration::from_millis(200);

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
        "{address} can be reached from other machines and there is no authentication; add --insecure if that is meant, or listen on 127.0.0.1"
    )]
    Open {
        /// The address.
        address: SocketAddr,
    },
    /// An address cannot be listened on.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// There is nothing to serve from.
    #[error(transparent)]
    Data(#[from] OpenError),
    /// The contract's descriptor is broken: a defect of the build.
    #[error("cannot serve reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// There is no thread to be had for the handlers.
    #[error(transparent)]
    Executor(#[from] unstall::StartError),
    /// Serving failed.
    #[error("serving failed: {0}")]
    Io(#[from] io::Error),
}

/// A service that listens, with everything loaded; [`Service::run`] lets it answer.
#[derive(Debug)]
pub struct Service {
    settings: Settings,
    listeners: Listeners,
    addresses: Vec<SocketAddr>,
    recommender: Arc<Recommender>,
    routes: Routes,
    executor: Executor,
    data: DataFolder,
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
        let beyond = settings.serve.listen.iter().find(|address| !address.ip().is_loopback());
        if let (Some(&address), Openness::LoopbackOnly) = (beyond, openness) {
            return Err(ServeError::Open { address });
        }
        let listeners = Listeners::bind(&settings.serve.listen)?;
        let addresses = listeners.addresses()?;
        let recommender = Arc::new(Recommender::open(data, settings).await?);
        let routes = grpc::routes(&recommender, settings)?;
        let executor = Executor::start(settings.executor.settings(), ())?;
        let (settings, data) = (settings.clone(), data.clone());
        Ok(Self { settings, listeners, addresses, recommender, routes, executor, data })
    }

    /// Where it listens.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
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
        let Self { settings, listeners, addresses, recommender, routes, executor, data } = self;
        let live = recommender.live();
        let books = live.current().book_count();
        tracing::info!(?addresses, model = live.model_version(), books, "serving");
        let (tell, told) = watch::channel(false);
        let stopped = || {
            let mut told = told.clone();
            async move {
                // An error means that the sender is gone: stopped as well.
                let _ = told.wait_for(|told| *told).await;
            }
        };
        let telling = async {
            stop.await;
            tracing::info!("stopping; open calls may finish");
            tell.send_replace(true);
        };
        let limits = &settings.serve;
        let streams = limits.streams_per_connection_max.get();
        let serving = listeners.serve(routes, &executor, streams, limits.drain(), stopped());
        let renewing = renewal::renew(&executor, &recommender, limits.poll(), stopped);
        let announcing = announce(&data, &addresses, stopped());
        let beside = async {
            tokio::join!(renewing, announcing, telling);
            std::future::pending::<()>().await;
        };
        let all_finished = tokio::select! {
            all_finished = serving => all_finished?,
            () = beside => unreachable!("it never ends"),
        };
        if !all_finished {
            let drain = limits.drain();
            tracing::warn!(?drain, "calls were still open at the end of the drain");
        }
        recommender.close().await;
        let stopped = blocking(move || executor.stop(STUCK_PATIENCE)).await;
        if stopped.stuck > 0 {
            let unstall::Stopped { stuck, methods, .. } = stopped;
            tracing::warn!(stuck, ?methods, "threads were still stuck in handlers at the end");
        }
        Ok(())
    }
}

/// Lets others find the server until `stopped` ends. Where another server of the folder can
/// be found already, this one takes over when that one ends.
async fn announce(data: &DataFolder, addresses: &[SocketAddr], stopped: impl Future<Output = ()>) {
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
