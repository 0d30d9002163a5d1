//! Events: how many a service makes durable in a second, and how soon answers have them.
//!
//! 1. [`stream`]: clients that stream events as fast as they are acknowledged, a few requests
//!    ahead. The latency of a request is from when it was handed to the connection to when its
//!    last result came.
//! 2. [`freshness`]: clients that buy the first book of a user's shelf and ask again as soon as
//!    that is acknowledged. The latency is from the acknowledgement to the answer, which has to
//!    lack the book. It is asked for where the purchase was told, or of another replica, with the
//!    user's revision of the acknowledgement.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use api::v1::event_entry::Entry;
use api::v1::event_result::Outcome;
use api::v1::event_service_client::EventServiceClient;
use api::v1::recommendation_service_client::RecommendationServiceClient;
use api::v1::{
    Event, EventEntry, EventKind, RecommendRequest, RecordEventsRequest, StreamEventsRequest,
};
use futures_util::stream::unfold;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tonic::Status;
use tonic::transport::Channel;

use super::{Arrivals, ConnectError, Latencies, Plan, Probe, Summary, Target};

/// What is told, and for how long.
#[derive(Clone, Debug, Serialize)]
pub struct EventsPlan {
    /// Clients, each with a connection of its own.
    pub clients: usize,
    /// Events of one request.
    pub batch: usize,
    /// Requests of one client that are on their way at once.
    pub ahead: usize,
    /// Users have ids from 1 up to this.
    pub users: u32,
    /// Books have ids from 1 up to this.
    pub books: u32,
    /// How long is measured.
    #[serde(skip)]
    pub duration: Duration,
    /// Seed of what is told, and a part of each event's id, so that no run repeats another's.
    pub seed: u64,
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum EventsError {
    /// There is no connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A call ended badly.
    #[error("{call} was answered {}: {}", api::code_name(status.code()), status.message())]
    Call {
        /// The method.
        call: &'static str,
        /// What was answered.
        status: Box<Status>,
    },
}

/// How fast events became durable.
#[derive(Clone, Debug, Serialize)]
pub struct Streamed {
    /// Events that were acknowledged as stored.
    pub events: u64,
    /// Results that said something else.
    pub others: u64,
    /// How long it took, to the last acknowledgement.
    pub seconds: f64,
    /// Durable events in a second.
    pub per_second: f64,
    /// From the sending of a request to its last result.
    pub acknowledged: Summary,
    /// How late a thread was woken meanwhile.
    pub probe: Summary,
}

/// How soon answers had events.
#[derive(Clone, Debug, Serialize)]
pub struct Fresh {
    /// How often a user bought a book and asked again.
    pub asked: u64,
    /// How often the answer lacked the book, as it has to.
    pub changed: u64,
    /// From the acknowledgement to the answer.
    pub answered: Summary,
    /// The same, less the probe's figures.
    pub answered_less_probe: Summary,
    /// From the sending of an event to its acknowledgement.
    pub acknowledged: Summary,
    /// How late a thread was woken meanwhile.
    pub probe: Summary,
}

/// Streams events for as long as the plan says.
///
/// # Errors
///
/// [`EventsError`].
pub async fn stream(
    target: &Target,
    plan: &EventsPlan,
    cancelled: &Arc<AtomicBool>,
) -> Result<Streamed, EventsError> {
    let channels = connect(target, plan).await?;
    let probe = Probe::start();
    let began = Instant::now();
    let mut clients = JoinSet::new();
    for (client, channel) in channels.into_iter().enumerate() {
        let (plan, cancelled) = (plan.clone(), Arc::clone(cancelled));
        clients.spawn(stream_one(channel, plan, client, began, cancelled));
    }
    let (mut events, mut others, mut latencies) = (0, 0, Latencies::new());
    while let Some(ended) = clients.join_next().await {
        let Ok(ended) = ended else { continue };
        let told = ended.map_err(|status| failed("StreamEvents", status))?;
        events += told.events;
        others += told.others;
        latencies.merge(&told.latencies);
    }
    let seconds = began.elapsed().as_secs_f64();
    let per_second = events as f64 / seconds;
    let (acknowledged, probe) = (latencies.summary(), probe.stop().summary());
    Ok(Streamed { events, others, seconds, per_second, acknowledged, probe })
}

struct Told {
    events: u64,
    others: u64,
    latencies: Latencies,
}

async fn stream_one(
    channel: Channel,
    plan: EventsPlan,
    client: usize,
    began: Instant,
    cancelled: Arc<AtomicBool>,
) -> Result<Told, Status> {
    let (requests, receiver) = mpsc::channel::<StreamEventsRequest>(plan.ahead);
    let outgoing = unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|request| (request, receiver))
    });
    let mut results = EventServiceClient::new(channel).stream_events(outgoing).await?.into_inner();
    let mut random = ChaCha8Rng::seed_from_u64(plan.seed ^ (client as u64) << 32);
    let (mut requests, mut number) = (Some(requests), 0_u64);
    let mut sent: VecDeque<(Instant, usize)> = VecDeque::new();
    let mut told = Told { events: 0, others: 0, latencies: Latencies::new() };
    loop {
        while sent.len() < plan.ahead && requests.is_some() {
            if began.elapsed() >= plan.duration || cancelled.load(Ordering::Relaxed) {
                requests = None;
                break;
            }
            let entry = |_| {
                number += 1;
                purchase(&plan, &mut random, &format!("{:x}-{client}-{number}", plan.seed))
            };
            let request = StreamEventsRequest { entries: (0..plan.batch).map(entry).collect() };
            sent.push_back((Instant::now(), plan.batch));
            if let Some(requests) = &requests {
                let _ = requests.send(request).await;
            }
        }
        let Some(answer) = results.message().await? else { return Ok(told) };
        let mut results = answer.results.len();
        for result in &answer.results {
            match result.outcome() {
                Outcome::Stored => told.events += 1,
                _ => told.others += 1,
            }
        }
        while results > 0 {
            let Some((since, left)) = sent.front_mut() else { break };
            let taken = results.min(*left);
            *left -= taken;
            results -= taken;
            if *left == 0 {
                told.latencies.record(since.elapsed());
                sent.pop_front();
            }
        }
    }
}

fn purchase(plan: &EventsPlan, random: &mut ChaCha8Rng, event_id: &str) -> EventEntry {
    let user = random.random_range(1..=plan.users);
    let book = random.random_range(1..=plan.books);
    bought(user, &book.to_string(), event_id)
}

fn bought(user: u32, book: &str, event_id: &str) -> EventEntry {
    let event = Event {
        event_id: event_id.to_owned(),
        user_id: user.to_string(),
        book_id: book.to_owned(),
        kind: EventKind::Purchase.into(),
        ..Event::default()
    };
    EventEntry { entry: Some(Entry::Event(event)) }
}

/// Buys and asks again for as long as the plan says, a user after the other for each client. Where
/// there is another replica, that one is asked.
///
/// # Errors
///
/// [`EventsError`].
pub async fn freshness(
    target: &Target,
    other: Option<&Target>,
    plan: &EventsPlan,
    cancelled: &Arc<AtomicBool>,
) -> Result<Fresh, EventsError> {
    let tell = connect(target, plan).await?;
    let ask = match other {
        Some(other) => connect(other, plan).await?.into_iter().map(Some).collect(),
        None => vec![None; tell.len()],
    };
    let probe = Probe::start();
    let figures = Arc::new(FreshFigures::default());
    let began = Instant::now();
    let mut clients = JoinSet::new();
    for (client, (tell, other)) in tell.into_iter().zip(ask).enumerate() {
        let channels = Channels { tell, other };
        let (plan, figures, cancelled) =
            (plan.clone(), Arc::clone(&figures), Arc::clone(cancelled));
        clients.spawn(async move {
            let mut random = ChaCha8Rng::seed_from_u64(plan.seed ^ (client as u64) << 32);
            let mut number = 0_u64;
            while began.elapsed() < plan.duration && !cancelled.load(Ordering::Relaxed) {
                number += 1;
                let user = random.random_range(1..=plan.users);
                let event_id = format!("{:x}-f{client}-{number}", plan.seed);
                ask_again(&channels, user, &event_id, &figures).await?;
            }
            Ok(())
        });
    }
    while let Some(ended) = clients.join_next().await {
        ended.unwrap_or(Ok(())).map_err(|status| failed("RecordEvents or Recommend", status))?;
    }
    let probe = probe.stop().summary();
    let lock = |latencies: &Mutex<Latencies>| {
        latencies.lock().unwrap_or_else(PoisonError::into_inner).summary()
    };
    let answered = lock(&figures.answered);
    Ok(Fresh {
        asked: figures.asked.load(Ordering::Relaxed),
        changed: figures.changed.load(Ordering::Relaxed),
        answered,
        answered_less_probe: answered.less(&probe),
        acknowledged: lock(&figures.acknowledged),
        probe,
    })
}

#[derive(Default)]
struct FreshFigures {
    asked: AtomicU64,
    changed: AtomicU64,
    answered: Mutex<Latencies>,
    acknowledged: Mutex<Latencies>,
}

/// Where purchases are told, and the other replica, if that is the one to be asked.
struct Channels {
    tell: Channel,
    other: Option<Channel>,
}

/// A user buys the first book of their shelf, and asks again.
async fn ask_again(
    channels: &Channels,
    user: u32,
    event_id: &str,
    figures: &FreshFigures,
) -> Result<(), Status> {
    let Channels { tell, other } = channels;
    let asked = other.as_ref().unwrap_or(tell);
    let shelf = async |user_revision| -> Result<Vec<String>, Status> {
        let user_id = user.to_string();
        let request = RecommendRequest { user_id, user_revision, ..RecommendRequest::default() };
        let answer = RecommendationServiceClient::new(asked.clone()).recommend(request).await?;
        let books = answer.into_inner().books.into_iter().filter_map(|one| one.book);
        Ok(books.map(|book| book.id).collect())
    };
    let Some(first) = shelf(0).await?.into_iter().next() else { return Ok(()) };
    let entries = vec![bought(user, &first, event_id)];
    let sent = Instant::now();
    let told = EventServiceClient::new(tell.clone())
        .record_events(RecordEventsRequest { entries })
        .await?;
    let acknowledged = Instant::now();
    // Where it was told, the answer has it without being asked to.
    let revision = match other {
        Some(_) => told.get_ref().results.first().map_or(0, |result| result.user_revision),
        None => 0,
    };
    let books = shelf(revision).await?;
    record(&figures.answered, acknowledged.elapsed());
    record(&figures.acknowledged, acknowledged - sent);
    figures.asked.fetch_add(1, Ordering::Relaxed);
    figures.changed.fetch_add(u64::from(!books.contains(&first)), Ordering::Relaxed);
    Ok(())
}

fn record(latencies: &Mutex<Latencies>, latency: Duration) {
    latencies.lock().unwrap_or_else(PoisonError::into_inner).record(latency);
}

async fn connect(target: &Target, plan: &EventsPlan) -> Result<Vec<Channel>, ConnectError> {
    // Of a plan, only its connections are looked at here.
    let clients = NonZeroUsize::new(plan.clients).unwrap_or(NonZeroUsize::MIN);
    let plan = Plan::new(Arrivals::Closed { in_flight: clients });
    target.connect(&Plan { connections: clients, ..plan }).await
}

fn failed(call: &'static str, status: Status) -> EventsError {
    EventsError::Call { call, status: Box::new(status) }
}
