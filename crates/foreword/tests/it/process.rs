//! A program that runs: its log, signals to it, its end.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How many lines of a log are kept, the last.
const LINES_MAX: usize = 400;

/// The longest that a test waits for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// How often something is looked at that somebody waits for.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A program; killed if a test forgets it.
pub(crate) struct Process {
    child: Child,
    log: Arc<Mutex<VecDeque<String>>>,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let errors = BufReader::new(child.stderr.take().unwrap());
        let log = Arc::<Mutex<VecDeque<String>>>::default();
        let kept = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                let mut log = kept.lock().unwrap();
                log.push_back(line);
                if log.len() > LINES_MAX {
                    log.pop_front();
                }
            }
        });
        Self { child, log }
    }

    /// Sends a signal, such as `-TERM`.
    pub(crate) fn signal(&self, signal: &str) {
        let process = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &process]).status().unwrap().success());
    }

    pub(crate) fn kill(&mut self) {
        // It may have ended a moment ago.
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }

    /// Its exit code, if it has ended; -1 after a signal.
    pub(crate) fn code(&mut self) -> Option<i32> {
        self.child.try_wait().unwrap().map(|status| status.code().unwrap_or(-1))
    }

    /// The same, if it ends within this time.
    pub(crate) async fn code_within(&mut self, limit: Duration) -> Option<i32> {
        let began = Instant::now();
        loop {
            let code = self.code();
            if code.is_some() || began.elapsed() > limit {
                return code;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// The end of its log.
    pub(crate) fn log(&self) -> String {
        let log = self.log.lock().unwrap();
        log.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits until the condition holds.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    assert!(within(PATIENCE, &mut holds).await, "waited for {what} for {PATIENCE:?}");
}

/// Whether the condition holds within this time.
pub(crate) async fn within(limit: Duration, mut holds: impl AsyncFnMut() -> bool) -> bool {
    let began = Instant::now();
    while !holds().await {
        if began.elapsed() > limit {
            return false;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    true
}
