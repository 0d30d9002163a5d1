//! Looking again and again, such as for changes.
//!
//! Every turn has a time limit, so that a store that never answers holds nothing up for ever. After
//! a turn that failed the waits grow, each with a share of chance, so that many processes that
//! lost one database do not come back to it at once. The log has a line when turns begin to fail
//! and one when they succeed again, however many there are in between.

use std::fmt::Display;
use std::future::{Future, pending};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::timeout;

use crate::backoff::Backoff;

/// While turns fail, the longest wait between two of them, unless the interval is longer.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// What is done again and again, for the log and the clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Poll<'a> {
    /// The wait from one turn to the next.
    pub(crate) interval: Duration,
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
            let mut backoff = Backoff::new(self.interval, WAIT_MAX.max(self.interval));
            let mut wait = self.interval;
            let mut is_failing = false;
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
                self.tell(failure.as_deref(), is_failing);
                is_failing = failure.is_some();
                wait = if is_failing { backoff.next() } else { self.interval };
                if !is_failing {
                    backoff.reset();
                }
            }
        };
        let mut stop = pin!(stop);
        tokio::select! {
            () = &mut stop => {}
            () = turns => {}
        }
    }

    fn tell(&self, failure: Option<&str>, was_failing: bool) {
        if failure.is_some()
            && let Some(failures) = self.failures
        {
            failures.fetch_add(1, Ordering::Relaxed);
        }
        match (failure, was_failing) {
            (Some(error), false) => tracing::error!(error, "{}", self.failing),
            (Some(error), true) => tracing::debug!(error, "{}", self.failing),
            (None, true) => tracing::info!("{}", self.recovered),
            (None, false) => {}
        }
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
