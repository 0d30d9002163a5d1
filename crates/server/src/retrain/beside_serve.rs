//! A training in a process of its own, seen from that process: `foreword train --beside-serve`.
//! What it is told, and what it tells, is in [`program`](super::program).

use std::fs;
use std::future::Future;
use std::io::{self, BufRead as _, Read as _, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::lines::Teller;
use super::outcome::{Outcome, RetrainError};
use super::stage::Stages;
use super::trainer::train_here;
use crate::blocking::blocking;
use crate::data_folder::DataFolder;
use crate::idle;
use crate::progress::Progress;
use crate::settings::{Settings, SettingsError};
use crate::telemetry::log;
use crate::train::{Replaces, TrainError, Trained};

/// The most bytes of the lines with the settings and the model to replace.
const ORDER_BYTES_MAX: u64 = 4 << 20;

/// Trains for a service that started this process, as that would within itself, with the settings
/// that it hands over, and only if the model that it was decided on is still the active one. It logs to standard error, and ends early once `stop` or its standard input
/// ends. `output`, which is to be standard output, gets the lines that tell the service how far it is
/// and what came of it, also where there is no new model.
///
/// # Errors
///
/// If the service cannot be told; a `BrokenPipe` is of one that was killed.
pub async fn train_beside_serve(
    data: &DataFolder,
    stop: impl Future<Output = ()>,
    output: impl Write + Send + 'static,
) -> io::Result<()> {
    give_way();
    let teller = Arc::new(Teller::new(output));
    let outcome = match blocking(order_of_service).await {
        Ok((settings, replaces)) => {
            log::start(settings.log.format, settings.log.levels());
            Outcome::from(train_unless(stop, data, (settings, replaces), &teller).await)
        }
        Err(error) => Outcome::failed(&error),
    };
    teller.ended(outcome)
}

/// Has a kernel that is short of memory end this process before all others, and tells whoever reads
/// of that what it was. It need not succeed: only Linux has these files.
fn give_way() {
    let _ = fs::write("/proc/self/oom_score_adj", "1000");
    let _ = fs::write("/proc/self/comm", "foreword-train");
}

/// Why it is not known what to do.
#[derive(Debug, thiserror::Error)]
enum OrderError {
    #[error("cannot read the settings of the service: {0}")]
    Read(#[from] io::Error),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error("cannot read which model to replace: {0}")]
    Replaces(#[from] serde_json::Error),
}

fn order_of_service() -> Result<(Settings, Replaces), OrderError> {
    let mut input = io::stdin().lock().take(ORDER_BYTES_MAX);
    let [mut settings, mut replaces] = [String::new(), String::new()];
    input.read_line(&mut settings)?;
    input.read_line(&mut replaces)?;
    Ok((Settings::of_line(&settings)?, serde_json::from_str(&replaces)?))
}

async fn train_unless(
    stop: impl Future<Output = ()>,
    data: &DataFolder,
    (settings, replaces): (Settings, Replaces),
    teller: &Arc<Teller<impl Write + Send + 'static>>,
) -> Result<Trained, RetrainError> {
    let cancelled = Arc::<AtomicBool>::default();
    let cancel = Arc::clone(&cancelled);
    thread::Builder::new().name("leash".to_owned()).spawn(move || {
        // An error is an end as well.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        cancel.store(true, Ordering::Relaxed);
    })?;
    let (data, cancel) = (data.clone(), Arc::clone(&cancelled));
    let teller = Arc::clone(teller);
    let stages: Arc<dyn Progress> = Arc::new(Stages::new(move |stage| teller.stage(stage)));
    // The service says so where this thread is not what it should be.
    let work = move |_| train_here(&data, (&settings, replaces), &stages, &cancelled);
    let mut training = idle::spawn("training", work)?;
    let (trained, is_stopped) = tokio::select! {
        trained = &mut training => (trained, false),
        () = stop => {
            cancel.store(true, Ordering::Relaxed);
            (training.await, true)
        }
    };
    match trained.unwrap_or(Err(RetrainError::Panicked)) {
        Err(RetrainError::Train(TrainError::Cancelled)) if is_stopped => Err(RetrainError::Stopped),
        trained => trained,
    }
}
