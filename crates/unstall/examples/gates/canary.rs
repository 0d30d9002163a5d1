//! The canary: a health call every 10 ms on a connection of its own, with the probe beside it.
//!
//! A call is sent when it is due whether or not those before it are answered, so a stall is
//! seen by all calls that fall into it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use evaluation::load::{Latencies, Probe};
use tokio::sync::mpsc;

use crate::Failure;
use crate::wire::{ask, connect};

const EVERY: Duration = Duration::from_millis(10);

/// A canary that sings.
#[derive(Debug)]
pub(crate) struct Canary {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<(Latencies, u64)>,
    probe: Probe,
}

/// What it saw.
#[derive(Clone, Debug)]
pub(crate) struct Song {
    pub(crate) latencies: Latencies,
    pub(crate) probe: Latencies,
    /// Calls without a good answer.
    pub(crate) failed: u64,
}

impl Canary {
    /// Connects, and begins after a first good answer.
    pub(crate) fn start(address: SocketAddr) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let channel = runtime.block_on(connect(address))?;
        runtime.block_on(ask(channel.clone(), "Health", Duration::ZERO))?;
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("canary".to_owned())
            .spawn(move || runtime.block_on(sing(channel, &told)))?;
        Ok(Self { stop, thread, probe: Probe::start() })
    }

    /// Waits for the last answer.
    pub(crate) fn stop(self) -> Result<Song, Failure> {
        self.stop.store(true, Ordering::Relaxed);
        let (latencies, failed) = self.thread.join().map_err(|_| "the canary panicked")?;
        Ok(Song { latencies, probe: self.probe.stop(), failed })
    }
}

impl Song {
    /// A percentile of the canary and the probe's same.
    pub(crate) fn percentile(&self, percent: f64) -> (Duration, Duration) {
        (self.latencies.percentile(percent), self.probe.percentile(percent))
    }
}

async fn sing(channel: tonic::transport::Channel, stop: &AtomicBool) -> (Latencies, u64) {
    let mut ticks = tokio::time::interval(EVERY);
    let (answered, mut answers) = mpsc::unbounded_channel();
    let failed = Arc::new(AtomicU64::new(0));
    let mut latencies = Latencies::new();
    while !stop.load(Ordering::Relaxed) {
        tokio::select! {
            // From when it is sent: how late this client is, is its own matter.
            _ = ticks.tick() => {
                let (channel, answered) = (channel.clone(), answered.clone());
                let failed = Arc::clone(&failed);
                let sent = Instant::now();
                tokio::spawn(async move {
                    if ask(channel, "Health", Duration::ZERO).await.is_err() {
                        failed.fetch_add(1, Ordering::Relaxed);
                    }
                    let _ = answered.send(sent.elapsed());
                });
            }
            Some(latency) = answers.recv() => latencies.record(latency),
        }
    }
    drop(answered);
    while let Some(latency) = answers.recv().await {
        latencies.record(latency);
    }
    (latencies, failed.load(Ordering::Relaxed))
}
