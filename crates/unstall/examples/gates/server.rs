//! Servers of three kinds, in this process.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;
use tonic::transport::server::TcpIncoming;
use unstall::{Executor, GrpcLayer, Observer, Settings};

use crate::Failure;
use crate::gate::Gate;
use crate::recorder::Recorder;
use crate::wire::Gates;

/// How handlers are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// On `unstall`; the transport has one thread.
    Unstall,
    /// Inline, as tonic does it, with as many tokio workers as there are cores.
    Tonic,
    /// The same with 64 workers.
    Tonic64,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Unstall => "unstall",
            Self::Tonic => "tonic",
            Self::Tonic64 => "tonic with 64 workers",
        }
    }
}

/// A server in this process. It ends when it is dropped; threads that are stuck are left.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) gate: Arc<Gate>,
    pub(crate) reports: Recorder,
    /// Of the kind [`Kind::Unstall`] only.
    pub(crate) executor: Option<Executor>,
    /// The transport's runtime.
    pub(crate) transport: Handle,
    stop: Option<oneshot::Sender<()>>,
}

impl Server {
    /// Starts a server on a free port.
    pub(crate) fn start(kind: Kind) -> Result<Self, Failure> {
        let reports = Recorder::default();
        let mut server = Self::start_observed(kind, reports.clone())?;
        server.reports = reports;
        Ok(server)
    }

    /// Starts a server whose reports go elsewhere.
    pub(crate) fn start_observed(kind: Kind, observer: impl Observer) -> Result<Self, Failure> {
        let runtime = runtime(kind)?;
        let executor = match kind {
            Kind::Unstall => Some(Executor::start(Settings::for_this_machine(), observer)?),
            Kind::Tonic | Kind::Tonic64 => None,
        };
        let incoming = {
            let _inside = runtime.enter();
            TcpIncoming::bind((Ipv4Addr::LOCALHOST, 0).into())?.with_nodelay(Some(true))
        };
        let address = incoming.local_addr()?;
        let gate = Arc::new(Gate::default());
        let service = Gates(Arc::clone(&gate));
        let (stop, stopped) = oneshot::channel();
        let transport = runtime.handle().clone();
        let layer = executor.clone().map(GrpcLayer::new);
        std::thread::Builder::new().name("transport".to_owned()).spawn(move || {
            let server = async {
                let mut builder = tonic::transport::Server::builder();
                match layer {
                    Some(layer) => {
                        builder
                            .layer(layer)
                            .add_service(service)
                            .serve_with_incoming(incoming)
                            .await
                    }
                    None => builder.add_service(service).serve_with_incoming(incoming).await,
                }
            };
            runtime.block_on(async {
                tokio::select! {
                    _ = server => {}
                    _ = stopped => {}
                }
            });
            runtime.shutdown_background();
        })?;
        let reports = Recorder::default();
        Ok(Self { address, gate, reports, executor, transport, stop: Some(stop) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.gate.open();
        // The server may have ended by itself.
        let _ = self.stop.take().map(|stop| stop.send(()));
        if let Some(executor) = &self.executor {
            let _ = executor.stop(Duration::ZERO);
        }
    }
}

fn runtime(kind: Kind) -> std::io::Result<Runtime> {
    match kind {
        Kind::Unstall => Builder::new_current_thread().enable_all().build(),
        Kind::Tonic => Builder::new_multi_thread().enable_all().build(),
        Kind::Tonic64 => Builder::new_multi_thread().worker_threads(64).enable_all().build(),
    }
}
