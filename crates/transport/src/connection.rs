//! One connection, from its socket to its end.
//!
//! The connection's task owns the socket and hyper's state; everybody else sees a
//! [`Connection`]: what it is doing, since when, and a way to tell it to go.
//!
//! Invariants:
//! - Only the connection's own task touches the socket. Others leave an [`Order`] and wake it.
//! - What is written here by the task and read by the sweep is relaxed: a limit that is seen one
//!   sweep late is no error.

mod drive;
mod http;
mod io;
mod open;
mod preface;
mod stream;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use rustls::pki_types::CertificateDer;

pub(crate) use self::drive::{Common, serve};
pub(crate) use self::http::Rules;
pub(crate) use self::io::{Socket, Wire};
pub(crate) use self::stream::{End, Slot, Stream, Streams};
use crate::clock::{self, Since};
use crate::ending::Ending;
use crate::peer::Peer;
use crate::server::ConnectionFigures;

/// What a connection is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Order {
    /// Nothing.
    GoOn = 0,
    /// Take no more streams (`GOAWAY`), finish those that are open, then close.
    Finish = 1,
    /// Close now.
    Close = 2,
}

/// What everybody may know of a connection.
#[derive(Debug)]
pub(crate) struct Connection {
    /// When it was accepted, by [`clock::now`].
    accepted: u64,
    /// Its age limit, in milliseconds, with its own jitter.
    age_max: u64,
    pub(crate) streams: Streams,
    /// What has been seen of it so far: [`SEEN_OPEN`] and so on.
    seen: AtomicU8,
    /// It has no stream.
    pub(crate) idle: Since,
    /// The peer owes the rest of what it has begun: a frame, a block of headers, its preface.
    pub(crate) rest_awaited: Since,
    /// There are streams whose end was not written, and since then the peer took nothing of them.
    pub(crate) unended: Since,
    /// The socket takes no more bytes.
    pub(crate) write_stalled: Since,
    /// It was told to finish.
    pub(crate) finishing: Since,
    order: AtomicU8,
    ending: Mutex<Option<Ending>>,
    /// Bytes of unfinished messages.
    pub(crate) held: AtomicUsize,
    waker: AtomicWaker,
    address: Option<SocketAddr>,
    peer: OnceLock<Peer>,
}

/// Its protocol is known, and it has shaken hands if it had to.
const SEEN_OPEN: u8 = 1;
/// It has sent a whole frame.
const SEEN_SPEAKING: u8 = 2;
/// It has asked something.
const SEEN_ASKING: u8 = 4;

impl Connection {
    pub(crate) fn new(address: Option<SocketAddr>, age_max: u64) -> Arc<Self> {
        let connection = Self {
            accepted: clock::now(),
            age_max,
            streams: Streams::default(),
            seen: AtomicU8::new(0),
            idle: Since::default(),
            rest_awaited: Since::default(),
            unended: Since::default(),
            write_stalled: Since::default(),
            finishing: Since::default(),
            order: AtomicU8::new(Order::GoOn as u8),
            ending: Mutex::new(None),
            held: AtomicUsize::new(0),
            waker: AtomicWaker::new(),
            address,
            peer: OnceLock::new(),
        };
        connection.idle.begin();
        Arc::new(connection)
    }

    /// Who is on the other side.
    pub(crate) fn peer(&self) -> &Peer {
        self.peer.get_or_init(|| Peer::new(self.address, Vec::new()))
    }

    pub(crate) fn is_too_old(&self, now: u64) -> bool {
        now.saturating_sub(self.accepted) >= self.age_max
    }

    /// What it is doing at a moment of [`clock::now`].
    pub(crate) fn figures(&self, now: u64) -> ConnectionFigures {
        ConnectionFigures {
            address: self.address,
            age: Duration::from_millis(now.saturating_sub(self.accepted)),
            streams: self.streams.count(),
            idle: self.idle.lasts(now).map(Duration::from_millis),
            unfinished_bytes: self.held.load(Ordering::Relaxed),
        }
    }

    /// Its protocol is known.
    pub(crate) fn is_open(&self) -> bool {
        self.seen.load(Ordering::Relaxed) & SEEN_OPEN != 0
    }

    /// It has sent a whole frame.
    pub(crate) fn has_spoken(&self) -> bool {
        self.seen.load(Ordering::Relaxed) & SEEN_SPEAKING != 0
    }

    /// It has asked something.
    pub(crate) fn has_asked(&self) -> bool {
        self.seen.load(Ordering::Relaxed) & SEEN_ASKING != 0
    }

    /// It has no stream, and nothing is left to be written of those that it had.
    pub(crate) fn has_nothing_to_do(&self) -> bool {
        self.streams.count() == 0 && !self.unended.is_so()
    }

    fn note(&self, seen: u8) {
        if self.seen.load(Ordering::Relaxed) & seen == 0 {
            self.seen.fetch_or(seen, Ordering::Relaxed);
        }
    }

    fn opened(&self, certificates: Vec<CertificateDer<'static>>) {
        // Nobody asks for the peer before its first request.
        let _ = self.peer.set(Peer::new(self.address, certificates));
        self.note(SEEN_OPEN);
    }

    /// Gives an order, unless a stronger one was given. The first reason of an end is kept.
    pub(crate) fn order(&self, order: Order, ending: Ending) {
        self.ending.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(ending);
        if self.order.fetch_max(order as u8, Ordering::AcqRel) < order as u8 {
            self.finishing.begin();
            self.waker.wake();
        }
    }

    /// Why it ends, if somebody wanted it to.
    pub(crate) fn ending(&self) -> Option<Ending> {
        *self.ending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn current_order(&self) -> Order {
        match self.order.load(Ordering::Acquire) {
            0 => Order::GoOn,
            1 => Order::Finish,
            _ => Order::Close,
        }
    }
}
