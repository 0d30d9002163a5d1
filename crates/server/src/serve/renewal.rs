//! The jobs of a service: the renewal of what is served and of who may ask, and the writing of
//! events. They are started again if they are lost.

use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use unstall::Executor;

use crate::access::Access;
use crate::ingest::Ingest;
use crate::models_exchange::keep_exchanged;
use crate::recommend::Recommender;
use crate::retrain::Retraining;

/// How long to wait before the renewal is started again.
const START_AGAIN_AFTER: Duration = Duration::from_secs(3);

/// How long to wait before events are written again. Callers wait meanwhile.
const WRITE_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// Keeps what is served current until `stopped` ends. On the executor, because decoding pages
/// of books takes longer than a transport's thread may be held.
pub(super) async fn renew<S>(
    executor: &Executor,
    recommender: &Arc<Recommender>,
    interval: Duration,
    stopped: impl Fn() -> S,
) where
    S: Future<Output = ()> + Send + 'static,
{
    let renewing = || {
        let (recommender, stopped) = (Arc::clone(recommender), stopped());
        async move { recommender.live().keep_current(interval, stopped).await }
    };
    keep_going(executor, "(renewal)", START_AGAIN_AFTER, renewing, &stopped).await;
}

/// Keeps the folder's model the one that replicas share through their database, until `stopped`
/// ends. A job of its own: a model that takes long to fetch holds nothing else up.
pub(super) async fn exchange_models<S>(
    executor: &Executor,
    recommender: &Arc<Recommender>,
    keep: NonZeroUsize,
    interval: Duration,
    stopped: impl Fn() -> S,
) where
    S: Future<Output = ()> + Send + 'static,
{
    let exchanging = || {
        let (recommender, stopped) = (Arc::clone(recommender), stopped());
        async move { keep_exchanged(recommender.live(), keep, interval, stopped).await }
    };
    keep_going(executor, "(models)", START_AGAIN_AFTER, exchanging, &stopped).await;
}

/// Has the model trained again when that is worth it, until `stopped` ends. The trainings have a
/// thread of their own.
pub(super) async fn retrain<S>(
    executor: &Executor,
    retraining: &Arc<Retraining>,
    stopped: impl Fn() -> S,
) where
    S: Future<Output = ()> + Send + 'static,
{
    let training = || {
        let (retraining, stopped) = (Arc::clone(retraining), stopped());
        async move { retraining.keep_trained(stopped).await }
    };
    keep_going(executor, "(retraining)", START_AGAIN_AFTER, training, &stopped).await;
}

/// Keeps the rules current until `stopped` ends. A job of its own: a campaign that is over does
/// not wait for pages of books.
pub(super) async fn renew_rules<S>(
    executor: &Executor,
    recommender: &Arc<Recommender>,
    interval: Duration,
    stopped: impl Fn() -> S,
) where
    S: Future<Output = ()> + Send + 'static,
{
    let renewing = || {
        let (recommender, stopped) = (Arc::clone(recommender), stopped());
        async move { recommender.live().keep_rules_current(interval, stopped).await }
    };
    keep_going(executor, "(rules)", START_AGAIN_AFTER, renewing, &stopped).await;
}

/// Keeps the API keys that are taken current until `stopped` ends. A job of its own: a key that
/// was revoked does not wait for pages of books.
pub(super) async fn renew_keys<S>(
    executor: &Executor,
    access: &Arc<Access>,
    recommender: &Arc<Recommender>,
    interval: Duration,
    stopped: impl Fn() -> S,
) where
    S: Future<Output = ()> + Send + 'static,
{
    if !access.takes_keys() {
        return;
    }
    let renewing = || {
        let (access, store) = (Arc::clone(access), recommender.store().clone());
        let stopped = stopped();
        async move { access.keep_current(&store, interval, stopped).await }
    };
    keep_going(executor, "(keys)", START_AGAIN_AFTER, renewing, &stopped).await;
}

/// Follows the store until `stopped` ends, so that what others commit is in answers soon.
pub(super) async fn follow_store<S>(
    executor: &Executor,
    recommender: &Arc<Recommender>,
    interval: Duration,
    stopped: impl Fn() -> S,
) where
    S: Future<Output = ()> + Send + 'static,
{
    let following = || {
        let (histories, stopped) = (Arc::clone(recommender.histories()), stopped());
        async move { histories.follow(interval, stopped).await }
    };
    keep_going(executor, "(histories)", START_AGAIN_AFTER, following, &stopped).await;
}

/// Writes events, for ever.
pub(super) async fn write_events(executor: &Executor, ingest: &Arc<Ingest>) {
    let writing = || {
        let ingest = Arc::clone(ingest);
        async move { ingest.write_all().await }
    };
    keep_going(executor, "(events)", WRITE_AGAIN_AFTER, writing, std::future::pending::<()>).await;
}

/// Runs a job until it ends by itself. One that panicked or was shed is started again after a
/// pause, unless `stopped` ends before.
async fn keep_going<J, S>(
    executor: &Executor,
    name: &str,
    pause: Duration,
    job: impl Fn() -> J,
    stopped: impl Fn() -> S,
) where
    J: Future<Output = ()> + Send + 'static,
    S: Future<Output = ()>,
{
    while let Err(error) = executor.spawn(name, job()).await {
        tracing::error!(%error, job = name, again_after = ?pause, "a job of the service was lost; it is started again");
        tokio::select! {
            () = stopped() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn executor() -> Executor {
        Executor::start(unstall::Settings::for_this_machine(), ()).unwrap()
    }

    #[tokio::test]
    async fn a_renewal_that_panics_is_started_again() {
        let started = Arc::new(AtomicU32::new(0));
        let job = || {
            let started = Arc::clone(&started);
            async move { assert_eq!(started.fetch_add(1, Ordering::Relaxed), 2) }
        };
        keep_going(&executor(), "(test)", Duration::ZERO, job, pending::<()>).await;
        assert_eq!(started.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn a_renewal_that_panics_is_left_alone_after_the_stop() {
        let job = || async { panic!("it always does") };
        keep_going(&executor(), "(test)", Duration::from_secs(3600), job, || ready(())).await;
    }
}
