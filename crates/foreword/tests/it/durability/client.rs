//! A client of a shop that writes and reads until it is told to stop, whatever happens.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use api::v1::event_entry::Entry;
use api::v1::event_service_client::EventServiceClient;
use api::v1::recommendation_service_client::RecommendationServiceClient;
use api::v1::user_service_client::UserServiceClient;
use api::v1::{
    Event, EventEntry, EventKind, EventResult, ExportUserRequest, RecommendRequest,
    RecordEventsRequest, Retraction, StoredEvent, StreamEventsRequest,
};
use prost_types::Timestamp;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use testbed::checker::OperationNumber;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::shop::BOOKS;
use super::witness::Witness;

/// No call takes longer, unless something hangs.
const CALL_LIMIT: Duration = Duration::from_secs(30);

/// How long to wait after a call that failed.
const PAUSE: Duration = Duration::from_millis(15);

/// How many entries of a stream wait for their results at most, but for those of one request.
const ENTRIES_OPEN_MAX: usize = 40;

/// When the first event happened.
const FIRST_SECOND: i64 = 1_750_000_000;

/// What the clients of one round share.
#[derive(Clone)]
pub(crate) struct Crowd {
    pub(crate) witness: Arc<Witness>,
    /// Begins the ids of events and users.
    pub(crate) name: String,
    pub(crate) users: u32,
    pub(crate) has_to_stop: Arc<AtomicBool>,
    /// One for each replica.
    pub(crate) channels: Vec<Channel>,
}

impl Crowd {
    pub(crate) fn new(name: &str, users: u32, channels: Vec<Channel>) -> Self {
        let (witness, has_to_stop) = (Arc::default(), Arc::default());
        Self { witness, name: name.to_owned(), users, has_to_stop, channels }
    }

    pub(crate) fn user(&self, number: u32) -> String {
        format!("{}-user-{number}", self.name)
    }

    fn has_to_stop(&self) -> bool {
        self.has_to_stop.load(Ordering::Relaxed)
    }
}

/// An entry that was sent and not yet answered.
struct Asked {
    number: OperationNumber,
    entry: EventEntry,
}

/// One of them.
pub(crate) struct Client {
    pub(crate) crowd: Crowd,
    number: u32,
    random: ChaCha8Rng,
    events: u32,
}

impl Client {
    pub(crate) fn new(crowd: &Crowd, number: u32, seed: u64) -> Self {
        let random = ChaCha8Rng::seed_from_u64(seed ^ (u64::from(number) << 32));
        Self { crowd: crowd.clone(), number, random, events: 0 }
    }

    /// One that looks what a fault does, with a number and a chance of its own.
    pub(crate) fn probe(crowd: &Crowd, number: usize) -> Self {
        static PROBES: AtomicU32 = AtomicU32::new(1000);
        let own = PROBES.fetch_add(1, Ordering::Relaxed);
        Self::new(crowd, own, number as u64)
    }

    /// Does one thing after the other.
    pub(crate) async fn run(mut self) {
        while !self.crowd.has_to_stop() {
            let chance = self.random.random_range(0..10);
            let done = tokio::time::timeout(CALL_LIMIT, async {
                match chance {
                    0..3 => self.stream().await,
                    3..6 => self.record().await,
                    6 => self.export().await,
                    _ => self.recommend().await,
                }
            });
            match done.await {
                Ok(true) => {}
                Ok(false) => tokio::time::sleep(PAUSE).await,
                Err(_) => self.crowd.witness.complain(format!("a call took over {CALL_LIMIT:?}")),
            }
        }
    }

    /// Tells some events in one call. Whether that worked.
    pub(crate) async fn record(&mut self) -> bool {
        let entries = self.entries();
        let channel = self.channel();
        match self.tell(channel, &entries).await {
            Ok(()) => true,
            Err(status) => {
                self.crowd.witness.write_failed(&status);
                false
            }
        }
    }

    /// Sends again, with the same ids, whatever was not acknowledged, until all is.
    pub(crate) async fn repeat_all(&mut self) -> Result<(), Status> {
        for events in self.crowd.witness.unacknowledged().chunks(100) {
            let entries: Vec<EventEntry> = events.iter().cloned().map(entry).collect();
            let channel = self.channel();
            self.tell(channel, &entries).await?;
        }
        Ok(())
    }

    async fn tell(&self, channel: Channel, entries: &[EventEntry]) -> Result<(), Status> {
        let asked = entries.iter().map(|entry| self.ask(entry)).collect::<VecDeque<_>>();
        let mut service = EventServiceClient::new(channel);
        let request = RecordEventsRequest { entries: entries.to_vec() };
        match service.record_events(request).await {
            Ok(answer) => {
                let results = answer.into_inner().results;
                if results.len() != entries.len() {
                    let count = results.len();
                    let expected = entries.len();
                    self.crowd.witness.complain(format!("{count} results of {expected} entries"));
                }
                asked.iter().zip(&results).for_each(|(asked, result)| self.hear(asked, result));
                Ok(())
            }
            Err(status) => {
                self.hear_nothing(&asked);
                Err(status)
            }
        }
    }

    /// Tells some events in a stream, with several requests on their way.
    async fn stream(&mut self) -> bool {
        let (send, requests) = mpsc::channel(ENTRIES_OPEN_MAX);
        let mut service = EventServiceClient::new(self.channel());
        let mut results = match service.stream_events(ReceiverStream::new(requests)).await {
            Ok(answer) => answer.into_inner(),
            Err(status) => {
                self.crowd.witness.write_failed(&status);
                return false;
            }
        };
        let mut asked = VecDeque::new();
        let mut left = self.random.random_range(1..12);
        let mut send = Some(send);
        loop {
            while left > 0 && asked.len() < ENTRIES_OPEN_MAX {
                left -= 1;
                let entries = self.entries();
                asked.extend(entries.iter().map(|entry| self.ask(entry)));
                if let Some(send) = &send {
                    // If nobody takes it, the stream says why.
                    let _ = send.try_send(StreamEventsRequest { entries });
                }
            }
            if left == 0 || self.crowd.has_to_stop() {
                left = 0;
                send = None;
            }
            match results.message().await {
                Ok(Some(answer)) => {
                    for result in &answer.results {
                        let Some(asked) = asked.pop_front() else {
                            self.crowd.witness.complain(format!("{result:?} was not asked for"));
                            return false;
                        };
                        self.hear(&asked, result);
                    }
                }
                Ok(None) if asked.is_empty() => return true,
                Ok(None) => {
                    self.crowd.witness.complain("a stream ended without all results".to_owned());
                    self.hear_nothing(&asked);
                    return false;
                }
                Err(status) => {
                    self.crowd.witness.write_failed(&status);
                    self.hear_nothing(&asked);
                    return false;
                }
            }
        }
    }

    async fn export(&mut self) -> bool {
        let user = self.user();
        let channel = self.channel();
        match self.export_user(channel, &user).await {
            Ok(_) => true,
            Err(status) => {
                // While the store is away, it cannot be read.
                if status.code() != Code::Unavailable {
                    self.crowd.witness.read_failed("ExportUser", &status);
                }
                false
            }
        }
    }

    /// Reads everything of a user.
    pub(crate) async fn export_user(
        &self,
        channel: Channel,
        user: &str,
    ) -> Result<Vec<StoredEvent>, Status> {
        let (asked, revision) = self.crowd.witness.ask_all(self.number, user);
        let all = all_of(channel, user).await;
        match &all {
            Ok(all) => self.crowd.witness.hear_all(asked, revision, all),
            Err(_) => self.crowd.witness.hear_nothing(&[asked]),
        }
        all
    }

    /// Asks for a shelf, with the highest revision that is known, or, where there is one replica
    /// only, sometimes without.
    pub(crate) async fn recommend(&mut self) -> bool {
        let user = self.user();
        let has_choice = self.crowd.channels.len() == 1;
        let had = self.crowd.witness.had(&user);
        let revision = match has_choice && self.random.random_bool(0.5) {
            true => 0,
            false => self.crowd.witness.revision(&user),
        };
        let request = RecommendRequest {
            user_id: user.clone(),
            max_results: 100,
            user_revision: revision.cast_signed(),
            ..RecommendRequest::default()
        };
        match RecommendationServiceClient::new(self.channel()).recommend(request).await {
            Ok(answer) => {
                self.crowd.witness.recommended(&user, revision, &had, answer.get_ref());
                true
            }
            Err(status) => {
                self.crowd.witness.read_failed("Recommend", &status);
                false
            }
        }
    }

    /// What to tell next: mostly something new.
    fn entries(&mut self) -> Vec<EventEntry> {
        let count = self.random.random_range(1..6);
        (0..count).map(|_| self.entry()).collect()
    }

    fn entry(&mut self) -> EventEntry {
        let chance = self.random.random_range(0..20);
        let known = self.crowd.witness.any_sent(self.random.random_range(0..1 << 30));
        match (chance, known) {
            (0..2, Some(Event { user_id, event_id, .. })) => {
                EventEntry { entry: Some(Entry::Retraction(Retraction { user_id, event_id })) }
            }
            (2..6, Some(event)) => entry(event),
            _ => self.new_event(),
        }
    }

    fn new_event(&mut self) -> EventEntry {
        self.events += 1;
        let (name, number, events) = (&self.crowd.name, self.number, self.events);
        let kinds = [EventKind::Purchase, EventKind::Finish, EventKind::View, EventKind::Rating];
        let kind = kinds[self.random.random_range(0..kinds.len())];
        let seconds = FIRST_SECOND + self.random.random_range(0..1_000_000);
        entry(Event {
            event_id: format!("{name}-{number}-{events}"),
            user_id: self.user(),
            book_id: self.random.random_range(1..=BOOKS).to_string(),
            kind: kind.into(),
            rating: if kind == EventKind::Rating { 4.0 } else { 0.0 },
            event_time: Some(Timestamp { seconds, nanos: 0 }),
            attribution_token: String::new(),
        })
    }

    fn user(&mut self) -> String {
        let number = self.random.random_range(0..self.crowd.users);
        self.crowd.user(number)
    }

    fn channel(&mut self) -> Channel {
        let place = self.random.random_range(0..self.crowd.channels.len());
        self.crowd.channels[place].clone()
    }

    fn ask(&self, entry: &EventEntry) -> Asked {
        Asked { number: self.crowd.witness.ask(self.number, entry), entry: entry.clone() }
    }

    fn hear(&self, asked: &Asked, result: &EventResult) {
        self.crowd.witness.hear(asked.number, &asked.entry, result);
    }

    fn hear_nothing(&self, asked: &VecDeque<Asked>) {
        let numbers: Vec<_> = asked.iter().map(|asked| asked.number).collect();
        self.crowd.witness.hear_nothing(&numbers);
    }
}

/// Everything that is stored of a user; nothing of one whom the shop does not know.
pub(crate) async fn all_of(channel: Channel, user: &str) -> Result<Vec<StoredEvent>, Status> {
    let request = ExportUserRequest { user_id: user.to_owned() };
    let mut answers = match UserServiceClient::new(channel).export_user(request).await {
        Ok(answers) => answers.into_inner(),
        Err(status) if status.code() == Code::NotFound => return Ok(Vec::new()),
        Err(status) => return Err(status),
    };
    let mut all = Vec::new();
    loop {
        match answers.message().await {
            Ok(Some(answer)) => all.extend(answer.events),
            Ok(None) => return Ok(all),
            Err(status) if status.code() == Code::NotFound => return Ok(Vec::new()),
            Err(status) => return Err(status),
        }
    }
}

pub(crate) fn entry(event: Event) -> EventEntry {
    EventEntry { entry: Some(Entry::Event(event)) }
}
