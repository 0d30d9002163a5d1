//! A client of a shop that writes and reads until it is told to stop, whatever happens.

mod choices;
mod stream;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use api::v1::event_entry::Entry;
use api::v1::event_service_client::EventServiceClient;
use api::v1::recommendation_service_client::RecommendationServiceClient;
use api::v1::user_service_client::UserServiceClient;
use api::v1::{
    Event, EventEntry, EventResult, ExportUserRequest, RecommendRequest, RecordEventsRequest,
    StoredEvent,
};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use testbed::checker::OperationNumber;
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::crowd::Crowd;

/// No call takes longer, unless something hangs.
const CALL_LIMIT: Duration = Duration::from_secs(30);

/// How long to wait after a call that failed.
const PAUSE: Duration = Duration::from_millis(15);

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
