//! Ctrl-C and SIGTERM, which stop, and SIGHUP, which reloads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::sync::{mpsc, watch};

/// Signals so close together are one.
const SAME_SIGNAL: Duration = Duration::from_millis(300);

/// Knows whether the process was told to stop. Cloning is cheap.
#[derive(Clone, Debug)]
pub(crate) struct Stop {
    told: watch::Receiver<bool>,
    /// The same, for work that asks now and then.
    pub(crate) flag: Arc<AtomicBool>,
}

impl Stop {
    /// Listens for the signals. The first one asks to stop; the second ends the process at once.
    pub(crate) fn listen() -> Result<Self> {
        let mut signals = Signals::new().context("cannot listen for signals")?;
        let (tell, told) = watch::channel(false);
        let flag = Arc::new(AtomicBool::new(false));
        let told_flag = Arc::clone(&flag);
        tokio::spawn(async move {
            signals.next().await;
            told_flag.store(true, Ordering::Relaxed);
            // Fails only if nobody listens any more.
            let _ = tell.send(true);
            // The same Ctrl-C may come twice: from the terminal, and from a wrapper that hands it on.
            let again = async {
                loop {
                    signals.next().await;
                }
            };
            let _: Result<(), _> = tokio::time::timeout(SAME_SIGNAL, again).await;
            signals.next().await;
            crate::output::remark("stopped by a second signal");
            server::telemetry::log::finish();
            std::process::exit(i32::from(crate::exit::INTERRUPTED));
        });
        Ok(Self { told, flag })
    }

    /// Ends when the process was told to stop.
    pub(crate) async fn wait(&self) {
        let mut told = self.told.clone();
        if told.wait_for(|told| *told).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// A message for each SIGHUP; several that come while one is taken care of are one.
#[cfg(unix)]
pub(crate) fn reloads() -> Result<mpsc::Receiver<()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangups = signal(SignalKind::hangup()).context("cannot listen for signals")?;
    let (tell, told) = mpsc::channel(1);
    tokio::spawn(async move {
        while hangups.recv().await.is_some() {
            // Full: it was told and has not begun. Closed: nobody listens any more.
            if let Err(mpsc::error::TrySendError::Closed(())) = tell.try_send(()) {
                return;
            }
        }
    });
    Ok(told)
}

/// Only Unix has such a signal.
#[cfg(not(unix))]
pub(crate) fn reloads() -> Result<mpsc::Receiver<()>> {
    Ok(mpsc::channel(1).1)
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
