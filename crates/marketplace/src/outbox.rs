//! What nobody waits for: which books were shown and looked at, and purchases that could not be
//! told at once. Told in groups, by one task, again and again until the service takes them.
//!
//! Events have ids, so telling one twice is telling it once. When too many wait, new ones are left
//! out, and counted; purchases too, since a queue without a bound would end the shop.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use api::v1::event_entry::Entry;
use api::v1::{Event, EventEntry};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use crate::service::{Failure, Service};

/// How long the first event of a group waits for others; doubled after each failure …
const GROUP_WAIT: Duration = Duration::from_millis(200);

/// … up to this.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// The service takes no more at once.
const GROUP_EVENTS_MAX: usize = 1000;

/// Takes events.
#[derive(Clone)]
pub(crate) struct Outbox {
    sender: mpsc::Sender<Letter>,
    left_out: Arc<AtomicU64>,
}

enum Letter {
    Event(Box<Event>),
    /// Drops what is untold of a reader, and says when it is done.
    Forget(String, oneshot::Sender<()>),
}

/// Tells events, on a task of its own.
pub(crate) struct Messenger {
    receiver: mpsc::Receiver<Letter>,
    service: Arc<Service>,
    untold: VecDeque<Event>,
    untold_max: usize,
    left_out: Arc<AtomicU64>,
}

/// An outbox and whom it is emptied by.
pub(crate) fn outbox(service: Arc<Service>, untold_max: usize) -> (Outbox, Messenger) {
    let (sender, receiver) = mpsc::channel(untold_max);
    let left_out = Arc::new(AtomicU64::new(0));
    let outbox = Outbox { sender, left_out: Arc::clone(&left_out) };
    let untold = VecDeque::new();
    (outbox, Messenger { receiver, service, untold, untold_max, left_out })
}

impl Outbox {
    /// Puts events in; without room they are left out.
    pub(crate) fn put(&self, events: impl IntoIterator<Item = Event>) {
        for event in events {
            if self.sender.try_send(Letter::Event(Box::new(event))).is_err() {
                leave_out(&self.left_out);
            }
        }
    }

    /// Drops what is untold of a reader; once it returns, nothing of them is on its way.
    pub(crate) async fn forget(&self, reader: &str) {
        let (done, is_done) = oneshot::channel();
        if self.sender.send(Letter::Forget(reader.to_owned(), done)).await.is_ok() {
            // An error means that the shop is stopping.
            let _ = is_done.await;
        }
    }
}

fn leave_out(count: &AtomicU64) {
    let before = count.fetch_add(1, Ordering::Relaxed);
    if before.is_power_of_two() || before == 0 {
        tracing::warn!(count = before + 1, "events are left out: too many wait to be told");
    }
}

impl Messenger {
    /// Tells events until `stop` ends; then what is left, once.
    pub(crate) async fn run(mut self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                letter = self.receiver.recv() => match letter {
                    Some(letter) => self.take(letter),
                    None => break,
                },
            }
            let group = self.gather();
            tokio::select! {
                () = &mut stop => break,
                () = group => {}
            }
        }
        while let Ok(letter) = self.receiver.try_recv() {
            self.take(letter);
        }
        while !self.untold.is_empty() && self.tell().await {}
        if !self.untold.is_empty() {
            tracing::warn!(count = self.untold.len(), "events could not be told before the end");
        }
    }

    /// Waits for a group and tells it, until nothing is left.
    async fn gather(&mut self) {
        let mut wait = GROUP_WAIT;
        while !self.untold.is_empty() {
            // After a failure, a full group is no reason to hurry.
            let enough = if wait == GROUP_WAIT { GROUP_EVENTS_MAX } else { usize::MAX };
            self.receive(wait, enough).await;
            let is_told = self.tell().await;
            wait = if is_told { GROUP_WAIT } else { (2 * wait).min(WAIT_MAX) };
        }
    }

    /// Takes letters for some time, or until there are enough events.
    async fn receive(&mut self, time: Duration, enough: usize) {
        let until = Instant::now() + time;
        while self.untold.len() < enough {
            tokio::select! {
                () = sleep_until(until) => return,
                letter = self.receiver.recv() => match letter {
                    Some(letter) => self.take(letter),
                    None => return sleep_until(until).await,
                },
            }
        }
    }

    fn take(&mut self, letter: Letter) {
        match letter {
            Letter::Event(event) if self.untold.len() < self.untold_max => {
                self.untold.push_back(*event);
            }
            Letter::Event(_) => leave_out(&self.left_out),
            Letter::Forget(reader, done) => {
                self.untold.retain(|event| event.user_id != reader);
                // Nobody waits any more if the visitor is gone.
                let _ = done.send(());
            }
        }
    }

    /// Tells one group; `false` if it has to be told again.
    async fn tell(&mut self) -> bool {
        let group = self.untold.len().min(GROUP_EVENTS_MAX);
        let events = self.untold.iter().take(group).cloned();
        let entries = events.map(|event| EventEntry { entry: Some(Entry::Event(event)) }).collect();
        match self.service.record(entries).await {
            Err(Failure::Away(_)) => return false,
            Err(failure) => tracing::warn!(%failure, count = group, "events were refused"),
            Ok(_) => {}
        }
        self.untold.drain(..group);
        true
    }
}
