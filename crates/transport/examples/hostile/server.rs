//! The server under attack. Limits of bytes, frames and streams are those of production;
//! limits of time are short, so that a case lasts for seconds.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use tonic::transport::server::TcpIncoming;
use tonic::transport::{Identity, ServerTlsConfig};
use tower_layer::Layer;
use transport::tls::{Tls, TlsFiles};
use transport::{Address, Listeners, Server};
use unstall::{Executor, GrpcLayer};

use crate::Failure;
use crate::keys::{CERTIFICATE, KEY};
use crate::service::routes;

/// Limits of time of the server under attack.
const LIMIT: Duration = Duration::from_secs(2);

/// Limits of bytes, frames and streams as in production; limits of time that are short.
fn settings() -> transport::Settings {
    transport::Settings {
        handshake_timeout: LIMIT,
        preface_timeout: LIMIT,
        header_timeout: LIMIT,
        message_timeout: LIMIT,
        reader_timeout: LIMIT,
        keepalive_interval: LIMIT,
        keepalive_timeout: LIMIT,
        idle_timeout: 2 * LIMIT,
        ..transport::Settings::for_this_machine()
    }
}

/// This crate's server, until the process ends.
pub(crate) fn serve(keys: Option<&Path>, tell: impl FnOnce(SocketAddr)) -> Result<(), Failure> {
    let executor = executor()?;
    let files = |keys: &Path| TlsFiles {
        certificate: keys.join(CERTIFICATE),
        key: keys.join(KEY),
        client_ca: None,
    };
    let tls = keys.map(|keys| Tls::load(files(keys))).transpose()?;
    let listeners = Listeners::bind(&[Address::Tcp((Ipv4Addr::LOCALHOST, 0).into())])?;
    let service = GrpcLayer::new(executor.clone()).layer(routes());
    let server = Server::start(settings(), listeners, tls, &executor, service)?;
    let Some(Address::Tcp(address)) = server.addresses().first() else {
        return Err("the server has no address".into());
    };
    tell(*address);
    // The process ends by its input.
    loop {
        std::thread::park();
    }
}

fn executor() -> Result<Executor, Failure> {
    Ok(Executor::start(unstall::Settings::for_this_machine(), ())?)
}

/// tonic's own server, as safe as its settings make it: what we compare ourselves with.
pub(crate) fn serve_tonic(
    keys: Option<&Path>,
    tell: impl FnOnce(SocketAddr),
) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let executor = executor()?;
    runtime.block_on(async {
        let incoming = TcpIncoming::bind((Ipv4Addr::LOCALHOST, 0).into())?.with_nodelay(Some(true));
        tell(incoming.local_addr()?);
        let mut builder = tonic::transport::Server::builder()
            .max_concurrent_streams(100)
            .http2_max_local_error_reset_streams(Some(100))
            .http2_max_pending_accept_reset_streams(Some(20))
            .http2_max_header_list_size(16 << 10)
            .http2_keepalive_interval(Some(LIMIT))
            .http2_keepalive_timeout(Some(LIMIT))
            .timeout(2 * LIMIT);
        if let Some(keys) = keys {
            let identity = Identity::from_pem(
                std::fs::read(keys.join(CERTIFICATE))?,
                std::fs::read(keys.join(KEY))?,
            );
            builder = builder.tls_config(ServerTlsConfig::new().identity(identity))?;
        }
        let server = builder.layer(GrpcLayer::new(executor)).add_routes(routes());
        Ok(server.serve_with_incoming(incoming).await?)
    })
}
