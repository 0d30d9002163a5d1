//! The thread that looks whether the keys have changed.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{KeyFile, Tokens};

/// How often the file is looked at.
pub const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Looks at a file of keys as long as it lives, on a thread named `token-keys`.
///
/// It reads the contents, as [`transport::tls::Watcher`] does and for the same reasons. New keys
/// are put into use. A file that cannot be used leaves those before in use; the log tells why
/// once, at the second look: the first may fall into the middle of writing.
#[derive(Debug)]
pub struct Watcher {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    /// Starts to look, now and then every second.
    ///
    /// # Errors
    ///
    /// The operating system's, if it starts no thread.
    pub fn start(file: KeyFile, tokens: Arc<Tokens>) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let mut watch = Watch { file, tokens, failed: None };
        let thread = thread::Builder::new().name("token-keys".to_owned()).spawn(move || {
            loop {
                if catch_unwind(AssertUnwindSafe(|| watch.look())).is_err() {
                    tracing::error!("a look at the keys for tokens panicked; the next is tried");
                }
                if stopped.recv_timeout(LOOK_EVERY) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // Panics were caught and told.
            let _ = thread.join();
        }
    }
}

struct Watch {
    file: KeyFile,
    tokens: Arc<Tokens>,
    /// What was wrong at the last look, and whether the log has it.
    failed: Option<(String, Told)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Yes,
    No,
}

impl Watch {
    fn look(&mut self) {
        match self.file.renew() {
            Ok(None) => self.failed = None,
            Ok(Some(keys)) => {
                self.failed = None;
                let (count, ignored) = (keys.len(), keys.ignored());
                self.tokens.replace(keys);
                tracing::info!(keys = count, ignored, "new keys for tokens are in use");
            }
            Err(error) => self.note(error.to_string()),
        }
    }

    fn note(&mut self, error: String) {
        match &mut self.failed {
            Some((before, told)) if *before == error => {
                if *told == Told::No {
                    *told = Told::Yes;
                    tracing::warn!(
                        error,
                        "new keys for tokens cannot be used; those before stay in use"
                    );
                }
            }
            _ => self.failed = Some((error, Told::No)),
        }
    }
}
