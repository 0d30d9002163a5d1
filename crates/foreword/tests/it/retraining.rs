//! A service trains in a process of its own, which ends with it, or alone.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use api::v1::RecommendRequest;
use api::v1::recommendation_service_client::RecommendationServiceClient;
use tonic::transport::Endpoint;

use crate::program::Program;
use crate::serve::{Serving, tick};
use crate::shop;

/// No wait is longer than it takes to see that it is over.
const PATIENCE: Duration = Duration::from_secs(120);

/// A process that has nothing to wait for ends within this, also on a machine that does much else.
const SOON: Duration = Duration::from_secs(20);

/// A shop with much to learn and no model: whoever serves it trains at once.
fn untrained() -> Program {
    let program = shop::own();
    fs::remove_dir_all(program.folder.path().join("models")).unwrap();
    program
}

/// Serves a shop, and tries again at once what failed.
fn serve(program: &Program) -> Command {
    let mut command = program.command("serve --listen 127.0.0.1:0");
    for (setting, value) in
        [("QUIET_MS", "1"), ("SOON_MS", "1"), ("PAUSE_MS", "1"), ("RETRY_MS", "1")]
    {
        command.env(format!("FOREWORD_RETRAIN__{setting}"), value);
    }
    command
}

/// The same with trainings that take longer than any test.
fn serve_slowly(program: &Program) -> Serving {
    let mut command = serve(program);
    command.env("FOREWORD_TRAIN__NEIGHBOURS", "2000").env("FOREWORD_TRAIN__ROW_ENTRIES", "2000");
    command.env("FOREWORD_TRAIN__LOW_PASS_ITERATIONS", "100");
    Serving::start(command)
}

/// The model that answers a reader; empty if there is none.
async fn model(address: SocketAddr) -> String {
    let request = RecommendRequest { user_id: "1".to_owned(), ..RecommendRequest::default() };
    let endpoint = Endpoint::try_from(format!("http://{address}")).unwrap();
    let mut client = RecommendationServiceClient::new(endpoint.connect_lazy());
    let answer = client.recommend(request).await.unwrap().into_inner();
    assert!(!answer.books.is_empty());
    answer.model_version
}

/// Waits until there is something.
fn until<T>(what: &str, limit: Duration, look: impl Fn() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < limit, "waited for {what} for {limit:?}");
        tick();
    }
}

/// The fields of a `stat` file that follow the name, from 3 on in `proc_pid_stat(5)`.
fn stat(path: &Path) -> Option<Vec<String>> {
    let stat = fs::read_to_string(path).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}

/// A process that trains, by its number.
#[derive(Clone, Copy, PartialEq)]
struct Training(u32);

impl Training {
    /// The one that a service has started, once it is itself.
    fn of(serving: &Serving) -> Self {
        let parent = serving.id().to_string();
        until("a training", PATIENCE, || {
            let processes = fs::read_dir("/proc")
                .unwrap()
                .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok().map(Training));
            let is_child = |one: &Training| {
                stat(&one.path("stat")).is_some_and(|fields| fields[1] == parent) && one.lives()
            };
            processes.into_iter().find(is_child)
        })
    }

    fn path(self, file: &str) -> PathBuf {
        Path::new("/proc").join(self.0.to_string()).join(file)
    }

    /// Whether it has not ended. What has ended and was not waited for has no arguments.
    fn lives(self) -> bool {
        let arguments = fs::read_to_string(self.path("cmdline")).unwrap_or_default();
        arguments.starts_with("foreword\0") && arguments.contains("--beside-serve")
    }

    fn ends_within(self, limit: Duration) {
        until("its end", limit, || (!self.lives()).then_some(()));
    }

    /// Waits until it steps back for others, which it does before all else.
    fn gives_way(self) {
        until("a process that gives way", PATIENCE, || {
            let adjusted = fs::read_to_string(self.path("oom_score_adj")).unwrap();
            let name = fs::read_to_string(self.path("comm")).unwrap();
            ((adjusted.trim(), name.trim()) == ("1000", "foreword-train")).then_some(())
        });
    }

    fn signal(self, signal: &str) {
        let killed = Command::new("kill").args([signal, &self.0.to_string()]).status();
        assert!(killed.unwrap().success());
    }
}

#[tokio::test]
async fn a_service_trains_in_a_process_of_its_own_also_after_its_program_was_replaced() {
    let program = untrained();
    let command = serve(&program);
    let replaced = program.folder.path().join("foreword");
    let binary = Path::new(command.get_program());
    fs::hard_link(binary, &replaced).or_else(|_| fs::copy(binary, &replaced).map(drop)).unwrap();
    let mut copy = Command::new(&replaced);
    copy.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => copy.env(name, value),
            None => copy.env_remove(name),
        };
    }
    let mut serving = Serving::start(copy);
    let address = serving.address();
    fs::write(program.folder.path().join("newer"), "not a program").unwrap();
    fs::rename(program.folder.path().join("newer"), &replaced).unwrap();
    let line = serving.line("trained a new model");
    assert!(line.contains("peak_bytes="), "{line}");
    let until = Instant::now() + PATIENCE;
    while model(address).await.is_empty() && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(!model(address).await.is_empty());
    serving.signal("-TERM");
    assert_eq!(serving.code(), Some(0));
}

#[tokio::test]
async fn a_training_that_is_killed_is_told_of_and_tried_again_and_the_service_goes_on() {
    let program = untrained();
    let mut serving = serve_slowly(&program);
    let address = serving.address();
    let training = Training::of(&serving);
    // It gives way: for memory as a whole, for time with every thread.
    training.gives_way();
    for thread in fs::read_dir(training.path("task")).unwrap() {
        // One may have ended since.
        let Some(fields) = stat(&thread.unwrap().path().join("stat")) else { continue };
        assert_eq!(fields[38], "5", "field 41, the policy, is SCHED_IDLE: {fields:?}");
    }
    training.signal("-9");
    let line = serving.line("the training failed");
    assert!(line.contains("was killed; the kernel"), "{line}");
    assert_eq!(model(address).await, "");
    let second = Training::of(&serving);
    assert!(second != training);
    second.gives_way();
    second.signal("-TERM");
    let line = serving.line("the training failed");
    assert!(line.contains("told to stop by a signal"), "{line}");
    let next = Training::of(&serving);
    assert!(next != second);
    // A service that stops takes it along.
    let began = Instant::now();
    serving.signal("-TERM");
    assert_eq!(serving.code(), Some(0));
    let took = began.elapsed();
    assert!(took < SOON, "{took:?}");
    next.ends_within(SOON);
}

#[test]
fn a_training_ends_soon_after_a_service_that_is_killed() {
    let program = untrained();
    let serving = serve_slowly(&program);
    let training = Training::of(&serving);
    serving.signal("-9");
    assert_eq!(serving.code(), None);
    training.ends_within(SOON);
    // Nothing is in the way of the next.
    let mut serving = Serving::start(serve(&program));
    serving.line("trained a new model");
}
