//! A trial: one case against a new server, with the good client beside it.
//!
//! What the server takes is read before the attack, at its end, and then again and again
//! until it is near to what it was before.

use std::time::{Duration, Instant};

use evaluation::load::{Process, Target};
use tokio::runtime::Runtime;

use crate::Failure;
use crate::arena::Arena;
use crate::case::Case;
use crate::child::{Kind, Serve, Serving};
use crate::good::{self, Fared, WARM_UP};
use crate::keys::Authority;
use crate::seen::{Seen, Tally};
use crate::vitals::{Vitals, begin_peak, vitals};

/// How long the server may take to be as before. Threads that a crowd of requests has brought
/// about stay for ten seconds.
const SETTLE_MAX: Duration = Duration::from_secs(30);

/// What counts as near: an allocator keeps some of what it had.
const RESIDENT_NEAR: u64 = 32 << 20;
const FILES_NEAR: usize = 2;
const THREADS_NEAR: usize = 2;
const CORES_NEAR: f64 = 0.05;

/// An attacker gives way to the server and to the good client, as if it were elsewhere.
const NICE: i32 = 10;

/// What all trials of a run share.
pub(crate) struct Setting {
    pub(crate) kind: Kind,
    pub(crate) duration: Duration,
    /// With the folder that the certificates are in.
    pub(crate) tls: Option<(Authority, tempfile::TempDir)>,
}

/// What was measured.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) seen: Seen,
    pub(crate) fared: Fared,
    pub(crate) before: Vitals,
    /// At the end of the attack.
    pub(crate) during: Vitals,
    /// Cores that the server kept busy.
    pub(crate) cores: f64,
    pub(crate) after: After,
    pub(crate) died: bool,
}

/// How the server fell back.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct After {
    /// How long that took.
    pub(crate) seconds: f64,
    pub(crate) cores: f64,
    pub(crate) vitals: Vitals,
    /// Whether it is near to what it was.
    pub(crate) is_near: bool,
}

/// Runs a case once.
pub(crate) fn run(case: &Case, setting: &Setting) -> Result<Measured, Failure> {
    let serve = Serve {
        kind: setting.kind,
        keys: setting.tls.as_ref().map(|(_, folder)| folder.path().to_owned()),
        files_max: case.files_max,
    };
    let mut serving = Serving::start(&serve)?;
    let process = serving.process();
    let tls = setting.tls.as_ref().map(|(authority, _)| authority);
    let target = Target {
        address: serving.address.to_string(),
        tls: tls.map(Authority::trusted),
        process: Some(process),
    };
    good::warm(&target)?;
    sleep(Duration::from_millis(300));
    let (before, began) = (vitals(process)?, Instant::now());
    begin_peak(process)?;
    let tally = Tally::default();
    let connector = |protocol| tls.map(|tls| tls.connector(protocol)).transpose();
    let arena = Arena {
        address: serving.address,
        tls: connector("h2")?,
        tls_http1: connector("http/1.1")?,
        until: tokio::time::Instant::now() + WARM_UP + setting.duration,
        tally: tally.clone(),
    };
    let attack = begin(case, arena)?;
    let fared = good::fare(&target, setting.duration);
    let during = vitals(process).unwrap_or_default();
    let cores = cores(&before, &during, began.elapsed());
    // Tasks that do not end are dropped with their connections.
    attack.shutdown_timeout(Duration::from_secs(1));
    let after = settle(&target, process, &before)?;
    let died = serving.has_died();
    Ok(Measured { seen: tally.seen(), fared: fared?, before, during, cores, after, died })
}

/// Begins the attack while the good client warms up.
fn begin(case: &Case, arena: Arena) -> Result<Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("attack")
        .on_thread_start(|| {
            // Of this thread alone. Without it the figures are only worse.
            let _ = rustix::process::setpriority_process(None, NICE);
        })
        .enable_all()
        .build()?;
    let attack = case.attack;
    runtime.spawn(async move {
        // After the good client's connections.
        tokio::time::sleep(WARM_UP / 2).await;
        attack(arena).await;
    });
    Ok(runtime)
}

/// Waits until the server is as before. Where it is memory that is missing, a few calls are made
/// in between: an allocator gives back what its threads have freed when they allocate again.
fn settle(target: &Target, process: Process, before: &Vitals) -> Result<After, Failure> {
    let began = Instant::now();
    loop {
        let last = (vitals(process)?, Instant::now());
        sleep(Duration::from_millis(500));
        let now = vitals(process)?;
        let cores = cores(&last.0, &now, last.1.elapsed());
        let has_memory = now.resident_bytes <= before.resident_bytes + RESIDENT_NEAR;
        let is_near = cores <= CORES_NEAR
            && has_memory
            && now.files <= before.files + FILES_NEAR
            && now.threads <= before.threads + THREADS_NEAR;
        let waited = began.elapsed();
        if is_near || waited > SETTLE_MAX {
            let seconds = waited.as_secs_f64();
            return Ok(After { seconds, cores, vitals: now, is_near });
        }
        if !has_memory {
            // Calls that fail here fail in the next trial too, where they are counted.
            let _ = good::warm(target);
            sleep(Duration::from_millis(200));
        }
    }
}

/// CPU time as a share of the time between.
fn cores(from: &Vitals, to: &Vitals, time: Duration) -> f64 {
    to.cpu.saturating_sub(from.cpu).as_secs_f64() / time.as_secs_f64()
}

fn sleep(time: Duration) {
    #[expect(clippy::disallowed_methods, reason = "this thread is there to wait")]
    std::thread::sleep(time);
}
