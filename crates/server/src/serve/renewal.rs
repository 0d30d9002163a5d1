//! The jobs of a service: the renewal of what is served and of who may ask, and the writing of
//! events. They run on the executor, because decoding pages of books takes longer than a
//! transport's thread may be held, and each is a job of its own, so that none waits for another: a
//! key that was revoked, or a campaign that is over, does not wait for pages of books. One that is
//! lost is started again.

use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;

use unstall::Executor;

use super::running::Running;
use crate::models_exchange::keep_exchanged;
use crate::settings::Settings;

/// How long to wait before a job is started again.
const START_AGAIN_AFTER: Duration = Duration::from_secs(3);

/// How long to wait before events are written again. Callers wait meanwhile.
const WRITE_AGAIN_AFTER: Duration = Duration::from_millis(100);

impl Running {
    /// Runs all of them until `stopped` ends; events are written for ever, since calls that are open
    /// then may still hand some over.
    pub(super) async fn renew<S>(&self, settings: &Settings, stopped: impl Fn() -> S + Copy)
    where
        S: Future<Output = ()> + Send + 'static,
    {
        let (poll, keep) = (settings.serve.poll(), settings.models.keep);
        let jobs = Jobs { executor: &self.executor, pause: START_AGAIN_AFTER, stopped };
        let generation =
            jobs.keep("(renewal)", &self.recommender, |recommender, stop| async move {
                recommender.live().keep_current(poll, stop).await;
            });
        let rules = jobs.keep("(rules)", &self.recommender, |recommender, stop| async move {
            recommender.live().keep_rules_current(poll, stop).await;
        });
        let models = jobs.keep("(models)", &self.recommender, |recommender, stop| async move {
            keep_exchanged(recommender.live(), keep, poll, stop).await;
        });
        let histories = self.recommender.histories();
        let histories = jobs.keep("(histories)", histories, |histories, stop| async move {
            histories.follow(poll, stop).await;
        });
        let store = self.recommender.store();
        let keys = jobs.keep("(keys)", &self.access, |access, stop| {
            let store = store.clone();
            async move { access.keep_current(&store, poll, stop).await }
        });
        let retraining = self.retraining();
        let retraining = jobs.keep("(retraining)", &retraining, |retraining, stop| async move {
            retraining.keep_trained(stop).await;
        });
        let for_ever = pending::<()>;
        let jobs = Jobs { executor: &self.executor, pause: WRITE_AGAIN_AFTER, stopped: for_ever };
        let events = jobs.keep("(events)", &self.ingest, |ingest, _| async move {
            ingest.write_all().await;
        });
        tokio::join!(generation, rules, models, histories, keys, retraining, events);
    }
}

/// Runs jobs that are not to end by themselves.
struct Jobs<'a, F> {
    executor: &'a Executor,
    /// The wait before a job that was lost is started again.
    pause: Duration,
    stopped: F,
}

impl<F, S> Jobs<'_, F>
where
    F: Fn() -> S,
    S: Future<Output = ()>,
{
    /// Runs a job until it ends by itself. One that panicked or was shed is started again after a
    /// pause, unless it is to stop before.
    async fn keep<T, J>(&self, name: &str, subject: &Arc<T>, job: impl Fn(Arc<T>, S) -> J)
    where
        J: Future<Output = ()> + Send + 'static,
    {
        let start = || self.executor.spawn(name, job(Arc::clone(subject), (self.stopped)()));
        while let Err(error) = start().await {
            tracing::error!(%error, job = name, again_after = ?self.pause, "a job of the service was lost; it is started again");
            tokio::select! {
                () = (self.stopped)() => return,
                () = tokio::time::sleep(self.pause) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn executor() -> Executor {
        Executor::start(unstall::Settings::for_this_machine(), ()).unwrap()
    }

    #[tokio::test]
    async fn a_renewal_that_panics_is_started_again() {
        let started = Arc::new(AtomicU32::new(0));
        let executor = executor();
        let jobs = Jobs { executor: &executor, pause: Duration::ZERO, stopped: pending::<()> };
        let job = |started: Arc<AtomicU32>, _| async move {
            assert_eq!(started.fetch_add(1, Ordering::Relaxed), 2);
        };
        jobs.keep("(test)", &started, job).await;
        assert_eq!(started.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn a_renewal_that_panics_is_left_alone_after_the_stop() {
        let executor = executor();
        let pause = Duration::from_secs(3600);
        let jobs = Jobs { executor: &executor, pause, stopped: || ready(()) };
        jobs.keep("(test)", &Arc::new(()), |_, _| async { panic!("it always does") }).await;
    }
}
