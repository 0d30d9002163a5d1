//! `serve`: loads what there is, listens, and answers until it is told to stop.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use storage::{ModelFolderError, Store, StoreError};
use tokio::sync::watch;
use tonic::service::Routes;

use crate::data_folder::{Announcement, DataFolder};
use crate::grpc;
use crate::listen::{ListenError, Listeners};
use crate::live::{Live, RenewError};
use crate::recommend::Recommender;
use crate::settings::Settings;

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
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder of models cannot be opened.
    #[error(transparent)]
    Models(#[from] ModelFolderError),
    /// There is nothing to serve from.
    #[error(transparent)]
    Load(#[from] RenewError),
    /// The contract's descriptor is broken: a defect of the build.
    #[error("cannot serve reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
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
    store: Store,
    live: Arc<Live>,
    routes: Routes,
    announcement: Option<Announcement>,
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
        let store = data.store(settings).await?;
        let live = Arc::new(Live::load(store.clone(), data.models()?).await?);
        let recommender = Arc::new(Recommender::new(
            Arc::clone(&live),
            store.clone(),
            settings.weights.engine(),
            settings.serve.history_events_max.get(),
        ));
        let routes = grpc::routes(&recommender, settings)?;
        let announcement = data.announce(&addresses)?;
        if announcement.is_none() {
            tracing::warn!(
                "another server of this data folder is running; `foreword recommend` asks that one"
            );
        }
        let settings = settings.clone();
        Ok(Self { settings, listeners, addresses, store, live, routes, announcement })
    }

    /// Where it listens.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What it serves.
    #[must_use]
    pub fn live(&self) -> &Arc<Live> {
        &self.live
    }

    /// Answers until `stop` ends, then lets open calls finish.
    ///
    /// # Errors
    ///
    /// If serving fails; being told to stop is no error.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
        let Self { settings, listeners, addresses, store, live, routes, announcement } = self;
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
        let serving = listeners.serve(routes, streams, limits.drain(), stopped());
        let renewing = live.keep_current(limits.poll(), stopped());
        let beside = async {
            tokio::join!(renewing, telling);
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
        drop(announcement);
        store.close().await;
        Ok(())
    }
}
