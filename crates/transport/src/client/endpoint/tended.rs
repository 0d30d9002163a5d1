//! An endpoint as the task that tends it sees it: when to connect, and what came of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::{Endpoint, Live};
use crate::client::health::{Cause, Standing};
use crate::client::settings::Ejection;
use crate::random;

/// When the next connection is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::client) enum Next {
    Now,
    WhenAsked,
}

impl Endpoint {
    /// Until when the tending task should wait before it connects: `None` as long as nobody
    /// wants it to.
    pub(in crate::client) fn connect_at(&self, now: Instant) -> Option<Instant> {
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

    pub(in crate::client) fn connecting(&self) {
        self.lock().is_connecting = true;
    }

    /// It has a connection.
    pub(in crate::client) fn connected(&self, live: Arc<Live>, now: Instant) {
        let mut state = self.lock();
        state.tried(now);
        state.health.connected();
        state.live = Some(live);
    }

    /// It has another connection in place of the one before, whose calls go on.
    pub(in crate::client) fn replaced(&self, live: Arc<Live>) {
        self.lock().live = Some(live);
    }

    /// No connection could be made, or it broke before it was of any use.
    /// Returns how long it is left out, and whether it was good before.
    pub(in crate::client) fn failed(
        &self,
        limits: &Ejection,
        now: Instant,
        reason: &str,
    ) -> (Duration, bool) {
        let mut state = self.lock();
        state.tried(now);
        state.live = None;
        let was_good = state.health.is_good();
        let draw = random::fraction();
        (state.health.eject(Cause::Connection, limits, now, draw, reason), was_good)
    }

    /// Its connection has ended after good service; the next one is made now, or when a call
    /// asks for it.
    pub(in crate::client) fn ended(&self, next: Next) {
        let mut state = self.lock();
        state.live = None;
        // A call may have asked meanwhile.
        state.is_wanted |= next == Next::Now;
    }

    /// Uses a connection no more; the calls on it go on.
    pub(in crate::client) fn dismiss(&self, live: &Arc<Live>) {
        self.lock().dismiss(live);
    }

    /// Gives its connection up: nobody will ask for it again.
    pub(in crate::client) fn close(&self) {
        let live = self.lock().live.take();
        drop(live);
    }
}
