//! All endpoints of a channel, and which of them takes a call.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::pki_types::ServerName;
use tokio::time::Instant;
use tonic::Status;

use super::common::{Common, Task};
use super::connect::Address;
use super::endpoint::{Endpoint, Identity, Offer, Probe};
use super::figures::{Figures, read};
use super::pick::{least_loaded, soonest};
use super::place::Place;
use super::target::Location;
use super::tend::Tender;
use crate::random;

/// How long a call waits for what somebody else's try of an ejected endpoint comes to.
const OTHERS_PROBE: Duration = Duration::from_millis(50);

/// How often a place is looked for again that was taken meanwhile.
const TAKES_MAX: usize = 4;

/// Endpoints that a message lists.
const LISTED_MAX: usize = 5;

/// An endpoint with its task.
struct Tended {
    endpoint: Arc<Endpoint>,
    _task: Task,
}

impl Drop for Tended {
    fn drop(&mut self) {
        self.endpoint.close();
    }
}

/// The endpoints of a channel.
pub(super) struct Pool {
    pub(super) common: Arc<Common>,
    endpoints: ArcSwap<Vec<Arc<Tended>>>,
    /// What is known of each entry of the target. Held while the endpoints are changed.
    known: Mutex<Vec<Known>>,
}

/// What is known of the addresses of an entry.
#[derive(Clone, Debug)]
enum Known {
    /// Its name was not yet resolved.
    Nothing,
    /// It never could be resolved.
    Failed(String),
    Addresses(Vec<Address>),
}

/// What comes of looking for a place.
enum Picked {
    Place(Place),
    /// There will be one soon.
    Wait,
    /// All are ejected or on trial; this one is due the soonest.
    Down(Option<Arc<Endpoint>>),
}

/// A wait for an ejected endpoint that is tried before its time.
struct Trial {
    endpoint: Arc<Endpoint>,
    tries_before: u64,
    until: Option<Instant>,
}

impl Pool {
    pub(super) fn new(common: Arc<Common>) -> Self {
        let places = common.target.places().iter();
        let known = places.map(|place| match &place.location {
            Location::Unix(path) => Known::Addresses(vec![Address::Unix(path.clone())]),
            Location::Address(address) => Known::Addresses(vec![Address::Tcp(*address)]),
            Location::Name(..) => Known::Nothing,
        });
        let known = Mutex::new(known.collect());
        let pool = Self { common, endpoints: ArcSwap::default(), known };
        pool.change(|_| {});
        pool
    }

    /// The addresses of an entry are these from now on, or why there are none. Those that were
    /// known before are kept if there are none now.
    pub(super) fn resolved(&self, place: usize, found: Result<Vec<Address>, String>) {
        self.change(|known| match found {
            Ok(addresses) => known[place] = Known::Addresses(addresses),
            Err(reason) if !matches!(known[place], Known::Addresses(_)) => {
                known[place] = Known::Failed(reason);
            }
            Err(_) => {}
        });
        self.common.changed.notify_waiters();
    }

    /// Changes what is known, and has an endpoint for each address.
    fn change(&self, change: impl FnOnce(&mut Vec<Known>)) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut known);
        let before = self.endpoints.load_full();
        let mut after: Vec<Arc<Tended>> = Vec::new();
        let most = self.common.settings.endpoints_max.get();
        let mut left_out = 0;
        for (place, known) in known.iter().enumerate() {
            let Known::Addresses(addresses) = known else { continue };
            for address in addresses {
                let identity = Identity { place, address: address.clone() };
                let is = |tended: &&Arc<Tended>| tended.endpoint.identity == identity;
                if after.iter().any(|tended| is(&tended)) {
                    continue;
                }
                if after.len() == most {
                    left_out += 1;
                } else if let Some(tended) = before.iter().find(is) {
                    after.push(Arc::clone(tended));
                } else {
                    after.push(Arc::new(self.tended(identity)));
                }
            }
        }
        if left_out > 0 {
            tracing::warn!(target = %self.common.target, left_out, most, "too many addresses");
        }
        self.endpoints.store(Arc::new(after));
    }

    fn tended(&self, identity: Identity) -> Tended {
        let common = Arc::clone(&self.common);
        let place = &common.target.places()[identity.place];
        let name = place.is_tls().then(|| {
            let name = common.settings.server_name.as_deref().unwrap_or(place.host());
            ServerName::try_from(name.to_owned()).expect("names were checked before")
        });
        let (scheme, authority) = (place.scheme.clone(), place.authority.clone());
        let endpoint = Arc::new(Endpoint::new(identity, scheme, authority));
        let runtime = common.runtime.clone();
        let tender = Tender { endpoint: Arc::clone(&endpoint), common, name };
        Tended { endpoint, _task: Task::spawn(&runtime, tender.run()) }
    }

    /// Finds a place for a call, if possible at another endpoint than the one to avoid, and
    /// waits for one that will be there soon.
    pub(super) async fn place(&self, avoid: Option<&Arc<Endpoint>>) -> Result<Place, Status> {
        let common = &*self.common;
        let mut waiting = None;
        let mut trial: Option<Trial> = None;
        loop {
            let mut changed = pin!(common.changed.notified());
            changed.as_mut().enable();
            let now = Instant::now();
            match self.pick(avoid, now) {
                Picked::Place(place) => return Ok(place),
                // It looks again, so that a place that was given back meanwhile is not missed.
                Picked::Wait if waiting.is_none() => {
                    waiting = Some(common.wait()?);
                    continue;
                }
                Picked::Wait => {}
                Picked::Down(soonest) => match &trial {
                    Some(trial) if !trial.is_over(now) => {}
                    None if let Some(soonest) = soonest => match soonest.probe(now) {
                        Probe::Call => continue,
                        Probe::TooSoon => return Err(self.down()),
                        Probe::Begun(tries_before) => {
                            trial = Some(Trial { endpoint: soonest, tries_before, until: None });
                        }
                        Probe::UnderWay(tries_before) => {
                            let until = Some(now + OTHERS_PROBE);
                            trial = Some(Trial { endpoint: soonest, tries_before, until });
                        }
                    },
                    _ => return Err(self.down()),
                },
            }
            if waiting.is_none() {
                waiting = Some(common.wait()?);
            }
            match trial.as_ref().and_then(|trial| trial.until) {
                None => changed.await,
                Some(until) => {
                    let patience = pin!(common.sleep_until(until));
                    tokio::select! {
                        () = changed => {}
                        () = patience => {}
                    }
                }
            }
        }
    }

    fn pick(&self, avoid: Option<&Arc<Endpoint>>, now: Instant) -> Picked {
        let endpoints = self.endpoints.load();
        let streams_max = self.common.streams_max();
        for _ in 0..TAKES_MAX {
            let offers = endpoints.iter().map(|tended| tended.endpoint.offer(now, streams_max));
            let offers: Vec<Offer> = offers.collect();
            let is_avoided = |place: usize| {
                avoid.is_some_and(|avoid| Arc::ptr_eq(avoid, &endpoints[place].endpoint))
            };
            let Some(place) = least_loaded(&offers, is_avoided, random::below) else {
                let is_coming = |offer: &Offer| matches!(offer, Offer::Full | Offer::Coming);
                if offers.iter().any(is_coming) || self.is_resolving() {
                    return Picked::Wait;
                }
                let soonest = soonest(&offers).map(|place| Arc::clone(&endpoints[place].endpoint));
                return Picked::Down(soonest);
            };
            let endpoint = &endpoints[place].endpoint;
            if let Some(seat) = endpoint.take(now, streams_max) {
                let (endpoint, common) = (Arc::clone(endpoint), Arc::clone(&self.common));
                return Picked::Place(Place::new(endpoint, seat, common, now));
            }
        }
        Picked::Wait
    }

    /// Whether a name is being resolved for the first time.
    fn is_resolving(&self) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_resolving = known.iter().any(|known| matches!(known, Known::Nothing));
        if is_resolving {
            self.common.resolve.notify_one();
        }
        is_resolving
    }

    /// Why no call can be made now. Names that could not be resolved are asked for again.
    fn down(&self) -> Status {
        let endpoints = self.endpoints.load();
        let mut reasons: Vec<String> =
            endpoints.iter().map(|tended| tended.endpoint.complaint()).collect();
        {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let failed = known.iter().filter_map(|known| match known {
                Known::Failed(reason) => Some(reason.clone()),
                _ => None,
            });
            let before = reasons.len();
            reasons.extend(failed);
            if reasons.len() > before {
                self.common.resolve.notify_one();
            }
        }
        let more = reasons.len().saturating_sub(LISTED_MAX);
        reasons.truncate(LISTED_MAX);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        let target = &self.common.target;
        Status::unavailable(format!("cannot reach {target}: {}{more}", reasons.join("; ")))
    }

    pub(super) fn figures(&self) -> Figures {
        let now = Instant::now();
        let counts = &self.common.counts;
        Figures {
            endpoints: self.endpoints.load().iter().map(|one| one.endpoint.figures(now)).collect(),
            waiting: self.common.waiting(),
            calls: read(&counts.calls),
            retries: read(&counts.retries),
            transparent_retries: read(&counts.transparent_retries),
            retries_refused: read(&counts.retries_refused),
        }
    }
}

impl Trial {
    fn is_over(&self, now: Instant) -> bool {
        self.endpoint.tries() > self.tries_before || self.until.is_some_and(|until| until <= now)
    }
}
