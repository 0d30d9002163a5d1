//! Another program, run to its end: its lines are handed on while it runs, and it is killed when
//! nobody wants its answer any more or its time is over.
//!
//! Its standard input stays open for as long as it is waited for and says nothing, so that a
//! program can tell from its end that this process is gone.

use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use recommender::watch::Cancelled;

/// How often the child is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How long lines are waited for after the child's end: somebody else may hold its output.
const LINES_AFTER_END: Duration = Duration::from_secs(1);

/// Lines that have been read and not handed on.
const LINES_MAX: usize = 64;

/// Longer lines come in parts.
const LINE_BYTES_MAX: u64 = 64 << 10;

/// How much of what it wrote to standard error is kept, from the end.
const COMPLAINT_BYTES_MAX: usize = 2 << 10;

/// Why a program did not do what it was started for.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// It was no longer wanted.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// It cannot be started, or not be waited for.
    #[error("cannot run {program}: {source}")]
    Run {
        /// The program.
        program: String,
        /// What the system says.
        source: io::Error,
    },
    /// It took too long and was killed.
    #[error("{program} took longer than {} s", limit.as_secs())]
    TooLong {
        /// The program.
        program: String,
        /// How long it might take.
        limit: Duration,
    },
    /// It ended by itself, and not well.
    #[error("{program} ended with {status}{}{complaint}", if complaint.is_empty() { "" } else { ": " })]
    Failed {
        /// The program.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// The last line that it wrote to standard error.
        complaint: String,
    },
}

/// Runs a program until it ends, is no longer wanted or takes longer than the limit. `on_line`
/// is given each line of its standard output, without the line's end.
///
/// # Errors
///
/// [`ChildError`]. The child is gone in any case; what it started itself may not be.
pub fn run(
    command: &mut Command,
    limit: Duration,
    cancelled: &AtomicBool,
    mut on_line: impl FnMut(&str),
) -> Result<(), ChildError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |source| ChildError::Run { program: program.clone(), source };
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = Running(command.spawn().map_err(failed)?);
    let (send, lines) = sync_channel(LINES_MAX);
    if let Some(output) = running.0.stdout.take() {
        thread::spawn(move || read_lines(output, &send));
    }
    let complaint = running.0.stderr.take().map(|errors| thread::spawn(move || last_of(errors)));
    let began = Instant::now();
    let status = loop {
        pass_on(&lines, LOOK_EVERY, &mut on_line);
        if cancelled.load(Ordering::Relaxed) {
            return Err(Cancelled.into());
        }
        if let Some(status) = running.0.try_wait().map_err(failed)? {
            break status;
        }
        if began.elapsed() >= limit {
            return Err(ChildError::TooLong { program, limit });
        }
    };
    pass_on(&lines, LINES_AFTER_END, &mut on_line);
    if status.success() {
        return Ok(());
    }
    // Its end closed the pipe, unless a child of its own holds it.
    let complaint = complaint.filter(thread::JoinHandle::is_finished).and_then(|it| it.join().ok());
    Err(ChildError::Failed { program, status, complaint: complaint.unwrap_or_default() })
}

/// What a line says of the child's progress: a stage, how much of it is done, and how much there
/// is, with tabs between them. `None` for any other line.
#[must_use]
pub fn progress(line: &str) -> Option<(&str, usize, usize)> {
    let mut parts = line.split('\t');
    let (stage, done, total) = (parts.next()?, parts.next()?, parts.next()?);
    Some((stage, done.parse().ok()?, total.parse().ok()?))
}

/// A child that does not outlive this.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only if it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Hands lines on for about this long.
#[expect(clippy::disallowed_methods, reason = "who waits for a child has a thread of its own")]
fn pass_on(lines: &Receiver<String>, patience: Duration, on_line: &mut impl FnMut(&str)) {
    let began = Instant::now();
    while let Some(left) = patience.checked_sub(began.elapsed()) {
        match lines.recv_timeout(left) {
            Ok(line) => on_line(&line),
            Err(RecvTimeoutError::Timeout) => return,
            Err(RecvTimeoutError::Disconnected) => {
                // Nothing more will be said; waiting is all that is left, and only a little.
                thread::sleep(left.min(LOOK_EVERY));
                return;
            }
        }
    }
}

fn read_lines(output: impl Read, send: &SyncSender<String>) {
    let mut output = BufReader::new(output);
    loop {
        let mut line = Vec::new();
        match output.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&line);
        if send.send(text.trim_end().to_owned()).is_err() {
            return;
        }
    }
}

/// The last line with anything on it: an exception of Python's, for one.
fn last_of(mut errors: ChildStderr) -> String {
    let mut kept = Vec::new();
    let mut part = [0; 1024];
    while let Ok(count) = errors.read(&mut part) {
        if count == 0 {
            break;
        }
        kept.extend_from_slice(&part[..count]);
        let surplus = kept.len().saturating_sub(COMPLAINT_BYTES_MAX);
        kept.drain(..surplus);
    }
    let text = String::from_utf8_lossy(&kept);
    text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn lines_of(script: &str) -> Result<Vec<String>, ChildError> {
        let mut lines = Vec::new();
        let on_line = |line: &str| lines.push(line.to_owned());
        run(&mut shell(script), PATIENCE, &AtomicBool::new(false), on_line)?;
        Ok(lines)
    }

    #[test]
    fn every_line_is_handed_on_even_the_last_without_an_end() {
        assert_eq!(lines_of("echo one; echo; printf two").unwrap(), ["one", "", "two"]);
        let many = lines_of("i=0; while [ $i -lt 1000 ]; do echo $i; i=$((i+1)); done").unwrap();
        assert_eq!((many.len(), many[999].as_str()), (1000, "999"));
    }

    #[test]
    fn only_lines_of_progress_are_progress() {
        assert_eq!(progress("SANSA: ranking\t5\t9"), Some(("SANSA: ranking", 5, 9)));
        for line in ["", "epoch 1", "a\tb\tc", "a\t1"] {
            assert_eq!(progress(line), None, "{line}");
        }
    }

    #[test]
    fn a_failure_comes_with_the_last_words() {
        let failed = lines_of("echo first >&2; echo 'ValueError: odd' >&2; exit 3").unwrap_err();
        assert_eq!(failed.to_string(), "sh ended with exit status: 3: ValueError: odd");
        let missing =
            run(&mut Command::new("no-such-program"), PATIENCE, &AtomicBool::new(false), |_| {});
        assert!(matches!(missing, Err(ChildError::Run { .. })));
    }

    #[test]
    fn who_takes_too_long_or_is_not_wanted_is_killed() {
        let run = |limit, cancelled| {
            run(&mut shell("exec sleep 600"), limit, &AtomicBool::new(cancelled), |_| {})
        };
        assert!(matches!(run(PATIENCE, true), Err(ChildError::Cancelled(_))));
        assert!(matches!(run(Duration::ZERO, false), Err(ChildError::TooLong { .. })));
    }
}
