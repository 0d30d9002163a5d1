//! What a server is doing, for whoever watches it from outside.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::connections::Connections;
use crate::ending::Ending;
use crate::message::Budget;

/// What a server is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Open connections.
    pub connections: usize,
    /// Their open streams.
    pub streams: usize,
    /// Connections that were accepted since the start.
    pub accepted: u64,
    /// Bytes of messages that have begun and not ended.
    pub unfinished_bytes: usize,
}

/// What one connection is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionFigures {
    /// The peer's address; none over a Unix socket.
    pub address: Option<SocketAddr>,
    /// How long it has been open.
    pub age: Duration,
    /// Its open streams.
    pub streams: usize,
    /// How long it has been without a stream; none if it has one.
    pub idle: Option<Duration>,
    /// Bytes of its messages that have begun and not ended.
    pub unfinished_bytes: usize,
}

/// Watches a server; a clone watches the same one. It may outlive it.
#[derive(Clone, Debug)]
pub struct Monitor {
    pub(super) connections: Arc<Connections>,
    pub(super) budget: Arc<Budget>,
    pub(super) failed: watch::Receiver<bool>,
}

impl Monitor {
    /// What the server is doing. Costs a look at each connection.
    #[must_use]
    pub fn figures(&self) -> Figures {
        Figures {
            connections: self.connections.len(),
            streams: self.connections.streams(),
            accepted: self.connections.accepted(),
            unfinished_bytes: self.budget.bytes(),
        }
    }

    /// How many connections ended for a reason.
    #[must_use]
    pub fn ended(&self, reason: Ending) -> u64 {
        self.connections.endings().get(reason)
    }

    /// What so many of its connections at most are doing, in no order.
    #[must_use]
    pub fn connections(&self, rows_max: usize) -> Vec<ConnectionFigures> {
        self.connections.figures(rows_max)
    }

    /// Whether a thread of the server has ended before its time; see
    /// [`Server::failed`](crate::Server::failed).
    #[must_use]
    pub fn has_failed(&self) -> bool {
        *self.failed.borrow()
    }
}
