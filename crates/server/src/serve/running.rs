//! A service from the first call to the last.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use transport::health::Health;
use transport::tls::{Tls, Watcher};
use transport::{Address, Drained, Server, supervisor};
use unstall::Executor;

use super::announce::announce;
use super::{ServeError, reload};
use crate::access::Access;
use crate::admin::Shown;
use crate::blocking::blocking;
use crate::data_folder::DataFolder;
use crate::ingest::Ingest;
use crate::rates::RateLimits;
use crate::recommend::Recommender;
use crate::retrain::{Retraining, Trainer};
use crate::settings::{LiveSettings, Reloaded, Settings};
use crate::telemetry::metrics::Sources;
use crate::telemetry::traces::Traces;
use crate::telemetry::{Phase, log};

/// How long to wait at the end for handlers that hold a thread.
const STUCK_PATIENCE: Duration = Duration::from_millis(200);

/// What the supervisor allows for the last spans, the port for operators, a training and the store.
const CLOSING_PATIENCE: Duration = Duration::from_secs(10);

/// How long to wait at the end for a training to notice that it is over.
const TRAINING_PATIENCE: Duration = Duration::from_secs(2);

/// Everything of a service but its listeners and routes.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) settings: LiveSettings,
    pub(super) addresses: Vec<Address>,
    pub(super) tls: Option<Tls>,
    pub(super) access: Arc<Access>,
    pub(super) rates: RateLimits,
    pub(super) recommender: Arc<Recommender>,
    pub(super) ingest: Arc<Ingest>,
    pub(super) executor: Executor,
    pub(super) data: DataFolder,
    pub(super) trainer: Arc<Trainer>,
    pub(super) traces: Traces,
    pub(super) shown: Shown,
    pub(super) admin: Option<Server>,
    pub(super) reloads: Option<mpsc::Receiver<()>>,
}

impl Running {
    pub(super) fn plaintext_addresses(&self) -> Vec<SocketAddr> {
        let tcp = self.addresses.iter().filter_map(|address| match address {
            Address::Tcp(address) => Some(*address),
            Address::Unix(_) | Address::Systemd => None,
        });
        if self.tls.is_none() { tcp.collect() } else { Vec::new() }
    }

    /// Answers until `stop` ends, then lets open calls finish.
    pub(super) async fn run(
        mut self,
        server: Server,
        health: &Health,
        stop: impl Future<Output = ()>,
    ) -> Result<(), ServeError> {
        let settings = self.settings.current();
        let watching = self.tls.clone().map(|tls| Watcher::start(tls, settings.tls.reload()));
        let _watching = watching.transpose()?;
        let _watching_keys = self.access.watch()?;
        self.show(&server);
        health.serving();
        self.shown.phases.enter(Phase::Serving);
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
            self.shown.phases.enter(Phase::Stopping);
            supervisor::stopping(server.drain_at_most() + STUCK_PATIENCE + CLOSING_PATIENCE);
            tell.send_replace(true);
            self.ingest.stop_streams();
            self.trainer.stop();
            finish(server).await;
            Ok(())
        };
        let reloads = self.reloads.take();
        let beside = self.keep_current(&settings, reloads, stopped);
        tokio::select! {
            ended = ending => ended?,
            () = beside => unreachable!("it never ends"),
        }
        self.close().await;
        Ok(())
    }

    /// Everything beside the calls, until `stopped` ends: what keeps what is served current, and what
    /// clears up. It never ends, since the process shows that it lives for as long as it does.
    async fn keep_current<S>(
        &self,
        settings: &Settings,
        reloads: Option<mpsc::Receiver<()>>,
        stopped: impl Fn() -> S + Copy,
    ) where
        S: Future<Output = ()> + Send + 'static,
    {
        let found_at = self.plaintext_addresses();
        let renewing = self.renew(settings, stopped);
        let announcing = announce(&self.data, &found_at, stopped());
        let reloading =
            reload::reload(&self.settings, reloads, |reloaded| self.follow(reloaded), stopped());
        let life = supervisor::show_life();
        let small = async { tokio::join!(self.rates.keep_small(), self.access.keep_small()) };
        tokio::join!(renewing, announcing, reloading, small, life);
    }

    /// Takes up what a reload changed, where nobody reads the settings for every call.
    fn follow(&self, reloaded: &Reloaded) {
        let settings = self.settings.current();
        if reloaded.touches("access") {
            self.access.follow(&settings.access);
        }
        if reloaded.touches("limits") {
            self.rates.set(settings.limits.rate());
        }
        if reloaded.touches("log.levels") {
            log::follow(&settings.log.levels());
        }
    }

    pub(super) fn retraining(&self) -> Arc<Retraining> {
        Arc::new(Retraining {
            trainer: Arc::clone(&self.trainer),
            recommender: Arc::clone(&self.recommender),
            settings: self.settings.clone(),
            metrics: Arc::clone(&self.shown.metrics),
        })
    }

    /// Lets operators see it, and the log.
    fn show(&self, server: &Server) {
        self.shown.read_from(Sources {
            monitor: server.monitor(),
            recommender: Arc::clone(&self.recommender),
            ingest: Arc::clone(&self.ingest),
            tls: self.tls.clone(),
            traces: self.traces.clone(),
        });
        let live = self.recommender.live();
        let books = live.generation().book_count();
        let addresses: Vec<String> = self.addresses.iter().map(ToString::to_string).collect();
        let (secured, model) = (self.tls.is_some(), live.model_version());
        tracing::info!(?addresses, tls = secured, model, books, "serving");
    }

    async fn close(self) {
        if let Some(admin) = self.admin {
            admin.drain().await;
        }
        self.traces.finish().await;
        if !self.trainer.finish(TRAINING_PATIENCE).await {
            tracing::info!("a training did not end in time and was cut off");
        }
        self.recommender.close().await;
        let executor = self.executor;
        let stopped = blocking(move || executor.stop(STUCK_PATIENCE)).await;
        if stopped.stuck > 0 {
            let unstall::Stopped { stuck, methods, .. } = stopped;
            tracing::warn!(stuck, ?methods, "threads were still stuck in handlers at the end");
        }
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
