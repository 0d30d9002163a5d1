//! A server: its acceptor, its loops, and its end.

mod acceptor;
mod event_loop;
mod monitor;

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, timeout, timeout_at};
use tower_service::Service;
use unstall::Executor;

use self::acceptor::Acceptor;
use self::event_loop::EventLoop;
pub use self::monitor::{ConnectionFigures, Figures, Monitor};
use crate::BoxError;
use crate::connection::{Common, Order, Rules};
use crate::connections::{Connections, LAST_WORDS, Which};
use crate::descriptors;
use crate::ending::Ending;
use crate::listen::{Address, Listeners};
use crate::message::{Budget, MessageLimits, RequestBody};
use crate::settings::Settings;
use crate::tls::Tls;

/// How long threads have to end once they are told to.
const JOIN_PATIENCE: Duration = Duration::from_secs(1);

/// A running server. Dropping it closes all connections at once; [`Server::drain`] lets them
/// finish.
#[derive(Debug)]
pub struct Server {
    addresses: Vec<Address>,
    settings: Settings,
    connections: Arc<Connections>,
    budget: Arc<Budget>,
    /// Dropping it, or sending, stops accepting.
    stop_accepting: Option<oneshot::Sender<()>>,
    acceptor: Option<JoinHandle<()>>,
    /// Told when the loops are to end.
    end: watch::Sender<bool>,
    loops: Vec<EventLoop>,
    /// Told by a thread that ends before its time.
    failed: watch::Sender<bool>,
}

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The system gives no thread, or no runtime on it.
    #[error("cannot start the thread {name}: {source}")]
    Thread {
        /// Its name.
        name: String,
        /// What the system says.
        source: io::Error,
    },
    /// A listener cannot be used.
    #[error("cannot use a listener: {0}")]
    Listener(io::Error),
}

/// How a drain ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were closed although they had open streams.
    pub cut: usize,
    /// Streams that were told that the server is stopping.
    pub ended: usize,
}

impl Server {
    /// Starts to answer on bound sockets.
    ///
    /// The service is cloned for each request, made ready, and called, on a thread that moves
    /// the bytes of many connections: wrap it in [`unstall::GrpcLayer`], so that handlers run
    /// elsewhere. The threads are watched by the executor. Raises the process's soft limit of file
    /// descriptors to its hard limit.
    ///
    /// # Errors
    ///
    /// [`StartError`] if there is no thread to be had.
    #[expect(clippy::needless_pass_by_value, reason = "callers have no use for it any more")]
    pub fn start<S, B>(
        settings: Settings,
        listeners: Listeners,
        tls: Option<Tls>,
        executor: &Executor,
        service: S,
    ) -> Result<Self, StartError>
    where
        S: Service<Request<RequestBody>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<BoxError>,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let addresses = listeners.addresses().map_err(StartError::Listener)?;
        let connections = Connections::new(&settings, connections_max(&settings));
        let budget = Budget::new(settings.unfinished_bytes_max.get());
        let messages = Arc::new(MessageLimits {
            bytes_max: settings.message_bytes_max.get(),
            timeout: settings.message_timeout,
            budget: Arc::clone(&budget),
        });
        let rules = Arc::new(Rules { others: settings.other_requests, messages });
        let common = Arc::new(Common { settings: settings.clone(), tls, rules });
        let (end, ended) = watch::channel(false);
        let failed = watch::Sender::new(false);
        let alarm = || Alarm { ended: ended.clone(), failed: failed.clone() };
        let loops = (0..settings.loops.get())
            .map(|number| {
                let (common, service) = (Arc::clone(&common), service.clone());
                EventLoop::start(number, executor, alarm(), common, service)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let (stop_accepting, stop) = oneshot::channel();
        let acceptor = Acceptor {
            listeners: listeners.into_sockets(),
            connections: Arc::clone(&connections),
            loops: loops.iter().map(EventLoop::handle).collect(),
            age_max: settings.age_max,
            sweep_every: settings.sweep_every(),
        };
        let acceptor = acceptor.start(executor, stop, alarm())?;
        Ok(Self {
            addresses,
            settings,
            connections,
            budget,
            stop_accepting: Some(stop_accepting),
            acceptor: Some(acceptor),
            end,
            loops,
            failed,
        })
    }

    /// Where it listens, with the ports that the system chose for port 0.
    #[must_use]
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// The longest that [`Server::drain`] takes.
    #[must_use]
    pub fn drain_at_most(&self) -> Duration {
        self.settings.drain_timeout.saturating_add(LAST_WORDS * 2 + JOIN_PATIENCE)
    }

    /// What it is doing. Costs a look at each connection.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.monitor().figures()
    }

    /// How many connections ended for a reason.
    #[must_use]
    pub fn ended(&self, reason: Ending) -> u64 {
        self.connections.endings().get(reason)
    }

    /// Watches it, also from other threads and when it has ended.
    #[must_use]
    pub fn monitor(&self) -> Monitor {
        let (connections, budget) = (Arc::clone(&self.connections), Arc::clone(&self.budget));
        Monitor { connections, budget, failed: self.failed.subscribe() }
    }

    /// Stops: takes no more connections, tells peers to open no more streams (`GOAWAY`), and
    /// waits.
    ///
    /// 1. For [`stream_grace`](Settings::stream_grace) all calls may finish.
    /// 2. Then responses that have begun end with `UNAVAILABLE`: streams that would go on.
    /// 3. At [`drain_timeout`](Settings::drain_timeout) the rest ends so, and what does not
    ///    even take that is closed.
    pub async fn drain(mut self) -> Drained {
        // Fails only if the acceptor has ended.
        let _ = self.stop_accepting.take().map(|stop| stop.send(()));
        let drained = self.settle().await;
        // Threads are joined off the caller's runtime, and one that is stuck is left behind.
        let ending = tokio::task::spawn_blocking(move || drop(self));
        if timeout(JOIN_PATIENCE, ending).await.is_err() {
            tracing::warn!("a thread of the transport is stuck and was left behind");
        }
        drained
    }

    /// Lets connections come to their ends, by and by.
    async fn settle(&self) -> Drained {
        let connections = &self.connections;
        connections.order(Order::Finish);
        let mut drained = Drained::default();
        let deadline = Instant::now() + self.settings.drain_timeout;
        let grace = self.settings.stream_grace.min(self.settings.drain_timeout);
        if timeout(grace, connections.emptied()).await.is_ok() {
            return drained;
        }
        while Instant::now() < deadline {
            drained.ended += connections.end_streams(Which::Answered);
            connections.close_idle();
            let step = deadline.min(Instant::now() + LAST_WORDS);
            if timeout_at(step, connections.emptied()).await.is_ok() {
                return drained;
            }
        }
        drained.ended += connections.end_streams(Which::All);
        let _ = timeout(LAST_WORDS, connections.emptied()).await;
        drained.cut = connections.busy();
        connections.order(Order::Close);
        let _ = timeout(LAST_WORDS, connections.emptied()).await;
        drained
    }

    /// Ends when a thread of the server has ended before its time, which only a defect can do:
    /// the process should be started anew.
    pub async fn failed(&self) {
        let mut failed = self.failed.subscribe();
        // The sender is this server's own.
        let _ = failed.wait_for(|failed| *failed).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop_accepting = None;
        // Fails only if all have ended.
        let _ = self.end.send(true);
        for event_loop in self.loops.drain(..) {
            event_loop.join();
        }
        if let Some(acceptor) = self.acceptor.take() {
            // A panic there was reported when it happened.
            let _ = acceptor.join();
        }
    }
}

/// Lives as long as a thread of the server, and tells if that was not long enough.
struct Alarm {
    ended: watch::Receiver<bool>,
    failed: watch::Sender<bool>,
}

impl Alarm {
    /// Waits until the thread may end.
    async fn end(&mut self) {
        // An error means that the server is gone, which is an end as well.
        let _ = self.ended.wait_for(|ended| *ended).await;
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        let is_time = *self.ended.borrow() || self.ended.has_changed().is_err();
        if !is_time {
            tracing::error!("a thread of the transport has ended before its time");
            self.failed.send_replace(true);
        }
    }
}

/// The limit on connections, and what the system allows of it: each needs a descriptor.
fn connections_max(settings: &Settings) -> usize {
    let wanted = settings.connections_max.get();
    let possible =
        descriptors::for_connections(settings.loops.get()).unwrap_or(NonZeroUsize::MAX).get();
    if possible < wanted {
        tracing::warn!(
            wanted,
            possible,
            "fewer connections than set; raise ulimit -n or LimitNOFILE="
        );
    }
    wanted.min(possible)
}
