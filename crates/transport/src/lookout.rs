//! A thread that looks at something now and then, such as files that may change.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A thread that looks as long as this lives. Dropping it stops the thread and waits for a look
/// that is under way.
#[derive(Debug)]
pub struct Lookout {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Lookout {
    /// Starts a thread of this name that looks now, and then `every` so long. A look that panics
    /// is told in the log, and the next is tried.
    ///
    /// # Errors
    ///
    /// The operating system's, if it starts no thread.
    pub fn start(
        name: &'static str,
        every: Duration,
        mut look: impl FnMut() + Send + 'static,
    ) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            loop {
                if catch_unwind(AssertUnwindSafe(&mut look)).is_err() {
                    tracing::error!(thread = name, "a look panicked; the next is tried");
                }
                if stopped.recv_timeout(every) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Lookout {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // Panics were caught and told.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_looks_on_after_a_panic_and_ends_with_its_owner() {
        let (looked, looks) = mpsc::channel();
        let mut count = 0;
        let lookout = Lookout::start("test", Duration::from_millis(1), move || {
            count += 1;
            looked.send(count).unwrap();
            assert_ne!(count, 2, "a defect");
        });
        let lookout = lookout.unwrap();
        assert_eq!(looks.iter().take(3).collect::<Vec<_>>(), [1, 2, 3]);
        drop(lookout);
        // Its end of the channel is gone with the thread.
        assert!(looks.iter().all(|count| count > 3));
    }
}
