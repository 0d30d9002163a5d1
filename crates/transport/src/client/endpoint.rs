//! One address that calls may go to: its connection, its health, and the calls in flight.
//!
//! Everything is behind one short lock. A task of its own ([`tend`](super::tend)) makes the
//! connection and looks after it, by what is in [`tended`]; calls only look, take a place, and
//! tell how they ended.
//!
//! The time between two ejections is an era. A call that began in an era before says nothing of
//! the endpoint as it is now, and does not take the one place of its probation.

mod live;
mod tended;

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::uri::{Authority, Scheme};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::connect::Address;
use super::figures::{EndpointFigures, EndpointState};
use super::health::{Evidence, Health, Standing};
use super::settings::Ejection;

pub(super) use self::live::Live;
pub(super) use self::tended::Next;

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
    /// Calls on all its connections, those included that are used no more.
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
    /// The era of the probation whose one call is under way.
    trial: Option<u64>,
}

/// What a call has of an endpoint.
pub(super) struct Seat {
    pub(super) live: Arc<Live>,
    era: u64,
    is_trial: bool,
}

/// What an endpoint has for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offer {
    /// A place beside so many calls.
    Ready(usize),
    /// All places are taken.
    Full,
    /// It is on probation, and its one call is under way. What that comes to is not waited for:
    /// it may hang.
    OnTrial,
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
            trial: None,
        };
        let (in_flight, state, wake) = (AtomicUsize::new(0), Mutex::new(state), Notify::new());
        Self { identity, scheme, authority, in_flight, state, wake }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it has for a call now. An endpoint without a connection begins to make one.
    pub(super) fn offer(&self, now: Instant, streams_max: usize) -> Offer {
        self.offer_of(&mut self.lock(), now, streams_max)
    }

    fn offer_of(&self, state: &mut State, now: Instant, streams_max: usize) -> Offer {
        state.drop_closed();
        let standing = state.health.standing(now);
        if let Standing::Ejected(until) = standing {
            return Offer::Ejected(until);
        }
        let Some(live) = &state.live else {
            self.want(state);
            return match standing {
                Standing::Good => Offer::Coming,
                // It was ejected, and nobody should wait for it.
                _ => Offer::Ejected(now),
            };
        };
        let has_room = live.has_room(streams_max);
        match standing {
            Standing::Good if !has_room => Offer::Full,
            Standing::Probation if !has_room || state.is_on_trial() => Offer::OnTrial,
            _ => Offer::Ready(self.in_flight.load(Ordering::Relaxed)),
        }
    }

    fn want(&self, state: &mut State) {
        if !state.is_wanted {
            state.is_wanted = true;
            self.wake.notify_one();
        }
    }

    /// Takes a place, if there is still one.
    pub(super) fn take(&self, now: Instant, streams_max: usize) -> Option<Seat> {
        let mut state = self.lock();
        let offer = self.offer_of(&mut state, now, streams_max);
        let live = state.live.clone().filter(|_| matches!(offer, Offer::Ready(_)))?;
        let era = state.health.ejections();
        let is_trial = state.health.standing(now) == Standing::Probation;
        if is_trial {
            state.trial = Some(era);
        }
        live.enter();
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        Some(Seat { live, era, is_trial })
    }

    /// A call has given its place back.
    pub(super) fn leave(&self, seat: &Seat) {
        seat.live.leave();
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        if seat.is_trial {
            let mut state = self.lock();
            state.trial = state.trial.filter(|era| *era != seat.era);
        }
    }

    /// Wishes to try it although it is ejected.
    pub(super) fn probe(&self, now: Instant) -> Probe {
        let mut state = self.lock();
        state.drop_closed();
        if state.live.is_some() {
            if state.is_on_trial() {
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

    /// A call was answered.
    pub(super) fn answered(&self) {
        self.lock().health.answered();
    }

    /// A call has failed; whether that ejects it.
    pub(super) fn call_failed(
        &self,
        seat: &Seat,
        evidence: Evidence,
        limits: &Ejection,
        now: Instant,
        draw: f64,
        reason: &str,
    ) -> bool {
        let health = &mut self.lock().health;
        seat.era == health.ejections() && health.call_failed(evidence, limits, now, draw, reason)
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

impl State {
    fn tried(&mut self, now: Instant) {
        self.tries += 1;
        self.last_try = Some(now);
        (self.is_connecting, self.is_wanted, self.is_forced) = (false, false, false);
    }

    /// Whether the one call of its probation is under way.
    fn is_on_trial(&self) -> bool {
        self.trial == Some(self.health.ejections())
    }

    /// A connection that the peer has told to go takes no more calls.
    fn drop_closed(&mut self) {
        if let Some(live) = &self.live
            && live.is_closed()
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
