//! Looking again and again, such as for changes.
//!
//! Every turn has a time limit, so that a store that never answers holds nothing up for ever. After
//! a turn that failed the waits grow, each with a share of chance, so that many processes that
//! lost one database do not come back to it at once. The log has a line when turns begin to fail,
//! another when they fail for another reason, after ever longer pauses, and one when they succeed
//! again, however many there are in between.

use std::fmt::Display;
use std::future::{Future, pending};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::time::timeout;

use crate::backoff::Backoff;

/// [`Poll::wait_max`] of what is promised to take effect within a second.
pub(crate) const WITHIN_A_SECOND: Duration = Duration::from_secs(1);

/// [`Poll::wait_max`] of what may be late.
pub(crate) const UNHURRIED: Duration = Duration::from_secs(5);

/// After a failure was said, one for another reason is not said for so long; twice as long after
/// each,
const QUIET: Duration = Duration::from_secs(10);

/// up to this.
const QUIET_MAX: Duration = Duration::from_secs(600);

/// What is done again and again, for the log and the clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Poll<'a> {
    /// The wait from one turn to the next.
    pub(crate) interval: Duration,
    /// While turns fail, the longest wait between two of them, unless the interval is longer.
    pub(crate) wait_max: Duration,
    /// How long a turn may take.
    pub(crate) patience: Duration,
    /// What the log says when turns begin to fail.
    pub(crate) failing: &'static str,
    /// What the log says when they succeed again.
    pub(crate) recovered: &'static str,
    /// Counts turns that failed, if anybody wants to know.
    pub(crate) failures: Option<&'a AtomicU64>,
}

impl Poll<'_> {
    /// Takes turn after turn until `stop` ends, which cuts a turn off.
    pub(crate) async fn repeat<R, T, E>(&self, turn: impl Fn() -> R, stop: impl Future<Output = ()>)
    where
        R: Future<Output = Result<T, E>>,
        E: Display,
    {
        self.repeat_on(pending::<()>, turn, stop).await;
    }

    /// As [`repeat`](Self::repeat), and sooner whenever `hint` ends.
    pub(crate) async fn repeat_on<H, R, T, E>(
        &self,
        hint: impl Fn() -> H,
        turn: impl Fn() -> R,
        stop: impl Future<Output = ()>,
    ) where
        H: Future<Output = ()>,
        R: Future<Output = Result<T, E>>,
        E: Display,
    {
        let turns = async {
            let mut backoff = Backoff::new(self.interval, self.wait_max.max(self.interval));
            let mut wait = self.interval;
            let mut said = None;
            loop {
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = hint() => {}
                }
                let failure = match timeout(self.patience, turn()).await {
                    Ok(Ok(_)) => None,
                    Ok(Err(error)) => Some(error.to_string()),
                    Err(_) => Some(format!("it has not ended within {:?}", self.patience)),
                };
                wait = if failure.is_some() { backoff.next() } else { self.interval };
                if failure.is_none() {
                    backoff.reset();
                }
                self.tell(failure, &mut said, Instant::now());
            }
        };
        let mut stop = pin!(stop);
        tokio::select! {
            () = &mut stop => {}
            () = turns => {}
        }
    }

    /// Logs what is news. `said` is the failure that was logged, while turns fail.
    fn tell(&self, failure: Option<String>, said: &mut Option<Said>, now: Instant) {
        let Some(error) = failure else {
            if said.take().is_some() {
                tracing::info!("{}", self.recovered);
            }
            return;
        };
        if let Some(failures) = self.failures {
            failures.fetch_add(1, Ordering::Relaxed);
        }
        if said.as_ref().is_some_and(|said| said.covers(&error, now)) {
            tracing::debug!(error, "{}", self.failing);
            return;
        }
        tracing::error!(error, "{}", self.failing);
        let quiet = said.as_ref().map_or(QUIET, |said| (said.quiet * 2).min(QUIET_MAX));
        *said = Some(Said { error, at: now, quiet });
    }
}

/// A failure that was logged.
struct Said {
    error: String,
    at: Instant,
    quiet: Duration,
}

impl Said {
    /// Whether another failure need not be logged: it is the same, or too soon after this one.
    fn covers(&self, error: &str, now: Instant) -> bool {
        self.error == error || now.saturating_duration_since(self.at) < self.quiet
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn poll(failures: &AtomicU64) -> Poll<'_> {
        Poll {
            interval: Duration::from_millis(1),
            wait_max: UNHURRIED,
            patience: Duration::from_millis(50),
            failing: "it fails",
            recovered: "it works again",
            failures: Some(failures),
        }
    }

    #[tokio::test]
    async fn failures_in_a_row_are_told_once_and_so_is_the_recovery() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .without_time()
            .with_target(false)
            .finish();
        let told = tracing::subscriber::set_default(subscriber);
        let (turns, failures) = (Cell::new(0), AtomicU64::new(0));
        let (ended, end) = tokio::sync::oneshot::channel::<()>();
        let ended = Cell::new(Some(ended));
        let turn = || async {
            turns.set(turns.get() + 1);
            match turns.get() {
                // Different ones, and one that never ends.
                2 => Err("this".to_owned()),
                3 => pending().await,
                4 => Err("that".to_owned()),
                6 => Err("once more".to_owned()),
                8 => {
                    drop(ended.take());
                    Ok(())
                }
                _ => Ok(()),
            }
        };
        poll(&failures).repeat(turn, async { drop(end.await) }).await;
        drop(told);
        let told = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<&str> = told.lines().map(str::trim).collect();
        let expected = [
            "ERROR it fails error=\"this\"",
            "INFO it works again",
            "ERROR it fails error=\"once more\"",
            "INFO it works again",
        ];
        assert_eq!(lines, expected);
        assert_eq!(failures.load(Ordering::Relaxed), 4);
    }

    #[test]
    fn a_failure_for_another_reason_is_told_after_a_while() {
        let said = Said { error: "disk full".to_owned(), at: Instant::now(), quiet: QUIET };
        for (error, after, is_covered) in [
            ("disk full", Duration::ZERO, true),
            ("disk full", 9 * QUIET, true),
            ("no such table", QUIET / 2, true),
            ("no such table", QUIET, false),
        ] {
            assert_eq!(said.covers(error, said.at + after), is_covered, "{error} {after:?}");
        }
    }

    #[tokio::test]
    async fn a_hint_begins_a_turn_and_the_stop_cuts_one_off() {
        let failures = AtomicU64::new(0);
        let long = Duration::from_secs(3600);
        let poll = Poll { interval: long, patience: long, ..poll(&failures) };
        let (begun, begins) = tokio::sync::oneshot::channel::<()>();
        let begun = Cell::new(Some(begun));
        let turn = || async {
            drop(begun.take());
            pending::<Result<(), String>>().await
        };
        poll.repeat_on(|| std::future::ready(()), turn, async { drop(begins.await) }).await;
        assert_eq!(failures.load(Ordering::Relaxed), 0);
    }
}
