//! What clients asked and heard: for the checker, and for what an answer has to have.
//!
//! An export names no revision. It has to show all that was heard of before it was asked for, so
//! its revision is the highest that anybody had heard of the user by then. For that, a revision is
//! known here before its answer is noted, and looked up after a question is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use api::v1::event_entry::Entry;
use api::v1::event_result::Outcome as Told;
use api::v1::{Event, EventEntry, EventKind, EventResult, RecommendResponse, StoredEvent};
use testbed::checker::{self, History, OperationNumber, Outcome, Recorder, Request, SeenEvent};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// Sees all that clients of one round do.
#[derive(Default)]
pub(crate) struct Witness {
    recorder: Recorder,
    heard: Mutex<Heard>,
}

#[derive(Default)]
struct Heard {
    /// Of each user the highest revision.
    revisions: BTreeMap<String, u64>,
    /// Events that were sent, by id.
    sent: BTreeMap<String, Sent>,
    counts: Counts,
    complaints: Vec<String>,
}

/// An event that was sent.
#[derive(Clone, Debug)]
struct Sent {
    event: Event,
    is_acknowledged: bool,
    is_retracted: bool,
}

/// How often what happened.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) acknowledged: u64,
    /// Answered UNAVAILABLE.
    pub(crate) refused: u64,
    /// Not answered.
    pub(crate) lost: u64,
    pub(crate) recommended: u64,
    /// Recommendations that were marked as stale, or as a fallback since the store was away.
    pub(crate) stale: u64,
}

/// Books that somebody certainly has.
pub(crate) type Had = BTreeSet<String>;

impl Witness {
    /// Notes that an entry is about to be sent.
    pub(crate) fn ask(&self, client: u32, entry: &EventEntry) -> OperationNumber {
        let mut heard = self.heard();
        let request = match entry.entry.as_ref().unwrap() {
            Entry::Event(event) => {
                let new =
                    Sent { event: event.clone(), is_acknowledged: false, is_retracted: false };
                heard.sent.entry(event.event_id.clone()).or_insert(new);
                let (user, contents) = (event.user_id.clone(), contents(event));
                Request::Record { user, event: event.event_id.clone(), contents }
            }
            Entry::Retraction(retraction) => {
                if let Some(sent) = heard.sent.get_mut(&retraction.event_id) {
                    sent.is_retracted = true;
                }
                let (user, event) = (retraction.user_id.clone(), retraction.event_id.clone());
                Request::Retract { user, event }
            }
        };
        drop(heard);
        self.recorder.invoke(client, request)
    }

    /// Notes what was heard of an entry.
    pub(crate) fn hear(&self, asked: OperationNumber, entry: &EventEntry, result: &EventResult) {
        let mut heard = self.heard();
        let (id, user) = match entry.entry.as_ref().unwrap() {
            Entry::Event(event) => (&event.event_id, &event.user_id),
            Entry::Retraction(retraction) => (&retraction.event_id, &retraction.user_id),
        };
        let is_event = matches!(entry.entry, Some(Entry::Event(_)));
        let is_expected = match result.outcome() {
            Told::Stored | Told::Repeated => is_event,
            Told::Retracted | Told::RetractedBefore | Told::NotFound => !is_event,
            _ => false,
        };
        if !is_expected || result.event_id != *id {
            heard.complaints.push(format!("{entry:?} was answered {result:?}"));
        }
        heard.counts.acknowledged += 1;
        let revision = result.user_revision.unsigned_abs();
        let highest = heard.revisions.entry(user.clone()).or_default();
        *highest = revision.max(*highest);
        if is_event && let Some(sent) = heard.sent.get_mut(id) {
            sent.is_acknowledged = true;
        }
        drop(heard);
        self.recorder.respond(asked, Outcome::Acknowledged { revision });
    }

    /// Notes that nothing is known of some entries.
    pub(crate) fn hear_nothing(&self, asked: &[OperationNumber]) {
        for number in asked {
            self.recorder.respond(*number, Outcome::Unknown);
        }
    }

    /// Notes how a call that writes failed. A service that lives says when to come again.
    pub(crate) fn write_failed(&self, status: &Status) {
        let mut heard = self.heard();
        if is_from_service(status) {
            heard.counts.refused += 1;
            if status.code() != Code::Unavailable || status.get_details_retry_info().is_none() {
                heard.complaints.push(format!("a write was refused without RetryInfo: {status:?}"));
            }
        } else {
            heard.counts.lost += 1;
        }
    }

    /// Notes how a call that reads failed: that happens only if the service dies.
    pub(crate) fn read_failed(&self, what: &str, status: &Status) {
        let mut heard = self.heard();
        if is_from_service(status) {
            heard.complaints.push(format!("{what} failed: {status:?}"));
        } else {
            heard.counts.lost += 1;
        }
    }

    /// Notes something that must not be.
    pub(crate) fn complain(&self, complaint: String) {
        self.heard().complaints.push(complaint);
    }

    /// Notes that all events of a user are about to be read, and gives the revision to expect.
    pub(crate) fn ask_all(&self, client: u32, user: &str) -> (OperationNumber, u64) {
        let asked = self.recorder.invoke(client, Request::Read { user: user.to_owned() });
        (asked, self.revision(user))
    }

    /// Notes what was read.
    pub(crate) fn hear_all(&self, asked: OperationNumber, revision: u64, stored: &[StoredEvent]) {
        let there = stored.iter().filter(|stored| !stored.retracted);
        let events = there.filter_map(|stored| stored.event.as_ref());
        let seen =
            |event: &Event| SeenEvent { event: event.event_id.clone(), contents: contents(event) };
        let events = events.map(seen).collect();
        self.recorder.respond(asked, Outcome::Seen { revision, events });
    }

    /// The highest revision that was heard of a user.
    pub(crate) fn revision(&self, user: &str) -> u64 {
        self.heard().revisions.get(user).copied().unwrap_or(0)
    }

    /// The books that a user certainly has: an event that settles them was acknowledged, and nobody
    /// asked to retract it.
    pub(crate) fn had(&self, user: &str) -> Had {
        let heard = self.heard();
        let settles = |sent: &&Sent| {
            let is_sure = sent.is_acknowledged && !sent.is_retracted;
            is_sure && sent.event.user_id == user && sent.event.kind() != EventKind::View
        };
        heard.sent.values().filter(settles).map(|sent| sent.event.book_id.clone()).collect()
    }

    /// Compares recommendations with what their user had before they were asked for.
    pub(crate) fn recommended(
        &self,
        user: &str,
        revision: u64,
        had: &Had,
        answer: &RecommendResponse,
    ) {
        // Somebody may have asked to retract one of them meanwhile.
        let still = self.had(user);
        let mut heard = self.heard();
        heard.counts.recommended += 1;
        if answer.stale || answer.fallback() == api::v1::Fallback::StoreUnavailable {
            heard.counts.stale += 1;
            return;
        }
        let ids = answer.books.iter().filter_map(|one| one.book.as_ref()).map(|book| &book.id);
        let wrong: Vec<&String> =
            ids.filter(|id| had.contains(*id) && still.contains(*id)).collect();
        if !wrong.is_empty() {
            heard.complaints.push(format!(
                "{user}, who has books {wrong:?}, is recommended them with revision {revision}, in {}",
                answer.user_revision
            ));
        }
        if answer.user_revision.unsigned_abs() < revision {
            heard.complaints.push(format!(
                "{user} was asked for with revision {revision} and answered with {}",
                answer.user_revision
            ));
        }
    }

    /// Any event that was sent, the same one for the same chance, with whether it was acknowledged.
    pub(crate) fn any_sent(&self, chance: usize) -> Option<Event> {
        let heard = self.heard();
        let place = chance.checked_rem(heard.sent.len())?;
        heard.sent.values().nth(place).map(|sent| sent.event.clone())
    }

    /// Events that were sent and never acknowledged.
    pub(crate) fn unacknowledged(&self) -> Vec<Event> {
        let heard = self.heard();
        let open = heard.sent.values().filter(|sent| !sent.is_acknowledged);
        open.map(|sent| sent.event.clone()).collect()
    }

    /// What is wrong, of what was heard and of what the store holds in the end.
    pub(crate) fn judge(&self, stored: &[checker::StoredEvent]) -> Vec<String> {
        let mut complaints = self.heard().complaints.clone();
        let report = checker::check(&self.history(), stored);
        if !report.is_clean() {
            complaints.push(report.to_string());
        }
        complaints
    }

    pub(crate) fn history(&self) -> History {
        self.recorder.history()
    }

    pub(crate) fn counts(&self) -> Counts {
        self.heard().counts
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap()
    }
}

/// An event of an export as the checker takes it.
pub(crate) fn stored(user: &str, stored: &StoredEvent) -> checker::StoredEvent {
    let event = stored.event.as_ref().unwrap();
    checker::StoredEvent {
        user: user.to_owned(),
        event: event.event_id.clone(),
        contents: contents(event),
        is_retracted: stored.retracted,
    }
}

/// All that an event says, but for whose it is and its id.
fn contents(event: &Event) -> String {
    let seconds = event.event_time.as_ref().map_or(0, |time| time.seconds);
    format!("{:?} of {}, {}, at {seconds}", event.kind(), event.book_id, event.rating)
}

/// Whether the service said so itself: what goes wrong on the way has a cause here.
fn is_from_service(status: &Status) -> bool {
    std::error::Error::source(status).is_none()
}
