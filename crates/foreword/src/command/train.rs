//! `foreword train`.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use server::data_folder::DataFolder;
use server::progress::Progress;
use server::retrain::{TrainingProgram, train_beside_serve};
use server::serve::Service;
use server::settings::Settings;
use server::train::{Quality, TrainError, Trained, train};

use crate::arguments::Output;
use crate::exit;
use crate::figures;
use crate::output;
use crate::progress;
use crate::signal::{Stop, reloads};

pub(super) async fn run(
    data: &DataFolder,
    settings: &Settings,
    output: Output,
) -> Result<ExitCode> {
    let stop = Stop::listen()?;
    data.check_shop(settings)?;
    let Some(trained) = train_until(data, settings, &progress::shown(), &stop).await? else {
        output::remark("stopped; no model was written and the model before stays active");
        return Ok(ExitCode::from(exit::INTERRUPTED));
    };
    if output.json {
        super::print_json(&trained)?;
    } else {
        output::say(summary(&trained));
    }
    Ok(exit::SUCCESS)
}

/// Trains for the service that started this process.
pub(super) async fn beside_serve(data: &DataFolder) -> Result<ExitCode> {
    let stop = Stop::listen()?;
    // A reload is for the service; whoever tells all processes of this program does no harm.
    let _reloads = reloads()?;
    match train_beside_serve(data, stop.wait(), io::stdout()).await {
        // A service that was killed does not listen, which is no error.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot tell the service")
        }
        _ => Ok(exit::SUCCESS),
    }
}

/// A service that has a process of this program train for it; one that trains within itself where
/// this program cannot be found, as in a chroot without `/proc`.
pub(super) fn train_beside(service: Service, data: &DataFolder) -> Service {
    // On Linux what is running, even if another version was put in its place: that one may bring
    // the store to a schema that this service does not know.
    let program = match cfg!(target_os = "linux") {
        true => Ok(PathBuf::from("/proc/self/exe")),
        false => std::env::current_exe(),
    };
    match program.and_then(|program| program.metadata().map(|_| program)) {
        Ok(program) => {
            let mut folder = OsString::from("--data-dir=");
            folder.push(data.path());
            let arguments = vec![folder, "train".into(), "--beside-serve".into()];
            service.train_by(TrainingProgram { program, arguments })
        }
        Err(error) => {
            output::warning(format_args!(
                "this program cannot be found ({error}): trainings take memory of the service itself"
            ));
            service
        }
    }
}

/// Trains; `None` if it was told to stop.
pub(super) async fn train_until(
    data: &DataFolder,
    settings: &Settings,
    progress: &Arc<dyn Progress>,
    stop: &Stop,
) -> Result<Option<Trained>> {
    let store = data.store(settings).await?;
    let trained = train(&store, &data.models()?, settings, progress, &stop.flag).await;
    store.close().await;
    match trained {
        Err(TrainError::Cancelled) => Ok(None),
        trained => Ok(Some(trained?)),
    }
}

/// A training in a few lines.
pub(super) fn summary(trained: &Trained) -> String {
    let Trained { model_version, users, books, interactions, weights, .. } = trained;
    let count = |number: usize| figures::count(number as u64);
    let seconds = |seconds: f64| figures::seconds(Duration::from_secs_f64(seconds));
    let simulated = match trained.simulated_interactions {
        0 => String::new(),
        some => format!(" ({} from simulated readers)", figures::count(some)),
    };
    let unknown = match trained.unknown_book_events {
        0 => String::new(),
        some => {
            format!("\n{} events wait for books that the shop does not have", figures::count(some))
        }
    };
    let measured = trained.quality.map_or_else(String::new, |quality| {
        let Quality { ndcg_at_10, recall_at_10, popularity_ndcg_at_10, readers, .. } = quality;
        let how = match trained.times.measure_seconds {
            0.0 => "measured for a model before".to_owned(),
            took => format!("measuring took {}", seconds(took)),
        };
        format!(
            "\nNDCG@10 {ndcg_at_10:.4} (popular books {popularity_ndcg_at_10:.4}), recall@10 \
             {recall_at_10:.4}, of {} readers; {how}",
            count(readers as usize),
        )
    });
    format!(
        "model {model_version} is active: {} weights, {}, learnt from {} interactions of {} users with {} books{simulated}\n\
         reading events took {}, fitting {}{measured}{unknown}",
        count(*weights),
        figures::bytes(trained.file_bytes),
        count(*interactions),
        count(*users),
        count(*books),
        seconds(trained.times.read_seconds),
        seconds(trained.times.fit_seconds),
    )
}
