//! One address that calls may go to: its connection, its health, and the calls in flight.
//!
//! Everything is behind one short lock. A task of its own ([`tend`](super::tend)) makes the
//! connection and looks after it; calls only look, take a place, and tell how they ended.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::uri::{Authority, Scheme};
use hyper::client::conn::http2::SendRequest;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::common::Common;
use super::connect::Address;
use super::figures::{EndpointFigures, EndpointState};
use super::health::{Cause, Health, Standing};
use super::place::Place;
use super::request::Sending;
use super::settings::Ejection;
use crate::random;

/// A connection is not tried before its time more often than this.
const PROBE_GAP: Duration = Duration::from_millis(100);

/// What an endpoint is; two with the same are one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// The entry of the target.
    pub(super) place: usize,
    pub(super) address: Address,
}

/// One address that calls may go to.
pub(super) struct Endpoint {
    pub(super) identity: Identity,
    pub(super) scheme: Scheme,
    pub(super) authority: Authority,
    in_flight: AtomicUsize,
    state: Mutex<State>,
    /// Wakes the task that tends it.
    pub(super) wake: Notify,
}

struct State {
    live: Option<Arc<Live>>,
    is_connecting: bool,
    /// A call has asked for it since its connection went.
    is_wanted: bool,
    /// It is to be tried now, although it is ejected.
    is_forced: bool,
    /// Tries to connect that have ended, and when the last one did.
    tries: u64,
    last_try: Option<Instant>,
    health: Health,
}

/// A connection in use.
pub(super) struct Live {
    sender: SendRequest<Sending>,
    streams_max: Arc<AtomicUsize>,
    /// Something was answered on it.
    pub(super) has_answered: AtomicBool,
    /// Told when it is not to be used any more.
    pub(super) dismissed: Notify,
}

/// What an endpoint has for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offer {
    /// A place beside so many calls.
    Ready(usize),
    /// All places are taken.
    Full,
    /// A connection is being made.
    Coming,
    /// It is left out until then.
    Ejected(Instant),
}

/// What came of the wish to try an ejected endpoint before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Probe {
    /// It has a connection, which may take this call.
    Call,
    /// It is tried now; so many tries had ended before.
    Begun(u64),
    /// Somebody else is trying; so many tries had ended before.
    UnderWay(u64),
    /// It was tried a moment ago.
    TooSoon,
}

impl Live {
    pub(super) fn new(sender: SendRequest<Sending>, streams_max: Arc<AtomicUsize>) -> Self {
        Self { sender, streams_max, has_answered: AtomicBool::new(false), dismissed: Notify::new() }
    }

    pub(super) fn sender(&self) -> SendRequest<Sending> {
        self.sender.clone()
    }
}

impl Endpoint {
    pub(super) fn new(identity: Identity, scheme: Scheme, authority: Authority) -> Self {
        let state = State {
            live: None,
            is_connecting: false,
            is_wanted: false,
            is_forced: false,
            tries: 0,
            last_try: None,
            health: Health::new(),
        };
        let (in_flight, state, wake) = (AtomicUsize::new(0), Mutex::new(state), Notify::new());
        Self { identity, scheme, authority, in_flight, state, wake }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it has for a call now. An endpoint without a connection begins to make one.
    pub(super) fn offer(&self, now: Instant, streams_max: usize) -> Offer {
        let mut state = self.lock();
        state.drop_closed();
        let standing = state.health.standing(now);
        match (&state.live, standing) {
            (_, Standing::Ejected(until)) => Offer::Ejected(until),
            (Some(live), _) => {
                let in_flight = self.in_flight.load(Ordering::Relaxed);
                let places = match standing {
                    Standing::Good => {
                        streams_max.min(live.streams_max.load(Ordering::Relaxed).max(1))
                    }
                    _ => 1,
                };
                match standing {
                    _ if in_flight < places => Offer::Ready(in_flight),
                    Standing::Good => Offer::Full,
                    // What the one call comes to is not waited for: it may hang.
                    _ => Offer::Ejected(now),
                }
            }
            (None, _) => {
                self.want(&mut state);
                match standing {
                    Standing::Good => Offer::Coming,
                    // It was ejected, and nobody should wait for it.
                    _ => Offer::Ejected(now),
                }
            }
        }
    }

    fn want(&self, state: &mut State) {
        if !state.is_wanted {
            state.is_wanted = true;
            self.wake.notify_one();
        }
    }

    /// Takes a place, if there is still one.
    pub(super) fn take(self: &Arc<Self>, now: Instant, common: &Arc<Common>) -> Option<Place> {
        if !matches!(self.offer(now, common.streams_max()), Offer::Ready(_)) {
            return None;
        }
        let live = self.lock().live.clone()?;
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        Some(Place::new(Arc::clone(self), live, Arc::clone(common), now))
    }

    /// Wishes to try it although it is ejected.
    pub(super) fn probe(&self, now: Instant) -> Probe {
        let mut state = self.lock();
        state.drop_closed();
        if state.live.is_some() {
            if self.in_flight.load(Ordering::Relaxed) > 0 {
                return Probe::TooSoon;
            }
            state.health.tried_early();
            return Probe::Call;
        }
        if state.is_connecting || state.is_forced {
            return Probe::UnderWay(state.tries);
        }
        if state.last_try.is_some_and(|last| now.duration_since(last) < PROBE_GAP) {
            return Probe::TooSoon;
        }
        state.is_forced = true;
        self.wake.notify_one();
        Probe::Begun(state.tries)
    }

    /// Tries to connect that have ended.
    pub(super) fn tries(&self) -> u64 {
        self.lock().tries
    }

    /// Until when the tending task should wait before it connects: `None` as long as nobody
    /// wants it to.
    pub(super) fn connect_at(&self, now: Instant) -> Option<Instant> {
        let state = self.lock();
        if state.is_forced {
            return Some(now);
        }
        match state.health.standing(now) {
            _ if !state.is_wanted => None,
            Standing::Ejected(until) => Some(until),
            _ => Some(now),
        }
    }

    pub(super) fn connecting(&self) {
        self.lock().is_connecting = true;
    }

    /// It has a connection.
    pub(super) fn connected(&self, live: Arc<Live>, now: Instant) {
        let mut state = self.lock();
        state.tried(now);
        state.health.connected();
        state.live = Some(live);
    }

    /// It has another connection in place of the one before, whose calls go on.
    pub(super) fn replaced(&self, live: Arc<Live>) {
        self.lock().live = Some(live);
    }

    /// No connection could be made, or it broke before it was of any use.
    /// Returns how long it is left out, and whether it was good before.
    pub(super) fn failed(&self, limits: &Ejection, now: Instant, reason: &str) -> (Duration, bool) {
        let mut state = self.lock();
        state.tried(now);
        state.live = None;
        let was_good = state.health.is_good();
        let draw = random::fraction();
        (state.health.eject(Cause::Connection, limits, now, draw, reason), was_good)
    }

    /// Its connection has ended after good service; the next one is made now, or when a call
    /// asks for it.
    pub(super) fn ended(&self, next: Next) {
        let mut state = self.lock();
        state.live = None;
        // A call may have asked meanwhile.
        state.is_wanted |= next == Next::Now;
    }

    /// Uses a connection no more.
    pub(super) fn dismiss(&self, live: &Arc<Live>) {
        self.lock().dismiss(live);
    }

    /// A call was answered.
    pub(super) fn answered(&self) {
        self.lock().health.answered();
    }

    /// A call has failed; whether that ejects it.
    pub(super) fn call_failed(
        &self,
        limits: &Ejection,
        now: Instant,
        draw: f64,
        reason: &str,
    ) -> bool {
        self.lock().health.call_failed(limits, now, draw, reason)
    }

    /// A call has given its place back.
    pub(super) fn leave(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    /// Gives its connection up: nobody will ask for it again.
    pub(super) fn close(&self) {
        let live = self.lock().live.take();
        drop(live);
    }

    /// Why calls cannot go there.
    pub(super) fn complaint(&self) -> String {
        let reason = self.lock().health.reason();
        match reason {
            Some(reason) => format!("{self}: {reason}"),
            None => format!("{self}: no connection"),
        }
    }

    pub(super) fn figures(&self, now: Instant) -> EndpointFigures {
        let state = self.lock();
        let phase = match (state.health.standing(now), &state.live) {
            (Standing::Ejected(_), _) => EndpointState::Ejected,
            (_, None) if state.is_connecting => EndpointState::Connecting,
            (Standing::Good, None) => EndpointState::Idle,
            (Standing::Good, Some(_)) => EndpointState::Ready,
            (Standing::Probation, _) => EndpointState::Probation,
        };
        EndpointFigures {
            address: self.to_string(),
            state: phase,
            in_flight: self.in_flight.load(Ordering::Relaxed),
            ejections: state.health.ejections(),
        }
    }
}

/// When the next connection is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Now,
    WhenAsked,
}

impl State {
    fn tried(&mut self, now: Instant) {
        self.tries += 1;
        self.last_try = Some(now);
        (self.is_connecting, self.is_wanted, self.is_forced) = (false, false, false);
    }

    /// A connection that the peer has told to go takes no more calls.
    fn drop_closed(&mut self) {
        if let Some(live) = &self.live
            && live.sender.is_closed()
        {
            self.dismiss(&Arc::clone(live));
        }
    }

    fn dismiss(&mut self, live: &Arc<Live>) {
        if self.live.as_ref().is_some_and(|current| Arc::ptr_eq(current, live)) {
            self.live = None;
            live.dismissed.notify_one();
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.identity.address {
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
            Address::Tcp(address) if self.authority.as_str() == address.to_string() => {
                address.fmt(f)
            }
            Address::Tcp(address) => write!(f, "{} ({address})", self.authority),
        }
    }
}
