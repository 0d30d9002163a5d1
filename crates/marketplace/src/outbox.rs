//! What nobody waits for: which books were shown and looked at, and purchases that could not be
//! told at once. Told in groups, by one task, again and again until the service takes them.
//!
//! Events have ids, so telling one twice is telling it once, and they have the time at which they
//! were put in. Everything is in memory and bounded; purchases have room of their own, so that what
//! was looked at does not crowd them out.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use api::v1::event_entry::Entry;
use api::v1::event_result::Outcome;
use api::v1::{Event, EventEntry, EventKind, EventResult};
use prost_types::Timestamp;
use tokio::sync::{Mutex as AsyncMutex, Notify};
use tokio::time::{Instant, sleep_until, timeout};

use crate::service::{Failure, Service};

/// How long what is left may take to be told when the shop ends.
pub(crate) const LAST_TELLING: Duration = Duration::from_secs(5);

/// How long the first event of a group waits for others; doubled after each failure …
const GROUP_WAIT: Duration = Duration::from_millis(200);

/// … up to this.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// The service takes no more at once.
const GROUP_EVENTS_MAX: usize = 1000;

/// Takes events; a clone is the same one.
#[derive(Clone)]
pub(crate) struct Outbox(Arc<Inner>);

struct Inner {
    untold: Mutex<Untold>,
    /// Something was put in.
    news: Notify,
    /// Held while a group is on its way.
    on_its_way: AsyncMutex<()>,
}

/// What waits. A group stays in here until it is told.
struct Untold {
    purchases: VecDeque<Event>,
    /// Everything else.
    others: VecDeque<Event>,
    /// How long each of the two may get.
    each_max: usize,
    left_out: u64,
}

/// How much of each queue a group takes, from its front.
#[derive(Clone, Copy)]
struct Taken {
    purchases: usize,
    others: usize,
}

/// Tells events, on a task of its own.
pub(crate) struct Messenger {
    outbox: Arc<Inner>,
    service: Arc<Service>,
    /// Less than the most while the service refuses groups.
    group_events: usize,
}

/// An outbox and whom it is emptied by; `each_max` purchases may wait, and as many other events.
pub(crate) fn outbox(service: Arc<Service>, each_max: usize) -> (Outbox, Messenger) {
    let inner = Arc::new(Inner {
        untold: Mutex::new(Untold::new(each_max)),
        news: Notify::new(),
        on_its_way: AsyncMutex::new(()),
    });
    let outbox = Outbox(Arc::clone(&inner));
    (outbox, Messenger { outbox: inner, service, group_events: GROUP_EVENTS_MAX })
}

impl Outbox {
    /// Puts events in, as of now if they have no time; without room they are left out, and `false`
    /// says so.
    pub(crate) fn put(&self, events: impl IntoIterator<Item = Event>) -> bool {
        let now = Timestamp::from(SystemTime::now());
        let mut untold = self.0.untold();
        let mut fits = true;
        for mut event in events {
            event.event_time.get_or_insert(now);
            fits &= untold.add(event);
        }
        drop(untold);
        self.0.news.notify_one();
        fits
    }

    /// Takes an event back that is untold; `None` if it is not there any more.
    pub(crate) async fn cancel(&self, reader: &str, event: &str) -> Option<Event> {
        // What is on its way may be told already.
        let _nothing = self.0.on_its_way.lock().await;
        self.0.untold().remove(reader, event)
    }

    /// Drops what is untold of a reader; once it returns, nothing of them is on its way.
    pub(crate) async fn forget(&self, reader: &str) {
        let _nothing = self.0.on_its_way.lock().await;
        self.0.untold().forget(reader);
    }
}

impl Inner {
    fn untold(&self) -> MutexGuard<'_, Untold> {
        // Nobody panics between two changes that belong together.
        self.untold.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Untold {
    fn new(each_max: usize) -> Self {
        Self { purchases: VecDeque::new(), others: VecDeque::new(), each_max, left_out: 0 }
    }

    fn len(&self) -> usize {
        self.purchases.len() + self.others.len()
    }

    /// Adds an event; `false` if there is no room.
    fn add(&mut self, event: Event) -> bool {
        let is_purchase = event.kind() == EventKind::Purchase;
        let queue = if is_purchase { &mut self.purchases } else { &mut self.others };
        if queue.len() < self.each_max {
            queue.push_back(event);
            return true;
        }
        self.left_out += 1;
        if self.left_out.is_power_of_two() {
            let count = self.left_out;
            tracing::warn!(count, "events are left out: too many wait to be told");
        }
        false
    }

    fn remove(&mut self, reader: &str, event: &str) -> Option<Event> {
        [&mut self.purchases, &mut self.others].into_iter().find_map(|queue| {
            let mut all = queue.iter();
            let place = all.position(|one| one.user_id == reader && one.event_id == event)?;
            queue.remove(place)
        })
    }

    fn forget(&mut self, reader: &str) {
        self.purchases.retain(|event| event.user_id != reader);
        self.others.retain(|event| event.user_id != reader);
    }

    /// The next group, purchases first.
    fn group(&self, events_max: usize) -> (Vec<EventEntry>, Taken) {
        let purchases = self.purchases.len().min(events_max);
        let others = self.others.len().min(events_max - purchases);
        let entry = |event: &Event| EventEntry { entry: Some(Entry::Event(event.clone())) };
        let events = self.purchases.iter().take(purchases).chain(self.others.iter().take(others));
        (events.map(entry).collect(), Taken { purchases, others })
    }

    fn drop_first(&mut self, taken: Taken) {
        self.purchases.drain(..taken.purchases);
        self.others.drain(..taken.others);
    }
}

impl Messenger {
    /// Tells events until `stop` ends; then what is left, for [`LAST_TELLING`] at most.
    pub(crate) async fn run(mut self, stop: impl Future<Output = ()>) {
        tokio::select! {
            () = stop => {}
            () = self.keep_telling() => {}
        }
        let rest = async { while self.waiting() > 0 && self.tell().await {} };
        let is_in_time = timeout(LAST_TELLING, rest).await.is_ok();
        let untold = self.outbox.untold();
        for Event { user_id, book_id, event_id, .. } in &untold.purchases {
            tracing::error!(
                reader = user_id,
                book = book_id,
                event = event_id,
                "a purchase could not be told before the end"
            );
        }
        if untold.len() > 0 {
            let count = untold.len();
            tracing::warn!(count, is_in_time, "events could not be told before the end");
        }
    }

    async fn keep_telling(&mut self) {
        let mut wait = GROUP_WAIT;
        loop {
            self.gather(wait).await;
            wait = if self.tell().await { GROUP_WAIT } else { (2 * wait).min(WAIT_MAX) };
        }
    }

    /// Waits for a first event and then for others.
    async fn gather(&self, wait: Duration) {
        while self.waiting() == 0 {
            self.outbox.news.notified().await;
        }
        let until = Instant::now() + wait;
        // After a failure, a full group is no reason to hurry.
        while wait > GROUP_WAIT || self.waiting() < self.group_events {
            tokio::select! {
                () = sleep_until(until) => return,
                () = self.outbox.news.notified() => {}
            }
        }
    }

    fn waiting(&self) -> usize {
        self.outbox.untold().len()
    }

    /// Tells one group; `false` if the service is away.
    async fn tell(&mut self) -> bool {
        let _group = self.outbox.on_its_way.lock().await;
        let (entries, taken) = self.outbox.untold().group(self.group_events);
        let count = entries.len();
        match self.service.record(entries).await {
            Ok(results) => {
                self.group_events = (2 * self.group_events).min(GROUP_EVENTS_MAX);
                report(&results);
            }
            // Somewhere in it is what the service does not take.
            Err(Failure::Invalid(_)) if count > 1 => {
                self.group_events = count / 2;
                return true;
            }
            Err(Failure::Invalid(problem)) => {
                tracing::error!(problem, "an event was refused and is dropped");
            }
            Err(_) => return false,
        }
        self.outbox.untold().drop_first(taken);
        true
    }
}

/// Logs what was refused. That an event was there before is no news: it was told and not answered,
/// or the same book looked at again.
fn report(results: &[EventResult]) {
    let is_refused = |result: &&EventResult| result.outcome() == Outcome::Invalid;
    let count = results.iter().filter(is_refused).count();
    let Some(first) = results.iter().find(is_refused) else { return };
    let problem = first.violations.first().map_or("", |violation| violation.description.as_str());
    tracing::error!(count, event = first.event_id, problem, "events were refused and are dropped");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(reader: &str, id: &str, kind: EventKind) -> Event {
        Event {
            event_id: id.to_owned(),
            user_id: reader.to_owned(),
            kind: kind.into(),
            ..Event::default()
        }
    }

    fn ids(untold: &Untold, events_max: usize) -> Vec<String> {
        let (entries, _) = untold.group(events_max);
        let id = |entry: EventEntry| match entry.entry {
            Some(Entry::Event(event)) => event.event_id,
            _ => panic!("only events are put in"),
        };
        entries.into_iter().map(id).collect()
    }

    #[test]
    fn what_is_looked_at_does_not_crowd_purchases_out() {
        let mut untold = Untold::new(2);
        for id in ["a", "b"] {
            assert!(untold.add(event("ann", id, EventKind::View)));
        }
        assert!(!untold.add(event("ann", "c", EventKind::Impression)));
        assert!(untold.add(event("ann", "d", EventKind::Purchase)));
        assert!(untold.add(event("bob", "e", EventKind::Purchase)));
        assert!(!untold.add(event("bob", "f", EventKind::Purchase)));
        assert_eq!(ids(&untold, 10), ["d", "e", "a", "b"]);
        assert_eq!((untold.len(), untold.left_out), (4, 2));
    }

    #[test]
    fn a_group_is_dropped_once_it_is_told_and_nothing_else() {
        let mut untold = Untold::new(9);
        for (id, kind) in
            [("a", EventKind::View), ("b", EventKind::Purchase), ("c", EventKind::View)]
        {
            untold.add(event("ann", id, kind));
        }
        let (entries, taken) = untold.group(2);
        assert_eq!(entries.len(), 2);
        untold.add(event("ann", "d", EventKind::Purchase));
        untold.drop_first(taken);
        assert_eq!(ids(&untold, 10), ["d", "c"]);
    }

    #[test]
    fn what_is_untold_can_be_taken_back_by_whom_it_is_of() {
        let mut untold = Untold::new(9);
        for (reader, id) in [("ann", "a"), ("ann", "b"), ("bob", "a")] {
            untold.add(event(reader, id, EventKind::Purchase));
        }
        assert_eq!(untold.remove("bob", "b"), None);
        let taken = untold.remove("ann", "a").unwrap();
        assert_eq!((taken.user_id.as_str(), untold.len()), ("ann", 2));
        untold.forget("bob");
        assert_eq!(ids(&untold, 10), ["b"]);
    }
}
