//! The servers that are built as this program is: `dist`, with mimalloc.

use clap::ValueEnum;
use serde::Serialize;
use tokio::runtime::Builder;
use tonic::transport::Server;
use unstall::{Executor, GrpcLayer, Settings};

use crate::Failure;
use crate::service::{SERVER_CORE, announce, incoming, pin, service};

/// A server that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// tonic as its first example has it, built with `--release`.
    TonicDefaults,
    /// tonic on a `current_thread` runtime, without layers.
    Tonic,
    /// The same with handlers on `unstall`.
    TonicUnstall,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::TonicDefaults => "tonic, defaults",
            Self::Tonic => "tonic, tuned",
            Self::TonicUnstall => "tonic, tuned, with unstall",
        }
    }
}

/// The child's part.
pub(crate) fn serve(kind: Kind) -> Result<(), Failure> {
    pin(SERVER_CORE)?;
    match kind {
        Kind::TonicDefaults => Err("that server is a program of its own".into()),
        Kind::Tonic => serve_by_tonic(None),
        Kind::TonicUnstall => {
            let executor = Executor::start(Settings::for_this_machine(), ())?;
            serve_by_tonic(Some(GrpcLayer::new(executor)))
        }
    }
}

fn serve_by_tonic(layer: Option<GrpcLayer>) -> Result<(), Failure> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (incoming, address) = incoming()?;
        announce(address)?;
        let mut server = Server::builder();
        match layer {
            None => server.add_service(service()).serve_with_incoming(incoming).await?,
            Some(layer) => {
                let mut server = server.layer(layer);
                server.add_service(service()).serve_with_incoming(incoming).await?;
            }
        }
        Ok(())
    })
}
