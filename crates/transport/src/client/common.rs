//! What all parts of a channel share.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::Status;

use super::figures::Counts;
use super::settings::Settings;
use super::target::Target;
use super::tokens::Tokens;
use crate::tls::ClientTls;

/// What all parts of a channel share.
pub(super) struct Common {
    pub(super) target: Target,
    pub(super) settings: Settings,
    pub(super) tls: Option<ClientTls>,
    pub(super) runtime: Handle,
    pub(super) tokens: Tokens,
    pub(super) counts: Counts,
    /// Told when a call that waits should look again.
    pub(super) changed: Notify,
    /// Told when names should be resolved soon.
    pub(super) resolve: Notify,
    waiting: AtomicUsize,
}

impl Common {
    pub(super) fn new(
        target: Target,
        settings: Settings,
        tls: Option<ClientTls>,
        runtime: Handle,
    ) -> Self {
        let tokens = Tokens::new(&settings.retries);
        Self {
            target,
            settings,
            tls,
            runtime,
            tokens,
            counts: Counts::default(),
            changed: Notify::new(),
            resolve: Notify::new(),
            waiting: AtomicUsize::new(0),
        }
    }

    /// A timer of the channel's runtime, wherever it is made.
    pub(super) fn sleep_until(&self, at: Instant) -> Sleep {
        let _entered = self.runtime.enter();
        sleep_until(at)
    }

    /// Calls that one connection carries at a time.
    pub(super) fn streams_max(&self) -> usize {
        self.settings.streams_per_connection_max.get() as usize
    }

    /// Counts a call among those that wait, if there is room.
    ///
    /// A call is counted before it looks for the place that it would wait for: whoever gives a
    /// place back sees that somebody waits, or the place is seen. All of that is `SeqCst`.
    pub(super) fn wait(&self) -> Result<Waiting<'_>, Status> {
        let most = self.settings.waiting_max.get();
        let waiting = Waiting(&self.waiting);
        if self.waiting.fetch_add(1, Ordering::SeqCst) >= most {
            return Err(Status::resource_exhausted(format!(
                "{most} calls wait for a connection to {}, and more may not",
                self.target
            )));
        }
        Ok(waiting)
    }

    /// Calls that wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// A place has become free.
    pub(super) fn freed(&self) {
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.changed.notify_one();
        }
    }
}

/// A call that waits.
pub(super) struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A task that ends with its owner.
pub(super) struct Task(JoinHandle<()>);

impl Task {
    pub(super) fn spawn(
        runtime: &Handle,
        future: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        Self(runtime.spawn(future))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}
