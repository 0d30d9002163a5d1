//! `serve`: loads what there is, listens, and answers until it is told to stop.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use storage::{ModelFolderError, StoreError};

use crate::data_folder::DataFolder;
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
    #[error("{address} can be reached from other machines and there is no authentication; add --insecure if that is meant, or listen on 127.0.0.1")]
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

/// What a started service says of itself.
#[derive(Debug)]
pub struct Serving {
    /// Where it answers.
    pub addresses: Vec<SocketAddr>,
    /// Its live generation.
    pub live: Arc<Live>,
    /// What answers its requests.
    pub recommender: Arc<Recommender>,
}

/// Serves the data of a folder until `stop` ends. `started` is called once requests are answered.
///
/// # Errors
///
/// [`ServeError`]; when it is told to stop it ends without one.
pub async fn serve<S>(
    data: &DataFolder,
    settings: &Settings,
    openness: Openness,
    started: impl FnOnce(Serving) -> S,
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError>
where
    S: Future<Output = ()>,
{
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
        tracing::warn!("another server of this data folder is running; `foreword recommend` asks that one");
    }
    let (stopping, stopped) = tokio::sync::watch::channel(false);
    let stopped = || {
        let mut stopped = stopped.clone();
        async move {
            // An error means that the sender is gone: stopped as well.
            let _ = stopped.wait_for(|stopped| *stopped).await;
        }
    };
    let current = live.model_version();
    tracing::info!(?addresses, model = current, books = live.current().book_count(), "serving");
    let serve = &settings.serve;
    let streams = serve.streams_per_connection_max.get();
    let serving = listeners.serve(routes, streams, serve.drain(), stopped());
    let told = async {
        started(Serving { addresses, live: Arc::clone(&live), recommender }).await;
        stop.await;
        tracing::info!("stopping; open calls may finish");
        let _ = stopping.send(true);
    };
    let (served, (), ()) =
        tokio::join!(serving, live.keep_current(serve.poll(), stopped()), told);
    if !served? {
        tracing::warn!(drain = ?serve.drain(), "calls were still open at the end of the drain");
    }
    drop(announcement);
    store.close().await;
    Ok(())
}
