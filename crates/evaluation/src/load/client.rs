//! The client's side of the wire: where the server is, and the connections to it.

use std::error::Error;
use std::time::Duration;

use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use crate::load::{Plan, Process};

/// How long a connection may take to come about, with its TLS handshake.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// What tonic queues in front of a connection unless it is told otherwise.
const QUEUE: usize = 1024;

/// A server under load.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// `host:port`.
    pub address: String,
    /// How to speak TLS; `None` is plaintext.
    pub tls: Option<Tls>,
    /// The server's process, if it runs on this machine and is to be watched.
    pub process: Option<Process>,
}

/// How to speak TLS. Everything is PEM.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    /// Certificates of the authorities that are trusted, and no others.
    pub authorities: Vec<u8>,
    /// The client's certificate with its chain, and its key: mutual TLS.
    pub identity: Option<(Vec<u8>, Vec<u8>)>,
    /// The name that the server's certificate must have; `None` is the host of the address.
    pub name: Option<String>,
}

/// Why there are no connections.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address cannot be one.
    #[error("bad address {address:?}, expected HOST:PORT")]
    Address {
        /// The address.
        address: String,
    },
    /// A certificate or a key cannot be used.
    #[error("cannot use the certificates for {address}: {why}")]
    Certificates {
        /// The address.
        address: String,
        /// What is wrong with them.
        why: String,
    },
    /// Nobody is there, or the handshake failed.
    #[error("no connection to {address}: {why}")]
    Refused {
        /// The address.
        address: String,
        /// What the system says.
        why: String,
    },
}

impl Target {
    /// A server at `host:port`, in plaintext.
    #[must_use]
    pub fn plaintext(address: &str) -> Self {
        Self { address: address.to_owned(), ..Self::default() }
    }

    /// Opens all connections of a plan, one after the other: the server is not to be
    /// flooded before the run.
    pub(crate) async fn connect(&self, plan: &Plan) -> Result<Vec<Channel>, ConnectError> {
        let queue = plan.streams_per_connection.get().max(QUEUE);
        let endpoint = self.endpoint()?.connect_timeout(CONNECT_MAX).buffer_size(queue);
        let mut channels = Vec::with_capacity(plan.connections.get());
        for _ in 0..plan.connections.get() {
            let channel = endpoint.connect().await.map_err(|error| ConnectError::Refused {
                address: self.address.clone(),
                why: deepest(&error),
            })?;
            channels.push(channel);
        }
        Ok(channels)
    }

    fn endpoint(&self) -> Result<Endpoint, ConnectError> {
        let address = self.address.clone();
        let is_address = address.rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok()
        });
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        // An endpoint with `https` and no TLS would look for certificates by itself.
        let endpoint = Endpoint::from_shared(format!("{scheme}://{address}"));
        let (true, Ok(endpoint)) = (is_address, endpoint) else {
            return Err(ConnectError::Address { address });
        };
        let Some(tls) = &self.tls else { return Ok(endpoint) };
        let mut config =
            ClientTlsConfig::new().ca_certificate(Certificate::from_pem(&tls.authorities));
        if let Some((certificate, key)) = &tls.identity {
            config = config.identity(Identity::from_pem(certificate, key));
        }
        if let Some(name) = &tls.name {
            config = config.domain_name(name);
        }
        let why = |error| ConnectError::Certificates { address, why: deepest(&error) };
        endpoint.tls_config(config).map_err(why)
    }
}

/// What lies at the bottom of an error: tonic's own words say only "transport error".
pub(crate) fn deepest(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
