//! The load: connections that are kept full, on one thread.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use evaluation::load::Process;
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use crate::Failure;
use crate::certificates::SERVER_NAME;
use crate::child::Serving;
use crate::connection::Connection;
use crate::request::Requests;
use crate::shape::Shape;

/// What one read takes at most.
const READ_LEN: usize = 64 * 1024;

/// After the end of a run the calls in flight come to theirs within this.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long is measured, and how long before that the load runs already.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
}

/// What one run has shown.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Sample {
    pub(crate) requests_per_second: f64,
    /// CPU time of the server's process for each request.
    pub(crate) server_us_per_request: f64,
    /// Of one core.
    pub(crate) server_share: f64,
    /// Of one core: near 1 the client is the limit, and the figures are its own.
    pub(crate) client_share: f64,
}

/// What the connections of a run share.
#[derive(Debug, Default)]
struct Run {
    good: AtomicU64,
    stopping: AtomicBool,
}

/// Puts a server under load.
pub(crate) async fn run(
    serving: &Serving,
    shape: Shape,
    message_len: usize,
    times: Times,
) -> Result<Sample, Failure> {
    let run = Arc::new(Run::default());
    let mut connections = JoinSet::new();
    let requests = Requests::new(serving.tls.is_some(), message_len);
    for _ in 0..shape.connections {
        let stream = TcpStream::connect(serving.address).await?;
        stream.set_nodelay(true)?;
        let connection = Connection::new(requests.clone(), shape.streams);
        let run = Arc::clone(&run);
        match &serving.tls {
            None => connections.spawn(drive(stream, connection, run)),
            Some(tls) => {
                let name = SERVER_NAME.try_into()?;
                let stream = TlsConnector::from(Arc::clone(tls)).connect(name, stream).await?;
                connections.spawn(drive(stream, connection, run))
            }
        };
    }
    nothing_ends_within(times.warm_up, &mut connections).await?;
    let before = Reading::take(serving, &run)?;
    nothing_ends_within(times.measured, &mut connections).await?;
    let after = Reading::take(serving, &run)?;
    run.stopping.store(true, Ordering::Relaxed);
    tokio::time::timeout(PATIENCE, async {
        while let Some(ended) = connections.join_next().await {
            ended??;
        }
        Ok::<_, Failure>(())
    })
    .await??;
    before.until(&after)
}

/// Waits while all connections go on.
async fn nothing_ends_within(
    time: Duration,
    connections: &mut JoinSet<Result<(), Failure>>,
) -> Result<(), Failure> {
    match tokio::time::timeout(time, connections.join_next()).await {
        Err(_) => Ok(()),
        Ok(None) => Err("no connections".into()),
        Ok(Some(ended)) => Err(ended?.err().unwrap_or_else(|| "a connection ended".into())),
    }
}

/// What is counted, at one moment.
struct Reading {
    at: Instant,
    good: u64,
    server: Duration,
    client: Duration,
}

impl Reading {
    fn take(serving: &Serving, run: &Run) -> io::Result<Self> {
        Ok(Self {
            at: Instant::now(),
            good: run.good.load(Ordering::Relaxed),
            server: serving.process().usage()?.cpu,
            client: Process(std::process::id()).usage()?.cpu,
        })
    }

    fn until(&self, later: &Self) -> Result<Sample, Failure> {
        let seconds = (later.at - self.at).as_secs_f64();
        let good = (later.good - self.good) as f64;
        if good == 0.0 {
            return Err("no call ended".into());
        }
        let server = (later.server - self.server).as_secs_f64();
        let client = (later.client - self.client).as_secs_f64();
        Ok(Sample {
            requests_per_second: good / seconds,
            server_us_per_request: server * 1e6 / good,
            server_share: server / seconds,
            client_share: client / seconds,
        })
    }
}

/// Keeps one connection full until it is time to stop.
async fn drive<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    mut connection: Connection,
    run: Arc<Run>,
) -> Result<(), Failure> {
    let mut buffer = vec![0; READ_LEN];
    loop {
        send(&mut stream, &mut connection.out).await?;
        let mut room = ReadBuf::new(&mut buffer);
        poll_fn(|cx| Pin::new(&mut stream).poll_read(cx, &mut room)).await?;
        if room.filled().is_empty() {
            return Err("the server closed a connection".into());
        }
        let before = connection.good();
        connection.receive(room.filled())?;
        run.good.fetch_add(connection.good() - before, Ordering::Relaxed);
        if !run.stopping.load(Ordering::Relaxed) {
            connection.fill();
        } else if connection.is_idle() {
            return Ok(());
        }
    }
}

/// Sends all that there is.
async fn send<S: AsyncWrite + Unpin>(stream: &mut S, out: &mut Vec<u8>) -> io::Result<()> {
    let mut sent = 0;
    while sent < out.len() {
        sent += poll_fn(|cx| Pin::new(&mut *stream).poll_write(cx, &out[sent..])).await?;
    }
    out.clear();
    poll_fn(|cx| Pin::new(&mut *stream).poll_flush(cx)).await
}
