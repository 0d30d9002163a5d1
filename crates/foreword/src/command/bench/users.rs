//! `foreword bench users`: servers of made-up stores of several sizes, and what users cost them.

mod cold;
mod store;
mod text;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use evaluation::load::{MappedFile, Memory};
use serde::Serialize;
use server::progress::Progress;
use server::settings::Settings;

use crate::arguments::{Arguments, Users};
use crate::exit;
use crate::figures;
use crate::output;
use crate::progress;
use crate::signal::Stop;

use super::serving::Serving;
use cold::Cold;
use store::{Filled, Kept};

/// What `--json` prints.
#[derive(Serialize)]
struct Document {
    rate: u32,
    round_seconds: f64,
    /// The sizes that came to their end, the smallest first.
    sizes: Vec<Size>,
}

/// One size.
#[derive(Serialize)]
struct Size {
    #[serde(flatten)]
    filled: Filled,
    /// What was measured; `None` if nothing was to be.
    served: Option<Served>,
}

/// What a server of a store takes.
#[derive(Serialize)]
struct Served {
    /// From its start until calls could come.
    open_seconds: f64,
    /// Whether the database's file had been put out of the system's memory. Not for PostgreSQL.
    from_disk: bool,
    cold: Cold,
    /// Users who were asked for until no more histories were kept.
    asked_until_full: u64,
    history_cache_bytes: u64,
    opened: Taken,
    full: Taken,
}

/// Memory of a server at one moment; `None` where the system does not tell.
#[derive(Serialize)]
struct Taken {
    process: Option<Memory>,
    /// The part of it that is the model's mapped file.
    model: Option<MappedFile>,
    /// What is resident beside the model.
    beside_model_bytes: Option<u64>,
}

/// What every size needs.
struct Bench {
    arguments: Users,
    settings: Settings,
    flags: Vec<OsString>,
    progress: Arc<dyn Progress>,
    cancelled: Arc<AtomicBool>,
}

pub(super) async fn run(arguments: &Arguments, users: Users) -> Result<ExitCode> {
    if !users.users.is_sorted_by(|fewer, more| fewer < more) {
        let text = "the sizes of --users do not rise; name the fewest users first";
        output::remark(format_args!("error: {text}"));
        return Ok(ExitCode::from(exit::WRONG_ARGUMENTS));
    }
    let stop = Stop::listen()?;
    let json = users.output.json;
    let database = arguments.database.as_deref().unwrap_or_default();
    let (settings, flags) = arguments.settings_in(database)?;
    let (progress, cancelled) = (progress::shown(), Arc::clone(&stop.flag));
    let bench = Bench { arguments: users, settings, flags, progress, cancelled };
    let (measured, failure) =
        tokio::task::spawn_blocking(move || bench.measure()).await.context("it failed")?;
    if json {
        crate::command::print_json(&measured)?;
    } else if !measured.sizes.is_empty() {
        output::say(text::text(&measured).trim_end());
    }
    failure.map_or_else(|| Ok(conclude(&measured, &stop)), Err)
}

impl Bench {
    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// All sizes, one after the other, as far as it was not told to stop and nothing failed; what
    /// failed comes with those before it.
    fn measure(&self) -> (Document, Option<anyhow::Error>) {
        let (mut sizes, mut failure) = (Vec::new(), None);
        for users in &self.arguments.users {
            match self.measure_one(*users) {
                Ok(Some(size)) if !self.is_cancelled() => sizes.push(size),
                Ok(_) => break,
                Err(error) => {
                    failure = Some(error.context(figures::counted((*users).into(), "user")));
                    break;
                }
            }
        }
        let round_seconds = self.arguments.duration.as_secs_f64();
        (Document { rate: self.arguments.rate, round_seconds, sizes }, failure)
    }

    /// One size; `None` if it was told to stop.
    fn measure_one(&self, users: u32) -> Result<Option<Size>> {
        let Some((kept, filled)) = self.fill(users)? else { return Ok(None) };
        let served = match self.arguments.rounds {
            0 => None,
            _ => Some(self.serve(&kept, users)?),
        };
        Ok(Some(Size { filled, served }))
    }

    fn serve(&self, kept: &Kept, users: u32) -> Result<Served> {
        let from_disk = kept.put_out_of_memory();
        let serving = Serving::start(&kept.data, &self.flags)?;
        let opened = taken(&serving, kept);
        let cold = self.ask_cold(&serving, kept, users)?;
        let asked_until_full = self.ask_until_full(&serving, users)?;
        Ok(Served {
            open_seconds: serving.opened_in.as_secs_f64(),
            from_disk,
            cold,
            asked_until_full,
            history_cache_bytes: cold::history_bytes(&serving)?,
            opened,
            full: taken(&serving, kept),
        })
    }
}

fn taken(serving: &Serving, kept: &Kept) -> Taken {
    let process = serving.process().memory().ok();
    let model = serving.process().mapped_file(&kept.model).ok().flatten();
    let beside_model_bytes = process.as_ref().map(|process| {
        process.resident_bytes.saturating_sub(model.map_or(0, |model| model.resident_bytes))
    });
    Taken { process, model, beside_model_bytes }
}

/// Says what was not as it should be; the exit code.
fn conclude(document: &Document, stop: &Stop) -> ExitCode {
    let served = || document.sizes.iter().filter_map(|size| size.served.as_ref());
    let wrong: u64 = served().map(|served| served.cold.wrong_and_unsent()).sum();
    let fallbacks: u64 = served().map(|served| served.cold.fallbacks).sum();
    let warm = served().any(|served| served.cold.from_memory > 0);
    if wrong > 0 {
        let wrong = figures::counted(wrong, "request");
        output::remark(format_args!("error: {wrong} went wrong or could not be sent"));
    }
    if fallbacks > 0 {
        let fallbacks = figures::counted(fallbacks, "answer");
        output::remark(format_args!("note: {fallbacks} came without the user's history"));
    }
    if warm {
        output::remark("note: some histories were in memory before they were asked for");
    }
    if stop.flag.load(Ordering::Relaxed) {
        output::remark("stopped");
        return ExitCode::from(exit::INTERRUPTED);
    }
    if wrong > 0 { exit::FAILURE } else { exit::SUCCESS }
}
