//! `foreword serve` on a data folder, timed from its start, and killed without a word.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use api::v1::TrendingRequest;
use api::v1::recommendation_service_client::RecommendationServiceClient;
use tonic::transport::{Channel, Endpoint};

/// The longest that a test waits for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// How often something is looked at that somebody waits for.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// How many lines of the log are kept, the last.
const LINES_MAX: usize = 200;

/// A service; killed if a test forgets it.
pub(crate) struct Serving {
    child: Child,
    log: Arc<Mutex<VecDeque<String>>>,
    /// How long it took from its start until it answered.
    pub(crate) opened_in: Duration,
    /// Calls it.
    pub(crate) channel: Channel,
}

impl Serving {
    /// Starts it and waits until it answers.
    pub(crate) async fn start(command: &mut Command) -> Self {
        let started = Instant::now();
        // Without a line for each call that was refused.
        command.env("FOREWORD_LOG__LEVELS", "info");
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::<Mutex<VecDeque<String>>>::default();
        let (send, address) = channel();
        let errors = BufReader::new(child.stderr.take().unwrap());
        let kept = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                keep(line, &kept, &send);
            }
        });
        let address = tokio::task::block_in_place(|| address.recv_timeout(PATIENCE));
        let address = address.unwrap_or_else(|_| panic!("it does not serve: {:#?}", lines(&log)));
        let endpoint = Endpoint::try_from(format!("http://{address}")).unwrap();
        let mut serving =
            Self { child, log, opened_in: Duration::ZERO, channel: endpoint.connect_lazy() };
        until("an answer", async || serving.answers().await).await;
        serving.opened_in = started.elapsed();
        serving
    }

    /// Whether it answers.
    async fn answers(&self) -> bool {
        let mut client = RecommendationServiceClient::new(self.channel.clone());
        client.trending(TrendingRequest::default()).await.is_ok()
    }

    /// Whether its process has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Kills it with SIGKILL, if it has not ended.
    pub(crate) fn kill(&mut self) {
        // It may have ended a moment ago.
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }

    /// The end of its log.
    pub(crate) fn log(&self) -> Vec<String> {
        lines(&self.log)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Keeps a line of the log; the one that says where it listens is told.
fn keep(line: String, log: &Mutex<VecDeque<String>>, address: &Sender<SocketAddr>) {
    if let Some((_, rest)) = line.split_once("addresses=[\"")
        && let Some((found, _)) = rest.split_once('"')
    {
        // Nobody may listen any more.
        let _ = address.send(found.parse().unwrap());
    }
    let mut log = log.lock().unwrap();
    log.push_back(line);
    if log.len() > LINES_MAX {
        log.pop_front();
    }
}

fn lines(log: &Mutex<VecDeque<String>>) -> Vec<String> {
    log.lock().unwrap().iter().cloned().collect()
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    assert!(within(PATIENCE, &mut is_so).await, "waited for {what} for {PATIENCE:?}");
}

/// Whether something is so within this time.
pub(crate) async fn within(limit: Duration, mut is_so: impl AsyncFnMut() -> bool) -> bool {
    let started = Instant::now();
    while !is_so().await {
        if started.elapsed() > limit {
            return false;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    true
}
