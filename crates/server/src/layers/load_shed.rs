//! So many calls at one time: in all, and of one identity.
//!
//! The second keeps a client that never waits for its answers from taking the place of all
//! others. A call is open until the last byte of its answer is handed over or it is given up.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use http::{Request, Response};
use tonic::Code;
use tower::{Layer, Service};

use super::{Call, Done, Outcome, Watched, Watching, watch};
use crate::access::Identity;
use crate::grpc::status;
use crate::settings::LiveSettings;
use crate::telemetry::metrics::{Metrics, Refusal};

/// So that threads seldom wait for one another.
const SHARDS: usize = 16;

/// A [`tower` layer](Layer) that refuses calls beyond the limits. The limit of all calls is
/// answered `UNAVAILABLE`, since another server may have room; that of one identity
/// `RESOURCE_EXHAUSTED`; both with the time to wait.
#[derive(Clone, Debug)]
pub struct LoadShedLayer {
    shedder: Arc<Shedder>,
}

#[derive(Debug)]
struct Shedder {
    settings: LiveSettings,
    metrics: Arc<Metrics>,
    open: OpenCalls,
}

impl LoadShedLayer {
    /// A layer with limits that may change; it tells how many calls it refused.
    #[must_use]
    pub fn new(settings: LiveSettings, metrics: Arc<Metrics>) -> Self {
        Self { shedder: Arc::new(Shedder { settings, metrics, open: OpenCalls::default() }) }
    }
}

impl<S> Layer<S> for LoadShedLayer {
    type Service = LoadShed<S>;

    fn layer(&self, inner: S) -> LoadShed<S> {
        LoadShed { shedder: Arc::clone(&self.shedder), inner }
    }
}

/// A service with so many calls at one time. Made by [`LoadShedLayer`].
#[derive(Clone, Debug)]
pub struct LoadShed<S> {
    shedder: Arc<Shedder>,
    inner: S,
}

/// Lets go of a call's place when the call has ended.
impl Done for Place {
    fn done(self, _: Code) {}
}

impl<S, B, R> Service<Request<B>> for LoadShed<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: http_body::Body + Default,
{
    type Response = Response<Watched<R, Place>>;
    type Error = S::Error;
    type Future = Outcome<Watching<S::Future, Place>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let call = Call::of(&request);
        match self.shedder.take_place(call.identity()) {
            Ok(place) => Outcome::passed(watch(call, self.inner.call(request), place)),
            Err(full) => {
                let (refusal, status) = match full {
                    Full::All => (Refusal::OpenCalls, status::too_many_open_calls()),
                    Full::Identity => {
                        (Refusal::OpenCallsOfIdentity, status::too_many_open_calls_of_one())
                    }
                };
                self.shedder.metrics.refusals.count(refusal);
                Outcome::refused(status)
            }
        }
    }
}

/// Which limit is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Full {
    All,
    Identity,
}

impl Shedder {
    fn take_place(self: &Arc<Self>, identity: Option<&Identity>) -> Result<Place, Full> {
        let limits = &self.settings.current().limits;
        // Counted first and given back if that was too many, so that the limit holds among
        // threads that come at one time.
        let open = self.open.all.fetch_add(1, Ordering::Relaxed);
        let place = Place { shedder: Arc::clone(self), identity: None };
        if open >= limits.open_calls_max.get() {
            return Err(Full::All);
        }
        match identity {
            None => Ok(place),
            Some(identity) => {
                place.of(identity, limits.open_calls_per_identity_max.get()).ok_or(Full::Identity)
            }
        }
    }
}

/// Calls that are open.
#[derive(Debug)]
struct OpenCalls {
    all: AtomicUsize,
    /// Those who have none are not in it, so it is as bounded as the calls are.
    by_identity: [Mutex<HashMap<Identity, usize>>; SHARDS],
    hasher: RandomState,
}

impl Default for OpenCalls {
    fn default() -> Self {
        let by_identity = std::array::from_fn(|_| Mutex::default());
        Self { all: AtomicUsize::new(0), by_identity, hasher: RandomState::new() }
    }
}

impl OpenCalls {
    fn shard(&self, identity: &Identity) -> MutexGuard<'_, HashMap<Identity, usize>> {
        let place = self.hasher.hash_one(identity) as usize % SHARDS;
        self.by_identity[place].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of an open call. Dropping it gives the place to another.
#[derive(Debug)]
pub struct Place {
    shedder: Arc<Shedder>,
    identity: Option<Identity>,
}

impl Place {
    /// The same, counted for an identity as well, unless that has `limit` already.
    fn of(mut self, identity: &Identity, limit: usize) -> Option<Self> {
        let mut shard = self.shedder.open.shard(identity);
        match shard.entry(identity.clone()) {
            Entry::Occupied(open) if *open.get() >= limit => return None,
            Entry::Occupied(mut open) => *open.get_mut() += 1,
            Entry::Vacant(none) => drop(none.insert(1)),
        }
        drop(shard);
        self.identity = Some(identity.clone());
        Some(self)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let open = &self.shedder.open;
        open.all.fetch_sub(1, Ordering::Relaxed);
        let Some(identity) = self.identity.take() else { return };
        if let Entry::Occupied(mut calls) = open.shard(&identity).entry(identity.clone()) {
            *calls.get_mut() -= 1;
            if *calls.get() == 0 {
                calls.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{IdentityKind, Roles};
    use crate::settings::Settings;

    fn identity(name: &str) -> Identity {
        Identity { kind: IdentityKind::ApiKey, name: name.into(), roles: Roles::all() }
    }

    fn shedder(all: usize, one: usize) -> Arc<Shedder> {
        let mut settings = Settings::read(None).unwrap();
        settings.limits.open_calls_max = all.try_into().unwrap();
        settings.limits.open_calls_per_identity_max = one.try_into().unwrap();
        let settings = LiveSettings::new(settings);
        Arc::new(Shedder { settings, metrics: Arc::default(), open: OpenCalls::default() })
    }

    #[test]
    fn one_identity_cannot_take_all_places() {
        let shedder = shedder(3, 2);
        let (greedy, other) = (identity("greedy"), identity("other"));
        let take = |identity| shedder.take_place(Some(identity));
        let first = take(&greedy).unwrap();
        let _second = take(&greedy).unwrap();
        assert_eq!(take(&greedy).unwrap_err(), Full::Identity);
        let _others = take(&other).unwrap();
        assert_eq!(take(&other).unwrap_err(), Full::All);
        drop(first);
        take(&greedy).unwrap();
    }

    #[test]
    fn nothing_is_kept_of_calls_that_are_over() {
        let shedder = shedder(10, 10);
        let places: Vec<_> = (0..10)
            .map(|one| shedder.take_place(Some(&identity(&format!("{one}")))).unwrap())
            .collect();
        shedder.take_place(None).unwrap_err();
        drop(places);
        assert_eq!(shedder.open.all.load(Ordering::Relaxed), 0);
        assert!(shedder.open.by_identity.iter().all(|shard| shard.lock().unwrap().is_empty()));
    }
}
