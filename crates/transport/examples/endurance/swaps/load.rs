//! Clients under mutual TLS: some that keep their connections, and some that open new ones all
//! the time.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use tokio::sync::RwLock;
use tokio::task::JoinSet;

use crate::authority::{Pair, client_config};
use crate::calls::{in_words, recommend, stream};
use crate::dialer::{Dialer, Observer};
use crate::tally::Tally;
use crate::{Failure, calls};

/// Connections that are kept, and callers on each.
const LONG: usize = 4;
const CALLERS: usize = 2;

/// Clients that open one connection after the other.
const NEWCOMERS: usize = 3;

/// Between two calls of a client, so that neither side has a full core.
const PAUSE: Duration = Duration::from_millis(4);

/// What has been seen of handshakes.
#[derive(Debug, Default)]
struct Seen {
    certificates: Mutex<HashSet<Vec<u8>>>,
    handshakes: AtomicU64,
}

/// The clients.
pub(crate) struct Load {
    pub(crate) tally: Arc<Tally>,
    seen: Arc<Seen>,
    /// What new connections trust and show. Held for reading until their first answer: with
    /// TLS 1.3 a client learns only then whether its certificate was taken.
    config: Arc<RwLock<Arc<ClientConfig>>>,
    long: Vec<Dialer>,
    clients: Mutex<JoinSet<()>>,
}

impl Load {
    pub(crate) async fn start(
        address: SocketAddr,
        roots: &str,
        identity: &Pair,
    ) -> Result<Self, Failure> {
        let (tally, seen) = (Arc::new(Tally::default()), Arc::new(Seen::default()));
        let config = client_config(roots, Some(identity))?;
        let mut clients = JoinSet::new();
        let mut long = Vec::new();
        for _ in 0..LONG {
            let dialer = Dialer::tls(address, Arc::clone(&config), observer(&seen));
            let channel = dialer.connect().await?;
            for _ in 0..CALLERS {
                let (channel, tally) = (channel.clone(), Arc::clone(&tally));
                clients.spawn(async move {
                    while !tally.is_over() {
                        count(&tally, recommend(channel.clone()).await);
                        count(&tally, stream(channel.clone(), 3, PAUSE).await);
                    }
                });
            }
            long.push(dialer);
        }
        let config = Arc::new(RwLock::new(config));
        for _ in 0..NEWCOMERS {
            let (tally, seen) = (Arc::clone(&tally), Arc::clone(&seen));
            clients.spawn(come_and_go(address, Arc::clone(&config), tally, seen));
        }
        Ok(Self { tally, seen, config, long, clients: Mutex::new(clients) })
    }

    /// Lets new connections trust other authorities, and show another certificate, once those
    /// that are being opened are open.
    pub(crate) async fn trust(&self, roots: &str, identity: &Pair) -> Result<(), Failure> {
        let config = client_config(roots, Some(identity))?;
        *self.config.write().await = config;
        Ok(())
    }

    pub(crate) fn has_seen(&self, certificate: &CertificateDer<'_>) -> bool {
        let seen = self.seen.certificates.lock().unwrap_or_else(PoisonError::into_inner);
        seen.contains(certificate.as_ref())
    }

    pub(crate) fn handshakes(&self) -> u64 {
        self.seen.handshakes.load(Ordering::Relaxed)
    }

    /// How many of the connections that are kept had to be opened again.
    pub(crate) fn lost(&self) -> u64 {
        self.long.iter().map(|dialer| dialer.dialled() - 1).sum()
    }

    /// Lets all clients come to their end.
    pub(crate) async fn end(&self) {
        self.tally.end();
        let clients =
            std::mem::take(&mut *self.clients.lock().unwrap_or_else(PoisonError::into_inner));
        clients.join_all().await;
    }
}

fn observer(seen: &Arc<Seen>) -> Observer {
    let seen = Arc::clone(seen);
    Arc::new(move |certificate: &CertificateDer<'_>| {
        seen.handshakes.fetch_add(1, Ordering::Relaxed);
        let mut certificates = seen.certificates.lock().unwrap_or_else(PoisonError::into_inner);
        if !certificates.contains(certificate.as_ref()) {
            certificates.insert(certificate.to_vec());
        }
    })
}

async fn come_and_go(
    address: SocketAddr,
    config: Arc<RwLock<Arc<ClientConfig>>>,
    tally: Arc<Tally>,
    seen: Arc<Seen>,
) {
    while !tally.is_over() {
        let current = config.read().await;
        let dialer = Dialer::tls(address, Arc::clone(&current), observer(&seen));
        match dialer.connect().await {
            Ok(channel) => {
                count(&tally, recommend(channel.clone()).await);
                drop(current);
                count(&tally, calls::talk(channel).await);
            }
            Err(error) => {
                tally.count(Err(format!("no connection: {error}: {:?}", error.source())));
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn count(tally: &Tally, result: Result<(), tonic::Status>) {
    tally.count(result.map_err(|status| in_words(&status)));
}
