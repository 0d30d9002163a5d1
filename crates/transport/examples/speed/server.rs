//! The servers that are built as this program is: `dist`, with mimalloc.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;
use tokio::runtime::Builder;
use tonic::service::Routes;
use tower_layer::Layer as _;
use transport::{Address, Listeners};
use unstall::{Executor, GrpcLayer};

use crate::Failure;
use crate::certificates;
use crate::service::{SERVER_CORE, announce, incoming, pin, service};

/// A server that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// tonic as its first example has it, built with `--release`.
    TonicDefaults,
    /// tonic on a `current_thread` runtime, without layers.
    Tonic,
    /// This crate with one loop, and handlers on `unstall`.
    Transport,
    /// The same with mutual TLS.
    TransportMutualTls,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::TonicDefaults => "tonic, defaults",
            Self::Tonic => "tonic, tuned",
            Self::Transport => "transport + unstall",
            Self::TransportMutualTls => "transport + unstall, mTLS",
        }
    }

    pub(crate) fn speaks_tls(self) -> bool {
        self == Self::TransportMutualTls
    }
}

/// What the child is told.
#[derive(Debug, Args)]
pub(crate) struct Order {
    pub(crate) kind: Kind,
    /// Where the certificates are
    #[arg(long)]
    pub(crate) certificates: Option<PathBuf>,
}

/// The child's part.
pub(crate) fn serve(order: &Order) -> Result<(), Failure> {
    pin(SERVER_CORE)?;
    match order.kind {
        Kind::TonicDefaults => Err("that server is a program of its own".into()),
        Kind::Tonic => serve_by_tonic(),
        Kind::Transport | Kind::TransportMutualTls => serve_by_transport(order),
    }
}

fn serve_by_tonic() -> Result<(), Failure> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (incoming, address) = incoming()?;
        announce(address)?;
        let mut server = tonic::transport::Server::builder();
        server.add_service(service()).serve_with_incoming(incoming).await?;
        Ok(())
    })
}

fn serve_by_transport(order: &Order) -> Result<(), Failure> {
    let executor = Executor::start(unstall::Settings::for_this_machine(), ())?;
    let tls = match &order.certificates {
        Some(folder) if order.kind.speaks_tls() => Some(certificates::for_server(folder)?),
        _ => None,
    };
    let settings =
        transport::Settings { loops: NonZeroUsize::MIN, ..transport::Settings::for_this_machine() };
    let listeners = Listeners::bind(&["127.0.0.1:0".parse()?])?;
    let routes = GrpcLayer::new(executor.clone()).layer(Routes::new(service()));
    let server = transport::Server::start(settings, listeners, tls, &executor, routes)?;
    match server.addresses() {
        [Address::Tcp(address)] => announce(*address)?,
        other => return Err(format!("it listens on {other:?}").into()),
    }
    loop {
        // Until the parent goes.
        std::thread::park();
    }
}
