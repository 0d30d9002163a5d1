//! All endpoints of a channel, and which of them takes a call.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::pki_types::ServerName;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::Status;

use super::connect::Address;
use super::endpoint::{Endpoint, Identity, Offer, Place, Probe};
use super::figures::{Counts, Figures, read};
use super::settings::Settings;
use super::target::{Location, Target};
use super::tend::Tender;
use super::tokens::Tokens;
use crate::random;
use crate::tls::ClientTls;

/// How long a call waits for what somebody else's try of an ejected endpoint comes to.
const OTHERS_PROBE: Duration = Duration::from_millis(50);

/// How often a place is looked for again that was taken meanwhile.
const TAKES_MAX: usize = 4;

/// Endpoints that a message lists.
const LISTED_MAX: usize = 5;

/// What all parts of a channel share.
pub(super) struct Common {
    pub(super) target: Target,
    pub(super) settings: Settings,
    pub(super) tls: Option<ClientTls>,
    pub(super) runtime: Handle,
    pub(super) tokens: Tokens,
    pub(super) counts: Counts,
    /// Told when a call that waits should look again.
    pub(super) changed: Notify,
    /// Told when names should be resolved soon.
    pub(super) resolve: Notify,
    waiting: AtomicUsize,
}

impl Common {
    pub(super) fn new(
        target: Target,
        settings: Settings,
        tls: Option<ClientTls>,
        runtime: Handle,
    ) -> Self {
        let tokens = Tokens::new(&settings.retries);
        Self {
            target,
            settings,
            tls,
            runtime,
            tokens,
            counts: Counts::default(),
            changed: Notify::new(),
            resolve: Notify::new(),
            waiting: AtomicUsize::new(0),
        }
    }

    /// A timer of the channel's runtime, wherever it is made.
    pub(super) fn sleep_until(&self, at: Instant) -> Sleep {
        let _entered = self.runtime.enter();
        sleep_until(at)
    }

    /// Calls that one connection carries at a time.
    pub(super) fn streams_max(&self) -> usize {
        self.settings.streams_per_connection_max.get() as usize
    }

    /// A place has become free.
    pub(super) fn freed(&self) {
        if self.waiting.load(Ordering::Relaxed) > 0 {
            self.changed.notify_one();
        }
    }
}

/// A task that ends with its owner.
pub(super) struct Task(JoinHandle<()>);

impl Task {
    pub(super) fn spawn(
        runtime: &Handle,
        future: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        Self(runtime.spawn(future))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

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
    /// All are ejected; this one is due the soonest.
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
                waiting = Some(self.wait()?);
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
            if let Some(place) = endpoints[place].endpoint.take(now, &self.common) {
                return Picked::Place(place);
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

    /// Why no call can be made now.
    fn down(&self) -> Status {
        let endpoints = self.endpoints.load();
        let mut reasons: Vec<String> =
            endpoints.iter().map(|tended| tended.endpoint.complaint()).collect();
        {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            reasons.extend(known.iter().filter_map(|known| match known {
                Known::Failed(reason) => Some(reason.clone()),
                _ => None,
            }));
        }
        let more = reasons.len().saturating_sub(LISTED_MAX);
        reasons.truncate(LISTED_MAX);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        let target = &self.common.target;
        Status::unavailable(format!("cannot reach {target}: {}{more}", reasons.join("; ")))
    }

    /// Counts a call among those that wait, if there is room.
    fn wait(&self) -> Result<Waiting<'_>, Status> {
        let most = self.common.settings.waiting_max.get();
        let waiting = Waiting(&self.common.waiting);
        if self.common.waiting.fetch_add(1, Ordering::Relaxed) >= most {
            let target = &self.common.target;
            return Err(Status::resource_exhausted(format!(
                "{most} calls wait for a connection to {target}, and more may not"
            )));
        }
        Ok(waiting)
    }

    pub(super) fn figures(&self) -> Figures {
        let now = Instant::now();
        let counts = &self.common.counts;
        Figures {
            endpoints: self.endpoints.load().iter().map(|one| one.endpoint.figures(now)).collect(),
            waiting: self.common.waiting.load(Ordering::Relaxed),
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

/// A call that waits.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The offer with the fewest calls, of several one that is drawn; one that is to be avoided only
/// if there is no other.
fn least_loaded(
    offers: &[Offer],
    is_avoided: impl Fn(usize) -> bool,
    mut below: impl FnMut(usize) -> usize,
) -> Option<usize> {
    let mut best: Option<((bool, usize), usize)> = None;
    let mut ties = 0;
    for (place, offer) in offers.iter().enumerate() {
        let Offer::Ready(in_flight) = offer else { continue };
        let rank = (is_avoided(place), *in_flight);
        match best {
            Some((least, _)) if rank > least => {}
            Some((least, _)) if rank == least => {
                ties += 1;
                // Each of the equals is kept with the same chance.
                if below(ties) == 0 {
                    best = Some((rank, place));
                }
            }
            _ => {
                ties = 1;
                best = Some((rank, place));
            }
        }
    }
    best.map(|(_, place)| place)
}

/// The ejected endpoint whose time is over the soonest.
fn soonest(offers: &[Offer]) -> Option<usize> {
    let ejected = offers.iter().enumerate().filter_map(|(place, offer)| match offer {
        Offer::Ejected(until) => Some((*until, place)),
        _ => None,
    });
    ejected.min().map(|(_, place)| place)
}
