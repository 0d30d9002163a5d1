//! A service of this program's own, as another process: what it counts, and what its log tells of
//! trainings.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use evaluation::load::{Process, Target};
use serde::{Deserialize, Serialize};
use server::data_folder::DataFolder;

use crate::output;

/// How long a service may take to start: a large store takes a while to open.
const PATIENCE: Duration = Duration::from_secs(120);

const LOOK_EVERY: Duration = Duration::from_millis(10);

/// How long the port for operators may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// What the log says when a training has ended.
const TRAINED: &str = "trained a new model";

/// A training that the service told of.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Training {
    /// How long it took.
    pub(super) seconds: f64,
    /// Of these, for reading.
    pub(super) read_seconds: f64,
    /// The most memory that it had at once, in a process of its own; `None` where the system does
    /// not tell.
    pub(super) peak_bytes: Option<u64>,
    /// Why it was begun.
    pub(super) reason: String,
}

/// The most memory that the process of any of these had at once.
pub(super) fn peak_bytes(trainings: &[Training]) -> Option<u64> {
    trainings.iter().filter_map(|training| training.peak_bytes).max()
}

/// A service that is killed when this is dropped. What it acknowledged is durable.
#[derive(Debug)]
pub(super) struct Serving {
    child: Child,
    pub(super) address: String,
    /// How long it took from its start until calls could come.
    pub(super) opened_in: Duration,
    admin: SocketAddr,
    trainings: Arc<Mutex<Vec<Training>>>,
}

/// What it has counted so far.
#[derive(Debug)]
pub(super) struct Metrics(String);

impl Serving {
    /// Starts one on a data folder, with these flags, and waits until calls may come. It blocks.
    pub(super) fn start(data: &DataFolder, flags: &[OsString]) -> Result<Self> {
        ensure!(
            data.serving()?.is_empty(),
            "a service of {} is running already; stop it, or take a copy of the folder",
            data.path().display()
        );
        let (address, admin) = (free_address()?, free_address()?);
        let mut command =
            Command::new(std::env::current_exe().context("cannot find this program")?);
        command.arg("--data-dir").arg(data.path()).arg("serve").args(flags);
        command.args(["--listen", &address.to_string()]);
        command.args(["--set", &format!("admin.listen={admin}")]);
        command.args(["--set", "log.format=json", "--set", "log.levels=info,access=off"]);
        command.env_remove("FOREWORD_LOG");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let began = Instant::now();
        let mut child = command.spawn().context("cannot start the service")?;
        let trainings = Arc::<Mutex<Vec<Training>>>::default();
        if let Some(log) = child.stderr.take() {
            let trainings = Arc::clone(&trainings);
            thread::spawn(move || read(log, &trainings));
        }
        let address = address.to_string();
        let mut serving = Self { child, address, opened_in: Duration::ZERO, admin, trainings };
        serving.wait_until_ready(began)?;
        serving.opened_in = began.elapsed();
        Ok(serving)
    }

    #[expect(clippy::disallowed_methods, reason = "who waits for a child has a thread of its own")]
    fn wait_until_ready(&mut self, began: Instant) -> Result<()> {
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().context("cannot wait for the service")? {
                bail!("the service ended with {status}; `serve` with the same settings says why");
            }
            // Nobody listens yet, or it says that it is not ready.
            if self.ask("/readyz").is_ok_and(|answer| answer.starts_with("HTTP/1.1 200 ")) {
                return Ok(());
            }
            thread::sleep(LOOK_EVERY);
        }
        bail!("the service did not start within {} s", PATIENCE.as_secs())
    }

    /// Where it answers.
    pub(super) fn target(&self) -> Target {
        Target { process: Some(self.process()), ..Target::plaintext(&self.address) }
    }

    /// Its process.
    pub(super) fn process(&self) -> Process {
        Process(self.child.id())
    }

    /// The trainings that have ended so far.
    pub(super) fn trainings(&self) -> Vec<Training> {
        self.trainings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What it has counted so far.
    pub(super) fn metrics(&self) -> Result<Metrics> {
        self.ask("/metrics").map(Metrics).context("cannot read the metrics of the service")
    }

    /// The answer of its port for operators, as it comes.
    fn ask(&self, path: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(self.admin)?;
        stream.set_read_timeout(Some(ANSWER_LIMIT))?;
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Both fail only if it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Metrics {
    /// A figure by its name, with its labels where it has any; 0 if there is none.
    pub(super) fn value(&self, name: &str) -> f64 {
        let value = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok();
        self.0.lines().find_map(value).unwrap_or(0.0)
    }
}

/// An address that is free just now.
fn free_address() -> Result<SocketAddr> {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    free.context("no port is free")
}

/// Takes trainings out of a log, and hands on what somebody has to know.
fn read(log: ChildStderr, trainings: &Mutex<Vec<Training>>) {
    for line in BufReader::new(log).lines().map_while(Result::ok) {
        if line.contains(TRAINED) {
            if let Ok(training) = serde_json::from_str(&line) {
                trainings.lock().unwrap_or_else(PoisonError::into_inner).push(training);
            }
        } else if !line.contains("\"level\":\"INFO\"") {
            output::remark(line);
        }
    }
}
