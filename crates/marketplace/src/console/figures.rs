//! The service's figures as they come: one call to the service, shared by every console that is
//! open.
//!
//! The call begins when somebody looks, goes on for as long as somebody does, and a minute longer, so
//! that a page that is loaded again has a past. While the service is away it is tried again every
//! second, and what was seen last stays.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::v1::{MetricsSample, Model, Replica, Stall};
use futures_util::{Stream, stream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tonic::Streaming;

use crate::service::Service;

/// How often figures come.
pub(crate) const INTERVAL: Duration = Duration::from_secs(1);

/// The time that charts look back.
pub(crate) const PAST: usize = 60;

/// Consoles that may follow at a time.
const WATCHERS_MAX: usize = 16;

/// How long one may follow before it has to ask anew, and so to prove anew whose it is.
const WATCH_TIME: Duration = Duration::from_secs(5 * 60);

/// How long the service may be silent until it counts as away.
const SILENCE: Duration = Duration::from_secs(3);

/// How long a page waits for its first figures.
const FIRST: Duration = Duration::from_secs(1);

/// How long the call goes on when nobody looks any more.
const LINGER: Duration = Duration::from_secs(60);

/// Servers are asked for every so many figures.
const REPLICAS_EVERY: u32 = 5;

/// What is known now; a clone is cheap.
#[derive(Clone, Default)]
pub(crate) struct Moment {
    /// The latest figures, the oldest first: of one start of one server.
    pub(crate) samples: VecDeque<Arc<MetricsSample>>,
    /// The latest stalls; `None` if they could not be had, as everything below.
    pub(crate) stalls: Option<Arc<Vec<Stall>>>,
    pub(crate) replicas: Option<Arc<Vec<Replica>>>,
    pub(crate) models: Option<Arc<Vec<Model>>>,
    /// The service does not answer: all of it is from before.
    pub(crate) is_away: bool,
}

/// Follows the figures; a clone is the same one.
#[derive(Clone)]
pub(crate) struct Figures(Arc<Inner>);

struct Inner {
    service: Arc<Service>,
    moment: watch::Sender<Arc<Moment>>,
    is_closing: watch::Sender<bool>,
    places: Arc<Semaphore>,
    /// Whether the call is open or tried.
    is_following: Mutex<bool>,
}

impl Figures {
    pub(crate) fn new(service: Arc<Service>) -> Self {
        Self(Arc::new(Inner {
            service,
            moment: watch::Sender::default(),
            is_closing: watch::Sender::default(),
            places: Arc::new(Semaphore::new(WATCHERS_MAX)),
            is_following: Mutex::new(false),
        }))
    }

    /// What is known now, or soon.
    pub(crate) async fn now(&self) -> Arc<Moment> {
        let mut moments = self.subscribe();
        let found = timeout(FIRST, moments.wait_for(|moment| moment.is_known())).await;
        match found {
            Ok(Ok(moment)) => Arc::clone(&moment),
            _ => Arc::new(Moment { is_away: true, ..Moment::default() }),
        }
    }

    /// Every moment from now on; `None` if enough others follow.
    pub(crate) fn follow(&self) -> Option<impl Stream<Item = Arc<Moment>> + Send + 'static> {
        let place = Arc::clone(&self.0.places).try_acquire_owned().ok()?;
        let closing = self.0.is_closing.subscribe();
        Some(moments(self.subscribe(), closing, place))
    }

    /// Ends what follows.
    pub(crate) fn close(&self) {
        self.0.is_closing.send_replace(true);
    }

    fn subscribe(&self) -> watch::Receiver<Arc<Moment>> {
        let mut is_following = self.0.is_following.lock().unwrap_or_else(PoisonError::into_inner);
        let moments = self.0.moment.subscribe();
        if !*is_following {
            *is_following = true;
            self.0.moment.send_replace(Arc::default());
            tokio::spawn(keep_asking(Arc::clone(&self.0)));
        }
        moments
    }
}

fn moments(
    moments: watch::Receiver<Arc<Moment>>,
    closing: watch::Receiver<bool>,
    place: OwnedSemaphorePermit,
) -> impl Stream<Item = Arc<Moment>> + Send + 'static {
    let until = Instant::now() + WATCH_TIME;
    let watching = (moments, closing, place);
    stream::unfold(watching, move |(mut moments, mut closing, place)| async move {
        let next = async {
            moments.changed().await.ok()?;
            moments
                .wait_for(|moment| moment.is_known())
                .await
                .ok()
                .map(|moment| Arc::clone(&moment))
        };
        let moment = tokio::select! {
            moment = next => moment?,
            _ = closing.wait_for(|is_closing| *is_closing) => return None,
            () = sleep_until(until) => return None,
        };
        Some((moment, (moments, closing, place)))
    })
}

/// Asks until nobody wants to know.
async fn keep_asking(inner: Arc<Inner>) {
    let mut closing = inner.is_closing.subscribe();
    let asking = async {
        let mut idle_since = None;
        loop {
            // To begin must not take as long as to go on may.
            match timeout(SILENCE, inner.service.watch_metrics(INTERVAL)).await {
                Ok(Ok(answers)) => inner.read(answers, &mut idle_since).await,
                _ => inner.change(|moment| moment.is_away = true),
            }
            if inner.has_idled(&mut idle_since) && inner.may_stop() {
                return;
            }
            sleep(INTERVAL).await;
        }
    };
    tokio::select! {
        () = asking => {}
        _ = closing.wait_for(|is_closing| *is_closing) => {}
    }
}

impl Inner {
    /// Reads figures until the call ends, or nobody has looked for a while.
    async fn read(
        &self,
        mut answers: Streaming<api::v1::WatchMetricsResponse>,
        idle_since: &mut Option<Instant>,
    ) {
        let mut count = 0_u32;
        while let Ok(answer) = timeout(SILENCE, answers.message()).await {
            let sample = match answer {
                Ok(Some(answer)) => answer.sample,
                // A call that lasted as long as it may is no failure, and is made again.
                Ok(None) => return,
                Err(status) if status.code() == tonic::Code::DeadlineExceeded => return,
                Err(_) => break,
            };
            if let Some(sample) = sample {
                let before = self.moment.borrow().samples.back().cloned();
                self.change(|moment| moment.add(sample.clone()));
                self.ask_the_rest(count, before.as_deref(), &sample).await;
                count = count.wrapping_add(1);
            }
            if self.has_idled(idle_since) {
                return;
            }
        }
        self.change(|moment| moment.is_away = true);
    }

    /// Asks for what is not among the figures, if they say that there may be something new.
    async fn ask_the_rest(&self, count: u32, before: Option<&MetricsSample>, now: &MetricsSample) {
        let service = &self.service;
        let version = |sample: &MetricsSample| sample.model.as_ref().map(|one| one.version.clone());
        if before.map(|before| before.stall_count) != Some(now.stall_count)
            && let Ok(stalls) = service.list_stalls().await
        {
            self.change(|moment| moment.stalls = Some(Arc::new(stalls)));
        }
        if before.map(version) != Some(version(now))
            && let Ok(models) = service.list_models().await
        {
            self.change(|moment| moment.models = Some(Arc::new(models)));
        }
        if count.is_multiple_of(REPLICAS_EVERY) {
            let replicas = service.list_replicas().await.ok().map(Arc::new);
            self.change(|moment| moment.replicas = replicas);
        }
    }

    fn change(&self, change: impl FnOnce(&mut Moment)) {
        self.moment.send_modify(|moment| change(Arc::make_mut(moment)));
    }

    /// Whether nobody has looked for a while.
    fn has_idled(&self, since: &mut Option<Instant>) -> bool {
        if self.moment.receiver_count() > 0 {
            *since = None;
            return false;
        }
        since.get_or_insert_with(Instant::now).elapsed() >= LINGER
    }

    /// Whether the call may end: nobody has come in the meantime.
    fn may_stop(&self) -> bool {
        let mut is_following = self.is_following.lock().unwrap_or_else(PoisonError::into_inner);
        let may_stop = self.moment.receiver_count() == 0;
        *is_following = !may_stop;
        may_stop
    }
}

impl Moment {
    /// Whether there is anything to be told.
    fn is_known(&self) -> bool {
        self.is_away || !self.samples.is_empty()
    }

    /// Adds the latest figures; those of another start cannot be compared with them.
    fn add(&mut self, sample: MetricsSample) {
        let is_same = |before: &Arc<MetricsSample>| before.start_time == sample.start_time;
        if !self.samples.back().is_none_or(is_same) {
            self.samples.clear();
        }
        self.samples.push_back(Arc::new(sample));
        while self.samples.len() > PAST + 1 {
            self.samples.pop_front();
        }
        self.is_away = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_past_is_bounded_and_of_one_start() {
        let sample = |second: i64, start: i64| {
            let time = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
            MetricsSample {
                sample_time: time(second),
                start_time: time(start),
                ..MetricsSample::default()
            }
        };
        let mut moment = Moment { is_away: true, ..Moment::default() };
        for second in 0..100 {
            moment.add(sample(second, 0));
        }
        assert_eq!(moment.samples.len(), PAST + 1);
        assert!(!moment.is_away);
        moment.add(sample(100, 99));
        assert_eq!(moment.samples.len(), 1);
    }
}
