//! Two services on one PostgreSQL, which dies under load and comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use api::v1::event_service_client::EventServiceClient;
use api::v1::recommendation_service_client::RecommendationServiceClient;
use api::v1::{Event, EventKind, RecommendRequest, RecommendResponse, RecordEventsRequest};
use testbed::postgres::{Cluster, Database};
use tonic::transport::Channel;

use super::client::{Client, all_of, entry};
use super::crowd::Crowd;
use super::serving::Serving;
use super::{shop, witness};
use crate::process::until;
use crate::program::Program;

const CLIENTS: u32 = 4;
const USERS: u32 = 8;

/// How long the database is away.
const AWAY: Duration = Duration::from_millis(1500);

/// How often somebody wants a shelf who does nothing else.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Two services on one database. Folders and database go when this does, after the services.
pub(super) struct Replicas {
    serving: [Serving; 2],
    _programs: [Program; 2],
    _database: Database,
}

impl Replicas {
    async fn start(cluster: &Cluster) -> Self {
        let database = cluster.create_database().unwrap();
        let on_it = format!("--set store.database={}", database.url());
        let programs = [Program::new(), Program::new()];
        shop::fill(&programs[0], &on_it);
        programs[0].run(&format!("train {on_it}")).succeeded();
        let serve = async |program: &Program| {
            let command = format!("serve --listen 127.0.0.1:0 {on_it}");
            Serving::start(&mut program.command(&command)).await
        };
        let serving = [serve(&programs[0]).await, serve(&programs[1]).await];
        Self { serving, _programs: programs, _database: database }
    }

    fn channels(&self) -> Vec<Channel> {
        self.serving.iter().map(|serving| serving.channel.clone()).collect()
    }
}

/// What a run shows, in words.
type Report = String;

/// Kills or stops the database so many times; `None` if there is no PostgreSQL.
pub(super) async fn restarts(test: &str, times: u32) -> Option<Report> {
    let mut cluster = Cluster::start_or_skip(test)?;
    let replicas = Replicas::start(&cluster).await;
    let crowd = Crowd::new("replicas", USERS, replicas.channels());
    let clients: Vec<_> =
        (0..CLIENTS).map(|number| tokio::spawn(Client::new(&crowd, number, 7).run())).collect();
    let watchers: Vec<_> = (replicas.channels().into_iter())
        .map(|channel| tokio::spawn(watch(channel, Arc::clone(&crowd.has_to_stop))))
        .collect();
    let mut recovered_in = Vec::new();
    for time in 0..times {
        tokio::time::sleep(Duration::from_millis(500)).await;
        tokio::task::block_in_place(|| match time % 2 {
            0 => cluster.kill(),
            _ => cluster.stop_now(),
        })
        .unwrap();
        each_refuses(&crowd).await;
        tokio::time::sleep(AWAY).await;
        tokio::task::block_in_place(|| cluster.start_again()).unwrap();
        recovered_in.push(each_recovers(&crowd).await);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    crowd.has_to_stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    let mut shelves = Shelves::default();
    for watcher in watchers {
        shelves.add(&watcher.await.unwrap());
    }
    read_back(&crowd).await;
    let counts = crowd.witness.counts();
    assert_eq!(counts.lost, 0, "calls without an answer, of services that live");
    assert!(counts.refused > 0 && shelves.stale > 0, "{counts:?} {shelves:?}");
    Some(format!("{times} restarts: {counts:?}; {shelves:?}; recovered in {recovered_in:?}"))
}

/// Both replicas refuse events and answer shelves while the database is away.
async fn each_refuses(crowd: &Crowd) {
    for (number, channel) in crowd.channels.iter().enumerate() {
        let mut probe = probe(crowd, number, channel);
        until("a refusal", async || !probe.record().await).await;
        assert!(probe.recommend().await, "a shelf without a database");
    }
}

/// Both take events again by themselves, and answer with what is there; how long that took.
async fn each_recovers(crowd: &Crowd) -> Duration {
    let began = Instant::now();
    for (number, channel) in crowd.channels.iter().enumerate() {
        let mut probe = probe(crowd, number, channel);
        until("events to be taken again", async || probe.record().await).await;
        until("what is there", async || {
            let shelf = shelf(channel.clone(), &crowd.user(0), 0).await;
            !shelf.stale && shelf.user_revision > 0
        })
        .await;
    }
    began.elapsed()
}

/// A client of one replica.
fn probe(crowd: &Crowd, number: usize, channel: &Channel) -> Client {
    let crowd = Crowd { channels: vec![channel.clone()], ..crowd.clone() };
    Client::probe(&crowd, number)
}

/// Shelves that were asked for all the time.
#[derive(Debug, Default)]
struct Shelves {
    answered: u64,
    stale: u64,
    slowest: Duration,
}

impl Shelves {
    fn add(&mut self, other: &Self) {
        self.answered += other.answered;
        self.stale += other.stale;
        self.slowest = self.slowest.max(other.slowest);
    }
}

/// Asks for the shelf of a reader of whom something is known; it is never refused.
async fn watch(channel: Channel, has_to_stop: Arc<AtomicBool>) -> Shelves {
    let mut shelves = Shelves::default();
    while !has_to_stop.load(Ordering::Relaxed) {
        let began = Instant::now();
        let shelf = shelf(channel.clone(), "1", 0).await;
        assert!(!shelf.books.is_empty());
        shelves.answered += 1;
        shelves.stale += u64::from(shelf.stale);
        shelves.slowest = shelves.slowest.max(began.elapsed());
        tokio::time::sleep(LOOK_EVERY).await;
    }
    shelves
}

/// Sends again what was not acknowledged, reads everything at both, and looks whether it may be so.
async fn read_back(crowd: &Crowd) {
    let mut client = Client::new(crowd, CLIENTS, 7);
    until("everything to be taken", async || client.repeat_all().await.is_ok()).await;
    for channel in &crowd.channels {
        let mut rows = Vec::new();
        for user in (0..crowd.users).map(|user| crowd.user(user)) {
            client.export_user(channel.clone(), &user).await.unwrap();
            let all = all_of(channel.clone(), &user).await.unwrap();
            rows.extend(all.iter().map(|event| witness::stored(&user, event)));
        }
        let complaints = crowd.witness.judge(&rows);
        assert!(complaints.is_empty(), "{}", complaints.join("\n- "));
    }
}

/// What one acknowledged is in the answer of the other at once with the revision, and soon
/// without; `None` if there is no PostgreSQL.
pub(super) async fn freshness(test: &str, events: u32) -> Option<Report> {
    let cluster = Cluster::start_or_skip(test)?;
    let replicas = Replicas::start(&cluster).await;
    let channels = replicas.channels();
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for number in 0..events {
        let here = number as usize % channels.len();
        let (here, other) = (channels[here].clone(), channels[1 - here].clone());
        let user = format!("fresh-{}", number % 10);
        let book = (number % shop::BOOKS + 1).to_string();
        let revision = buy(here, &user, &book, number).await;
        let acknowledged = Instant::now();
        if number % 2 == 0 {
            let shelf = shelf(other, &user, revision).await;
            with.push(acknowledged.elapsed());
            assert!(!shelf.stale && shelf.user_revision >= revision, "{shelf:?}");
            assert!(!has(&shelf, &book), "{user} has {book} since {revision}: {shelf:?}");
        } else {
            until("the other replica", async || !has(&shelf(other.clone(), &user, 0).await, &book))
                .await;
            without.push(acknowledged.elapsed());
        }
    }
    Some(format!("with the revision {}; without {}", times(with), times(without)))
}

fn times(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let (middle, last) = (times[times.len() / 2], times[times.len() - 1]);
    format!("{} times, p50 {middle:?}, max {last:?}", times.len())
}

async fn buy(channel: Channel, user: &str, book: &str, number: u32) -> i64 {
    let event = Event {
        event_id: format!("fresh-{number}"),
        user_id: user.to_owned(),
        book_id: book.to_owned(),
        kind: EventKind::Purchase.into(),
        ..Event::default()
    };
    let request = RecordEventsRequest { entries: vec![entry(event)] };
    let told = EventServiceClient::new(channel).record_events(request).await.unwrap();
    told.into_inner().results[0].user_revision
}

async fn shelf(channel: Channel, user: &str, user_revision: i64) -> RecommendResponse {
    let request = RecommendRequest {
        user_id: user.to_owned(),
        max_results: 100,
        user_revision,
        ..RecommendRequest::default()
    };
    RecommendationServiceClient::new(channel).recommend(request).await.unwrap().into_inner()
}

fn has(shelf: &RecommendResponse, id: &str) -> bool {
    shelf.books.iter().filter_map(|one| one.book.as_ref()).any(|book| book.id == id)
}
