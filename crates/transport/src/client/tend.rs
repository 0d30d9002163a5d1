//! The task of an endpoint: makes its connection when it is wanted, and replaces it.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::backoff::half_jitter;
use super::common::Common;
use super::connect::{ConnectError, Connected, connect, describe};
use super::endpoint::{Endpoint, Live, Next};
use crate::random;

/// What tending an endpoint needs.
pub(super) struct Tender {
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) common: Arc<Common>,
    /// The name that its certificate must have, if it is reached by TLS.
    pub(super) name: Option<ServerName<'static>>,
}

/// A connection whose bytes are moved by a task.
struct Running {
    live: Arc<Live>,
    driver: JoinHandle<hyper::Result<()>>,
}

impl Tender {
    /// Tends the endpoint until it is given up.
    pub(super) async fn run(self) {
        let mut replaced = self.replaced();
        loop {
            self.until_wanted().await;
            self.endpoint.connecting();
            if let Some(replaced) = &mut replaced {
                replaced.mark_unchanged();
            }
            match self.connect().await {
                Ok(running) => {
                    self.endpoint.connected(Arc::clone(&running.live), Instant::now());
                    self.common.changed.notify_waiters();
                    self.serve(running, &mut replaced).await;
                }
                Err(error) => self.eject(&error.to_string()),
            }
            self.common.changed.notify_waiters();
            self.common.resolve.notify_one();
        }
    }

    /// Tells when there are new certificates.
    fn replaced(&self) -> Option<watch::Receiver<()>> {
        let tls = self.name.as_ref().and(self.common.tls.as_ref());
        tls.map(crate::tls::ClientTls::replaced)
    }

    async fn until_wanted(&self) {
        loop {
            let woken = self.endpoint.wake.notified();
            let now = Instant::now();
            match self.endpoint.connect_at(now) {
                Some(at) if at <= now => return,
                Some(at) => {
                    tokio::select! {
                        () = woken => {}
                        () = sleep_until(at) => {}
                    }
                }
                None => woken.await,
            }
        }
    }

    async fn connect(&self) -> Result<Running, ConnectError> {
        let tls = self.common.tls.as_ref().zip(self.name.clone());
        let address = &self.endpoint.identity.address;
        let Connected { sender, driver, streams_max } =
            connect(address, tls, &self.common.settings).await?;
        let live = Arc::new(Live::new(sender, streams_max));
        Ok(Running { live, driver: tokio::spawn(driver) })
    }

    fn eject(&self, reason: &str) {
        let limits = &self.common.settings.ejection;
        let (wait, was_good) = self.endpoint.failed(limits, Instant::now(), reason);
        // Once for each time that it goes; it is tried again and again.
        if was_good {
            tracing::warn!(endpoint = %self.endpoint, reason, ?wait, "an endpoint is ejected");
        } else {
            tracing::debug!(endpoint = %self.endpoint, reason, ?wait, "an endpoint stays ejected");
        }
    }

    /// Looks after a connection until it has ended.
    async fn serve(&self, mut running: Running, replaced: &mut Option<watch::Receiver<()>>) {
        let mut failures = 0;
        let mut again = None;
        loop {
            tokio::select! {
                ended = &mut running.driver => return self.ended(&running.live, ended.ok()),
                () = running.live.dismissed.notified() => return self.dismissed(&running.live),
                () = renewal(again, replaced) => {}
            }
            if let Some(replaced) = replaced.as_mut() {
                replaced.mark_unchanged();
            }
            // Calls on the connection before go on: only nobody begins another one there.
            match self.connect().await {
                Ok(new) => {
                    self.endpoint.replaced(Arc::clone(&new.live));
                    self.common.changed.notify_waiters();
                    (running, again, failures) = (new, None, 0);
                    tracing::debug!(endpoint = %self.endpoint, "reconnected with new certificates");
                }
                // Whom the new authorities do not trust gets no more calls.
                Err(error) if error.is_distrust() => {
                    self.endpoint.dismiss(&running.live);
                    return self.eject(&error.to_string());
                }
                Err(error) => {
                    failures += 1;
                    let at = self.after_failure(failures);
                    again = Some(Instant::now() + at);
                    tracing::warn!(
                        endpoint = %self.endpoint, %error,
                        "no connection with the new certificates; the one before stays in use"
                    );
                }
            }
        }
    }

    fn after_failure(&self, failures: u32) -> Duration {
        let limits = &self.common.settings.ejection;
        half_jitter(limits.backoff_first, limits.backoff_max, failures, random::fraction())
    }

    /// The connection has ended by itself; `None` if its task panicked.
    fn ended(&self, live: &Live, ended: Option<hyper::Result<()>>) {
        match ended {
            Some(Err(error)) if error.is_timeout() => {
                self.eject("the peer does not answer PING");
            }
            Some(Err(error)) if !live.has_answered() => self.eject(&describe(&error)),
            None => self.eject("the connection's task has panicked"),
            Some(_) => self.closed(live),
        }
    }

    /// A call has found that the connection is not to be used any more.
    fn dismissed(&self, live: &Live) {
        if live.is_closed() { self.closed(live) } else { self.endpoint.ended(Next::Now) }
    }

    /// The peer has told the connection to go. One that greets and goes, time after time, is not
    /// asked again at once.
    fn closed(&self, live: &Live) {
        if live.has_answered() {
            self.endpoint.ended(Next::Now);
        } else if live.was_idle(Instant::now()) {
            self.endpoint.ended(Next::WhenAsked);
        } else {
            self.eject("the peer closes connections before it answers");
        }
    }
}

/// Waits until it is time for a new connection: when there are new certificates, or when they
/// are to be tried again.
async fn renewal(again: Option<Instant>, replaced: &mut Option<watch::Receiver<()>>) {
    match (again, replaced) {
        (Some(at), _) => sleep_until(at).await,
        (None, Some(replaced)) if replaced.has_changed().is_ok() => {
            // It was not closed a moment ago, and the channel itself keeps it open.
            let _ = replaced.changed().await;
        }
        (None, _) => pending().await,
    }
}
