//! The service that gRPC's own interoperability clients call, served as Foreword is served.
//!
//! ```text
//! cargo run -p transport --example interop
//! cargo run -p transport --example interop -- --listen 127.0.0.1:50051 \
//!     --tls-cert server.pem --tls-key server.key [--client-ca ca.pem] \
//!     [--write-certificates .]
//! ```
//!
//! Beside `grpc.testing.TestService` there are health, reflection (v1 and v1alpha) and gRPC-Web.
//! Prints `listening on ADDRESS`, serves until SIGTERM or Ctrl-C, and then drains.
//!
//! Read on in `stack.rs`, which puts the layers together, and in `service.rs`, the handlers.

mod echo;
mod payload;
mod service;
mod stack;

use std::fmt;
use std::path::PathBuf;

use clap::Parser;
use tracing_subscriber::EnvFilter;

/// The protocol's messages and service, written by `cargo xtask codegen`.
mod proto {
    #![allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]

    include!("generated/grpc.testing.rs");

    /// All files of the protocol, as reflection serves them.
    pub(crate) const DESCRIPTORS: &[u8] = include_bytes!("generated/descriptor.bin");
}

/// Serves grpc.testing.TestService
#[derive(Debug, Parser)]
struct Arguments {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: String,
    /// The server's certificate chain, PEM; with it, only TLS is served
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The key of the server's certificate, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Whose certificates clients must show, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    client_ca: Option<PathBuf>,
    /// First writes a development authority, a server's and a client's pair into this folder
    #[arg(long, value_name = "FOLDER")]
    write_certificates: Option<PathBuf>,
    /// An origin whose pages may call through gRPC-Web; may be given several times
    #[arg(long = "allow-origin", value_name = "ORIGIN")]
    origins: Vec<String>,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    stack::serve(&Arguments::parse()).await
}

#[expect(clippy::print_stdout, reason = "whoever started this waits for these lines")]
fn say(line: fmt::Arguments<'_>) {
    println!("{line}");
}
