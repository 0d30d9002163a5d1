//! The server's process: what it serves, and what it says of itself.
//!
//! Everything it says is a line of JSON on its output: where it listens, then its figures for
//! each line of its input, and at the end how it drained. It drains at SIGTERM and ends with 0;
//! if its input ends, whoever started it is gone, and so is it.

use std::io::{BufRead as _, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clap::Args;
use serde::{Deserialize, Serialize};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tower_layer::Layer as _;
use tracing_subscriber::EnvFilter;
use transport::tls::{Tls, TlsFiles, Watcher};
use transport::{Address, Listeners, Server};
use unstall::{Executor, GrpcLayer};

use crate::Failure;
use crate::service::routes;

/// Names of files in the folder of certificates.
pub(crate) const CERTIFICATE: &str = "server.pem";
pub(crate) const KEY: &str = "server.key";
pub(crate) const AUTHORITIES: &str = "ca.pem";

/// How often certificates are looked at, so that a thousand swaps take no hour.
const RELOAD_EVERY: Duration = Duration::from_millis(20);

/// How long handlers may take to end once no connection is left.
const HANDLERS_GRACE: Duration = Duration::from_secs(1);

/// What the child is told.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Order {
    /// Serves plaintext at this address
    #[arg(long)]
    pub(crate) plaintext: Option<SocketAddr>,
    /// Serves TLS at this address
    #[arg(long, requires = "certificates")]
    pub(crate) tls: Option<SocketAddr>,
    /// Where certificate and key are; with `ca.pem` beside them it is mutual TLS
    #[arg(long)]
    pub(crate) certificates: Option<PathBuf>,
    /// How long streams may go on in a drain
    #[arg(long, value_name = "MILLISECONDS")]
    pub(crate) stream_grace: Option<u64>,
}

/// What a server says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Said {
    Listening { plaintext: Option<SocketAddr>, tls: Option<SocketAddr> },
    Figures { connections: usize, streams: usize, unfinished_bytes: usize, refused_pairs: u64 },
    Drained { cut: usize, ended: usize },
}

/// The child's part.
pub(crate) fn serve(order: &Order) -> Result<(), Failure> {
    let refused = Arc::new(AtomicU64::new(0));
    let counter = RefusalCounter(Arc::clone(&refused));
    // That the machine is busy is known.
    let filter = EnvFilter::new("warn,unstall::reporter=error");
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(move || counter.clone())
        .init();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve_until_told(order, &refused))
}

async fn serve_until_told(order: &Order, refused: &AtomicU64) -> Result<(), Failure> {
    let mut terminate = signal(SignalKind::terminate())?;
    let executor = Executor::start(unstall::Settings::for_this_machine(), ())?;
    let start = |address: Option<SocketAddr>, tls| -> Result<Option<Server>, Failure> {
        let Some(address) = address else { return Ok(None) };
        let mut settings = transport::Settings::for_this_machine();
        if let Some(grace) = order.stream_grace {
            settings.stream_grace = Duration::from_millis(grace);
        }
        let listeners = Listeners::bind(&[Address::Tcp(address)])?;
        let service = GrpcLayer::new(executor.clone()).layer(routes());
        Ok(Some(Server::start(settings, listeners, tls, &executor, service)?))
    };
    let tls = order.certificates.as_deref().map(load).transpose()?;
    let watcher = tls.clone().map(|tls| Watcher::start(tls, RELOAD_EVERY)).transpose()?;
    let plaintext = start(order.plaintext, None)?;
    let encrypted = start(order.tls, tls)?;
    let address = |server: &Option<Server>| match server.as_ref()?.addresses() {
        [Address::Tcp(address)] => Some(*address),
        _ => None,
    };
    say(&Said::Listening { plaintext: address(&plaintext), tls: address(&encrypted) })?;
    let servers: Vec<Server> = plaintext.into_iter().chain(encrypted).collect();
    let mut asked = questions()?;
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            question = asked.recv() => match question {
                Some(()) => say(&figures(&servers, refused))?,
                None => return Err("whoever started the server is gone".into()),
            },
        }
    }
    drop(watcher);
    let (mut cut, mut ended) = (0, 0);
    for server in servers {
        let drained = server.drain().await;
        cut += drained.cut;
        ended += drained.ended;
    }
    say(&Said::Drained { cut, ended })?;
    match executor.stop(HANDLERS_GRACE).stuck {
        0 => Ok(()),
        stuck => Err(format!("{stuck} threads are stuck").into()),
    }
}

fn load(folder: &Path) -> Result<Tls, Failure> {
    let authorities = folder.join(AUTHORITIES);
    Ok(Tls::load(TlsFiles {
        certificate: folder.join(CERTIFICATE),
        key: folder.join(KEY),
        client_ca: authorities.exists().then_some(authorities),
    })?)
}

fn figures(servers: &[Server], refused: &AtomicU64) -> Said {
    let all: Vec<_> = servers.iter().map(Server::figures).collect();
    Said::Figures {
        connections: all.iter().map(|figures| figures.connections).sum(),
        streams: all.iter().map(|figures| figures.streams).sum(),
        unfinished_bytes: all.iter().map(|figures| figures.unfinished_bytes).sum(),
        refused_pairs: refused.load(Ordering::Relaxed),
    }
}

fn say(said: &Said) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string(said)?)?;
    Ok(out.flush()?)
}

/// One for each line of the input, until it ends.
fn questions() -> Result<mpsc::Receiver<()>, Failure> {
    let (sender, receiver) = mpsc::channel(1);
    std::thread::Builder::new().name("input".to_owned()).spawn(move || {
        for _ in std::io::stdin().lock().lines() {
            if sender.blocking_send(()).is_err() {
                return;
            }
        }
    })?;
    Ok(receiver)
}

/// Counts the lines of the log that say that new certificates cannot be used, and shows others.
#[derive(Clone)]
struct RefusalCounter(Arc<AtomicU64>);

impl Write for RefusalCounter {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let refusal = b"new certificates cannot be used";
        if line.windows(refusal.len()).any(|part| part == refusal) {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(line.len())
        } else {
            std::io::stderr().write(line)
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
