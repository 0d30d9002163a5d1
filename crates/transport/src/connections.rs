//! All connections of a server: how many there may be, and the sweep that holds them to their
//! times.
//!
//! One sweep for all, a few times a second, instead of timers in each: a connection that is
//! fine costs a look at a handful of words, and nothing while it is busy.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use slab::Slab;
use tokio::sync::Notify;

use crate::clock::{self, millis};
use crate::connection::{Connection, End, Order};
use crate::ending::{Ending, Endings};
use crate::server::ConnectionFigures;
use crate::settings::Settings;

/// Of so many connections, drawn at random, the best one makes room for another.
const DRAWN: usize = 32;

/// Only what has been idle for so long makes room.
const IDLE_TO_MAKE_ROOM: Duration = Duration::from_secs(1);

/// Between the end of a connection's streams and its own: so long for their last words to be
/// sent.
pub(crate) const LAST_WORDS: Duration = Duration::from_millis(200);

/// All connections of a server.
#[derive(Debug)]
pub(crate) struct Connections {
    all: Mutex<All>,
    max: usize,
    times: Times,
    accepted: AtomicU64,
    endings: Endings,
    /// Told when one leaves.
    left: Notify,
}

/// The connections, and what all of them were told: who comes later is told as well.
#[derive(Debug)]
struct All {
    connections: Slab<Arc<Connection>>,
    order: Order,
}

/// Limits in milliseconds.
#[derive(Debug)]
struct Times {
    preface: u64,
    header: u64,
    reader: u64,
    idle: u64,
    grace: u64,
}

/// A connection's place among all; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Admission {
    connections: Arc<Connections>,
    connection: Arc<Connection>,
    key: usize,
    ending: Ending,
}

/// There are as many connections as may be, and none that could go.
#[derive(Debug)]
pub(crate) struct Full;

impl Connections {
    pub(crate) fn new(settings: &Settings, max: usize) -> Arc<Self> {
        let times = Times {
            preface: millis(settings.preface_timeout),
            header: millis(settings.header_timeout),
            reader: millis(settings.reader_timeout),
            idle: millis(settings.idle_timeout),
            grace: millis(settings.age_grace),
        };
        Arc::new(Self {
            all: Mutex::new(All { connections: Slab::new(), order: Order::GoOn }),
            max,
            times,
            accepted: AtomicU64::new(0),
            endings: Endings::default(),
            left: Notify::new(),
        })
    }

    /// Takes a connection in. If there is no room, another may be told to go for it.
    pub(crate) fn join(self: &Arc<Self>, connection: Arc<Connection>) -> Result<Admission, Full> {
        self.accepted.fetch_add(1, Ordering::Relaxed);
        let mut all = self.lock();
        let open = all.connections.len();
        // The one that goes may be there for a moment longer: the limit is kept again as soon
        // as its loop has run. A crowd of such would be one of connections that do not go.
        let is_crowded = open >= self.max.saturating_mul(2);
        if is_crowded || (open >= self.max && !make_room(&all.connections)) {
            drop(all);
            self.endings.count(Ending::NoRoom);
            return Err(Full);
        }
        let key = all.connections.insert(Arc::clone(&connection));
        if all.order != Order::GoOn {
            connection.order(all.order, Ending::Stopping);
        }
        drop(all);
        Ok(Admission { connections: Arc::clone(self), connection, key, ending: Ending::Closed })
    }

    /// Tells some connection to go, if one can be spared.
    pub(crate) fn make_room(&self) -> bool {
        make_room(&self.lock().connections)
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().connections.len()
    }

    pub(crate) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    pub(crate) fn endings(&self) -> &Endings {
        &self.endings
    }

    /// Open streams of all connections.
    pub(crate) fn streams(&self) -> usize {
        self.lock().connections.iter().map(|(_, connection)| connection.streams.count()).sum()
    }

    /// What so many of them at most are doing.
    pub(crate) fn figures(&self, rows_max: usize) -> Vec<ConnectionFigures> {
        let now = clock::now();
        let all = self.lock();
        all.connections.iter().take(rows_max).map(|(_, one)| one.figures(now)).collect()
    }

    /// Tells all to take no more streams, or to close.
    pub(crate) fn order(&self, order: Order) {
        let mut all = self.lock();
        all.order = all.order.max(order);
        for (_, connection) in &all.connections {
            connection.order(order, Ending::Stopping);
        }
    }

    /// Ends streams, those whose answers have begun or all, and tells how many.
    pub(crate) fn end_streams(&self, which: Which) -> usize {
        let mut ended = 0;
        for (_, connection) in self.lock().connections.iter() {
            connection.streams.each(|stream| {
                if which == Which::All || stream.has_answered.is_so() {
                    ended += usize::from(stream.end(End::Stopping));
                }
            });
        }
        ended
    }

    /// Closes the connections that have nothing to do and have not gone by themselves: their
    /// peers do not answer.
    pub(crate) fn close_idle(&self) {
        for (_, connection) in self.lock().connections.iter() {
            if connection.has_nothing_to_do() {
                connection.order(Order::Close, Ending::Stopping);
            }
        }
    }

    /// Connections with open streams.
    pub(crate) fn busy(&self) -> usize {
        self.lock()
            .connections
            .iter()
            .filter(|(_, connection)| connection.streams.count() > 0)
            .count()
    }

    /// Ends when there is no connection.
    pub(crate) async fn emptied(&self) {
        loop {
            let left = self.left.notified();
            if self.len() == 0 {
                return;
            }
            left.await;
        }
    }

    /// Holds all to their times.
    pub(crate) fn sweep(&self) {
        let now = clock::tick();
        for (_, connection) in self.lock().connections.iter() {
            self.times.hold(connection, now);
        }
    }

    /// Tells the log how many connections ended, since `before`, for reasons that an operator
    /// may want to look into.
    pub(crate) fn summarise(&self, before: &mut Summary) {
        let counts = Ending::ALL.iter().map(|ending| self.endings.get(*ending));
        let counts: Vec<u64> = counts.collect();
        let mut notable = Vec::new();
        for (place, ending) in Ending::ALL.iter().enumerate() {
            let more = counts[place] - before.0.get(place).copied().unwrap_or(0);
            if more > 0 && ending.is_notable() {
                notable.push(format!("{} {more}", ending.name()));
            }
        }
        before.0 = counts;
        if !notable.is_empty() {
            let connections = self.len();
            tracing::warn!(connections, "connections ended: {}", notable.join(", "));
        }
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts at the last summary.
#[derive(Debug, Default)]
pub(crate) struct Summary(Vec<u64>);

/// Which streams are ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// Those whose response has begun: streams that may go on for ever.
    Answered,
    /// All of them.
    All,
}

impl Times {
    fn hold(&self, connection: &Connection, now: u64) {
        let over = |lasts: Option<u64>, max| lasts.is_some_and(|lasts| lasts >= max);
        connection.streams.each(|stream| {
            if over(stream.reader_awaited.lasts(now), self.reader) {
                stream.end(End::Reader);
            }
        });
        // Of streams whose tasks are done, what h2 still holds is watched on the wire.
        let all_answered = over(connection.idle.lasts(now), self.reader);
        let (rest, rest_ending) = if connection.has_spoken() {
            (self.header, Ending::HeaderTimeout)
        } else {
            (self.preface, Ending::PrefaceTimeout)
        };
        let is_told_to_go = matches!(connection.ending(), Some(Ending::Idle | Ending::Old));
        if over(connection.write_stalled.lasts(now), self.reader)
            || (all_answered && over(connection.unended.lasts(now), self.reader))
        {
            connection.order(Order::Close, Ending::ReaderTimeout);
        } else if over(connection.rest_awaited.lasts(now), rest) {
            connection.order(Order::Close, rest_ending);
        } else if is_told_to_go && over(connection.finishing.lasts(now), self.grace) {
            connection.streams.each(|stream| {
                stream.end(End::Stopping);
            });
            // The last words of its streams take a moment.
            if over(connection.finishing.lasts(now), self.grace + millis(LAST_WORDS)) {
                connection.order(Order::Close, Ending::Closed);
            }
        } else if connection.is_too_old(now) {
            connection.order(Order::Finish, Ending::Old);
        } else if connection.is_open() && over(connection.idle.lasts(now), self.idle) {
            connection.order(Order::Finish, Ending::Idle);
        }
    }
}

/// Tells one of a few connections to go: the longest silent of those that have never asked
/// anything, else the longest idle. A heuristic in place of a look at all.
fn make_room(all: &Slab<Arc<Connection>>) -> bool {
    let now = clock::tick();
    let places = all.capacity().max(1);
    let start = crate::random::below(places);
    let drawn = (0..places).filter_map(|step| all.get((start + step) % places)).take(DRAWN);
    let spared = drawn.filter_map(|connection| {
        let idle = connection.idle.lasts(now)?;
        let may_go = !connection.has_asked() || idle >= millis(IDLE_TO_MAKE_ROOM);
        let is_busy = connection.unended.is_so() || connection.finishing.is_so();
        (may_go && !is_busy).then_some((!connection.has_asked(), idle, connection))
    });
    match spared.max_by_key(|(silent, idle, _)| (*silent, *idle)) {
        Some((_, _, connection)) => {
            connection.order(Order::Close, Ending::Displaced);
            true
        }
        None => false,
    }
}

impl Admission {
    pub(crate) fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// Leaves, with the reason.
    pub(crate) fn leave(mut self, ending: Ending) {
        let peer = self.connection.peer().address();
        tracing::debug!(reason = ending.name(), ?peer, "a connection ended");
        self.ending = ending;
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.connections.endings.count(self.ending);
        self.connections.lock().connections.remove(self.key);
        self.connections.left.notify_waiters();
    }
}
