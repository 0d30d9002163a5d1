//! tonic with its defaults, as its first example has it: what the example `speed` compares with.
//!
//! A program of its own, because it is built otherwise: `cargo build --release`, the system's
//! allocator, tokio's multi-thread runtime. It is started by `speed` and says its address.

#[path = "../speed/service.rs"]
mod service;

use tonic::transport::Server;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    service::pin(service::SERVER_CORE)?;
    serve()
}

#[tokio::main]
async fn serve() -> Result<(), Failure> {
    let (incoming, address) = service::incoming()?;
    service::announce(address)?;
    Server::builder().add_service(service::service()).serve_with_incoming(incoming).await?;
    Ok(())
}
