//! A service of this program's own, as another process, and what its log tells of trainings.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use server::data_folder::DataFolder;

/// How long a service may take to start.
const PATIENCE: Duration = Duration::from_secs(120);

const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What the log says when a training has ended.
const TRAINED: &str = "trained a new model";

/// A training that the service told of.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Training {
    /// How long it took.
    pub(super) seconds: f64,
    /// Of these, for reading.
    pub(super) read_seconds: f64,
    /// Why it was begun.
    pub(super) reason: String,
}

/// A service that is killed when this is dropped.
pub(super) struct Serving {
    child: Child,
    pub(super) address: String,
    trainings: Arc<Mutex<Vec<Training>>>,
}

impl Serving {
    /// Starts one on a data folder, with these flags.
    pub(super) fn start(data: &DataFolder, flags: &[OsString]) -> Result<Self> {
        let mut command =
            Command::new(std::env::current_exe().context("cannot find this program")?);
        command.arg("--data-dir").arg(data.path()).args(["serve", "--listen", "127.0.0.1:0"]);
        command.args(flags).args([
            "--set",
            "log.format=json",
            "--set",
            "log.levels=info,access=off",
        ]);
        command.args(["--set", "admin.listen="]);
        command.env_remove("FOREWORD_LOG");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().context("cannot start the service")?;
        let trainings = Arc::<Mutex<Vec<Training>>>::default();
        if let Some(log) = child.stderr.take() {
            let trainings = Arc::clone(&trainings);
            thread::spawn(move || read(log, &trainings));
        }
        let mut serving = Self { child, address: String::new(), trainings };
        serving.address = serving.wait_for_address(data)?;
        Ok(serving)
    }

    #[expect(clippy::disallowed_methods, reason = "who waits for a child has a thread of its own")]
    fn wait_for_address(&mut self, data: &DataFolder) -> Result<String> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().context("cannot wait for the service")? {
                bail!("the service ended with {status}; `serve` with the same settings says why");
            }
            if let Some(address) = data.serving()?.first() {
                return Ok(address.to_string());
            }
            thread::sleep(LOOK_EVERY);
        }
        bail!("the service did not start within {} s", PATIENCE.as_secs())
    }

    /// The number of its process.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The trainings that have ended so far.
    pub(super) fn trainings(&self) -> Vec<Training> {
        self.trainings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Both fail only if it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(log: ChildStderr, trainings: &Mutex<Vec<Training>>) {
    for line in BufReader::new(log).lines().map_while(Result::ok) {
        if !line.contains(TRAINED) {
            continue;
        }
        if let Ok(training) = serde_json::from_str(&line) {
            trainings.lock().unwrap_or_else(PoisonError::into_inner).push(training);
        }
    }
}
