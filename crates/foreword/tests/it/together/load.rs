//! Load on a deployment, open: calls and pages are begun on a clock, whatever becomes of those
//! before. What became of each is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use api::v1::event_entry::Entry;
use api::v1::event_service_client::EventServiceClient;
use api::v1::recommendation_service_client::RecommendationServiceClient;
use api::v1::user_service_client::UserServiceClient;
use api::v1::{
    Event, EventEntry, EventKind, ExportUserRequest, Fallback, RecommendRequest, RecommendResponse,
    RecordEventsRequest,
};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tonic::{Request, Status};
use transport::client::{Channel, Settings};
use transport::tls::{ClientIdentity, ClientTls, ClientTlsFiles, Watcher};

use super::certificates::HOST;
use super::deployment::Deployment;
use super::http::get;
use super::storefront::Storefront;

/// How often certificates are looked at.
const CERTIFICATES_EVERY: Duration = Duration::from_millis(500);

/// Every so many calls is an event.
const EVENT_EVERY: u32 = 5;

/// Users whom the load is about.
const USERS: u32 = 40;

/// A page without an answer of the service, of what the shop remembers.
pub(super) const REMEMBERED: &str = "a remembered page";

/// How fast calls come, and what is expected of them.
#[derive(Clone, Copy)]
pub(super) struct Plan {
    /// Calls a second.
    pub(super) rate: u32,
    /// What each may take.
    pub(super) deadline: Duration,
    /// Whether shelves may be others than the user's own.
    pub(super) with_fallbacks: bool,
}

/// What became of a call or a page.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) what: &'static str,
    pub(super) began: Instant,
    pub(super) took: Duration,
    /// Why it failed.
    pub(super) failure: Option<String>,
}

/// Calls to the service, and pages of shops, until it is told to stop.
pub(super) struct Load {
    clients: Clients,
    outcomes: Arc<Mutex<Vec<Outcome>>>,
    acknowledged: Arc<Mutex<BTreeSet<(String, String)>>>,
    stop: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<()>,
    _watcher: Watcher,
}

#[derive(Clone)]
struct Clients {
    channel: Channel,
    recommendations: RecommendationServiceClient<Channel>,
    events: EventServiceClient<Channel>,
}

impl Load {
    /// Starts calling.
    pub(super) fn start(deployment: &Deployment, shops: &[Storefront], plan: Plan) -> Self {
        let tls = tls(deployment, "client");
        let watcher = Watcher::start_for_client(tls.clone(), CERTIFICATES_EVERY).unwrap();
        let channel = channel(deployment, plan, tls);
        let clients = Clients {
            recommendations: RecommendationServiceClient::new(channel.clone()),
            events: EventServiceClient::new(channel.clone()),
            channel,
        };
        let (outcomes, acknowledged, stop) = <(Arc<_>, Arc<_>, Arc<_>)>::default();
        let run = Run {
            clients: clients.clone(),
            outcomes: Arc::clone(&outcomes),
            acknowledged: Arc::clone(&acknowledged),
            stop: Arc::clone(&stop),
            shops: shops.iter().map(|shop| shop.address).collect(),
            plan,
        };
        let task = tokio::spawn(run.go());
        Self { clients, outcomes, acknowledged, stop, task, _watcher: watcher }
    }

    /// What it calls with.
    pub(super) fn channel(&self) -> Channel {
        self.clients.channel.clone()
    }

    /// Lets open calls finish; what became of all.
    pub(super) async fn end(&mut self) -> Outcomes {
        self.stop.store(true, Ordering::Relaxed);
        (&mut self.task).await.unwrap();
        let all = self.outcomes.lock().unwrap().clone();
        Outcomes { all }
    }

    /// Looks whether every event that was acknowledged is there.
    pub(super) async fn nothing_is_lost(&self) -> usize {
        let acknowledged = self.acknowledged.lock().unwrap().clone();
        let mut stored = BTreeSet::new();
        let users: BTreeSet<&String> = acknowledged.iter().map(|(user, _)| user).collect();
        let mut client = UserServiceClient::new(self.clients.channel.clone());
        for user in users {
            let request = ExportUserRequest { user_id: user.clone() };
            let mut answers = client.export_user(request).await.unwrap().into_inner();
            while let Some(answer) = answers.message().await.unwrap() {
                let events = answer.events.into_iter().filter_map(|stored| stored.event);
                stored.extend(events.map(|event| (user.clone(), event.event_id)));
            }
        }
        assert!(!acknowledged.is_empty(), "no event was acknowledged");
        let lost: Vec<_> = acknowledged.difference(&stored).collect();
        assert!(lost.is_empty(), "{} of {} are lost: {lost:?}", lost.len(), acknowledged.len());
        acknowledged.len()
    }
}

/// What a client with the files of this name shows and trusts.
pub(super) fn tls(deployment: &Deployment, name: &str) -> ClientTls {
    let file = |name: &str| deployment.certificates.path(name);
    let (certificate, key) = (file(&format!("{name}.pem")), file(&format!("{name}.key")));
    let identity = Some(ClientIdentity { certificate, key });
    ClientTls::load(ClientTlsFiles { authorities: file("ca.pem"), identity }).unwrap()
}

pub(super) fn channel(deployment: &Deployment, plan: Plan, tls: ClientTls) -> Channel {
    let target = format!("https://{HOST}:{}", deployment.port).parse().unwrap();
    Channel::new(target, settings(deployment, plan), Some(tls)).unwrap()
}

/// Like those of the web shop.
fn settings(deployment: &Deployment, plan: Plan) -> Settings {
    let mut settings = Settings::for_a_nearby_service().for_callers_who_wait(plan.deadline);
    settings.names.servers = vec![deployment.names.address()];
    settings.retries.backoff_first = Duration::from_millis(20);
    settings.ejection.backoff_max = Duration::from_secs(5);
    settings.retries.idempotent_methods = api::idempotent_methods();
    settings
}

/// The load as it runs.
struct Run {
    clients: Clients,
    outcomes: Arc<Mutex<Vec<Outcome>>>,
    acknowledged: Arc<Mutex<BTreeSet<(String, String)>>>,
    stop: Arc<AtomicBool>,
    shops: Vec<std::net::SocketAddr>,
    plan: Plan,
}

impl Run {
    async fn go(self) {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        let run = RUNS.fetch_add(1, Ordering::Relaxed);
        let mut clock = interval(Duration::from_secs(1) / self.plan.rate);
        clock.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut open = JoinSet::new();
        let mut number = 0_u32;
        while !self.stop.load(Ordering::Relaxed) {
            clock.tick().await;
            number += 1;
            if number.is_multiple_of(EVENT_EVERY) {
                open.spawn(self.event(run, number));
            } else {
                open.spawn(self.recommend(number));
            }
            if number.is_multiple_of(10) && !self.shops.is_empty() {
                let shop = self.shops[(number / 10) as usize % self.shops.len()];
                open.spawn(self.page(shop));
            }
            while open.try_join_next().is_some() {}
        }
        while let Some(ended) = open.join_next().await {
            ended.unwrap();
        }
    }

    fn recommend(&self, number: u32) -> impl Future<Output = ()> + use<> {
        let request = RecommendRequest {
            user_id: (number % USERS).to_string(),
            max_results: 10,
            ..RecommendRequest::default()
        };
        let mut client = self.clients.recommendations.clone();
        let (outcomes, request) = (Arc::clone(&self.outcomes), self.within(request));
        let with_fallbacks = self.plan.with_fallbacks;
        async move {
            let began = Instant::now();
            let answer = client.recommend(request).await;
            let failure = match answer {
                Ok(answer) => wrong(answer.get_ref(), with_fallbacks),
                Err(status) => Some(told(&status)),
            };
            keep(&outcomes, "Recommend", began, failure);
        }
    }

    fn event(&self, run: u32, number: u32) -> impl Future<Output = ()> + use<> {
        let user = format!("load-{}", number % USERS);
        let event = Event {
            event_id: format!("load-{run}-{number}"),
            user_id: user.clone(),
            book_id: (number % crate::durability::shop::BOOKS + 1).to_string(),
            kind: EventKind::View.into(),
            ..Event::default()
        };
        let id = event.event_id.clone();
        let request =
            RecordEventsRequest { entries: vec![EventEntry { entry: Some(Entry::Event(event)) }] };
        let mut client = self.clients.events.clone();
        let (outcomes, request) = (Arc::clone(&self.outcomes), self.within(request));
        let acknowledged = Arc::clone(&self.acknowledged);
        async move {
            let began = Instant::now();
            let failure = client.record_events(request).await.err().map(|status| told(&status));
            if failure.is_none() {
                acknowledged.lock().unwrap().insert((user, id));
            }
            keep(&outcomes, "RecordEvents", began, failure);
        }
    }

    fn page(&self, shop: std::net::SocketAddr) -> impl Future<Output = ()> + use<> {
        let outcomes = Arc::clone(&self.outcomes);
        async move {
            let began = Instant::now();
            let page = get(shop, "/", "accept-language: en\r\n", Duration::from_secs(10)).await;
            let failure = (page.status != 200).then(|| format!("status {}", page.status));
            let is_fresh = page.text.contains("/books/") && !page.text.contains("taking a break");
            keep(&outcomes, if is_fresh { "a page" } else { REMEMBERED }, began, failure);
        }
    }

    fn within<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(self.plan.deadline);
        request
    }
}

/// What is wrong with a shelf.
fn wrong(answer: &RecommendResponse, with_fallbacks: bool) -> Option<String> {
    if answer.books.is_empty() {
        return Some("an empty shelf".to_owned());
    }
    let fallback = answer.fallback();
    let is_personal = fallback == Fallback::Unspecified;
    (!is_personal && !with_fallbacks).then(|| format!("not personal: {}", fallback.as_str_name()))
}

fn told(status: &Status) -> String {
    format!("{:?}: {}", status.code(), status.message())
}

fn keep(
    outcomes: &Mutex<Vec<Outcome>>,
    what: &'static str,
    began: Instant,
    failure: Option<String>,
) {
    let outcome = Outcome { what, began, took: began.elapsed(), failure };
    outcomes.lock().unwrap().push(outcome);
}

/// What became of a load.
pub(super) struct Outcomes {
    all: Vec<Outcome>,
}

impl Outcomes {
    /// Those of one kind.
    pub(super) fn of(&self, what: &str) -> Self {
        Self { all: self.all.iter().filter(|one| one.what == what).cloned().collect() }
    }

    /// Those that were under way in a span of time, and did not begin after it.
    pub(super) fn between(&self, from: Instant, to: Instant) -> Self {
        let fits = |one: &&Outcome| one.began < to && one.began + one.took >= from;
        Self { all: self.all.iter().filter(fits).cloned().collect() }
    }

    /// Those that began at a moment or later.
    pub(super) fn begun_after(&self, from: Instant) -> Self {
        Self { all: self.all.iter().filter(|one| one.began >= from).cloned().collect() }
    }

    /// Those that are pages of a shop, fresh or remembered.
    pub(super) fn pages(&self) -> Self {
        Self { all: self.all.iter().filter(|one| one.what.contains("page")).cloned().collect() }
    }

    /// Those that are none.
    pub(super) fn calls(&self) -> Self {
        Self { all: self.all.iter().filter(|one| !one.what.contains("page")).cloned().collect() }
    }

    pub(super) fn slower_than(&self, time: Duration) -> Self {
        Self { all: self.all.iter().filter(|one| one.took > time).cloned().collect() }
    }

    pub(super) fn faster_than(&self, time: Duration) -> Self {
        Self { all: self.all.iter().filter(|one| one.took < time).cloned().collect() }
    }

    pub(super) fn count(&self) -> usize {
        self.all.len()
    }

    /// How many failed.
    pub(super) fn failed(&self) -> usize {
        self.all.iter().filter(|one| one.failure.is_some()).count()
    }

    /// What failures said, and how often.
    pub(super) fn failures(&self) -> BTreeMap<(&'static str, String), usize> {
        let mut failures = BTreeMap::new();
        for one in &self.all {
            if let Some(failure) = &one.failure {
                *failures.entry((one.what, failure.clone())).or_default() += 1;
            }
        }
        failures
    }

    /// The 99th percentile of their times.
    pub(super) fn p99(&self) -> Duration {
        if self.all.is_empty() {
            return Duration::ZERO;
        }
        let mut times: Vec<Duration> = self.all.iter().map(|one| one.took).collect();
        times.sort_unstable();
        times[times.len() * 99 / 100]
    }

    /// The slowest.
    pub(super) fn slowest(&self) -> Duration {
        self.all.iter().map(|one| one.took).max().unwrap_or_default()
    }

    /// Fails if any failed; says how many there were.
    pub(super) fn none_failed(&self) -> String {
        assert!(self.count() > 0, "there was no load");
        assert_eq!(self.failed(), 0, "of {}: {:#?}", self.count(), self.failures());
        assert_eq!(self.of(REMEMBERED).count(), 0, "pages without the service");
        let parts = ["Recommend", "RecordEvents", "a page"].map(|what| (what, self.of(what)));
        let parts = parts.iter().filter(|(_, of)| of.count() > 0);
        let parts = parts.map(|(what, of)| {
            format!("{} × {what}, p99 {:?}, at most {:?}", of.count(), of.p99(), of.slowest())
        });
        format!("0 failed of {}", parts.collect::<Vec<_>>().join("; "))
    }
}
