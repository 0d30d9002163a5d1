//! The thread that looks whether the keys have changed.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use transport::Lookout;

use super::{KeyFile, Tokens};

/// How often the file is looked at.
pub const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Looks at a file of keys as long as it lives, on a thread named `token-keys`.
///
/// It reads the contents, as [`transport::tls::Watcher`] does and for the same reasons. New keys
/// are put into use. A file that cannot be used leaves those before in use; the log tells why
/// once, at the second look: the first may fall into the middle of writing.
#[derive(Debug)]
pub struct Watcher(#[expect(dead_code, reason = "it looks as long as it lives")] Lookout);

impl Watcher {
    /// Starts to look, now and then every second.
    ///
    /// # Errors
    ///
    /// The operating system's, if it starts no thread.
    pub fn start(file: KeyFile, tokens: Arc<Tokens>) -> io::Result<Self> {
        let mut watch = Watch { file, tokens, failed: None };
        Ok(Self(Lookout::start("token-keys", LOOK_EVERY, move || watch.look())?))
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::sync::Mutex;

    use tempfile::TempDir;

    use super::*;
    use crate::access::jwt::Rules;

    const KEYS: &str = r#"{"keys": [{"kty": "OKP", "crv": "Ed25519",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

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

    /// What one look tells the log.
    fn look(watch: &mut Watch) -> String {
        let log = Log::default();
        let writer = log.clone();
        let told = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .without_time()
            .finish();
        tracing::subscriber::with_default(told, || watch.look());
        let told = log.0.lock().unwrap();
        String::from_utf8(told.clone()).unwrap()
    }

    fn watch(folder: &TempDir) -> Watch {
        let path = folder.path().join("keys.json");
        fs::write(&path, KEYS).unwrap();
        let (file, keys) = KeyFile::open(&path).unwrap();
        let rules = Rules {
            issuer: None,
            audience: None,
            roles_claim: "roles".to_owned(),
            leeway: Duration::ZERO,
        };
        Watch { file, tokens: Arc::new(Tokens::new(rules, keys)), failed: None }
    }

    #[test]
    fn a_bad_file_is_told_once_at_the_second_look() {
        let folder = TempDir::new().unwrap();
        let mut watch = watch(&folder);
        let write = |text: &str| fs::write(folder.path().join("keys.json"), text).unwrap();
        assert_eq!(look(&mut watch), "");
        for spoilt in ["hunter2", "{hunter2", "{}"] {
            write(spoilt);
            assert_eq!(look(&mut watch), "", "it may be half a change");
            let told = look(&mut watch);
            assert!(told.contains("WARN") && told.contains("stay in use"), "{told}");
            assert!(told.contains("keys.json") && !told.contains("hunter2"), "{told}");
            assert_eq!((look(&mut watch), look(&mut watch)), (String::new(), String::new()));
        }
        fs::remove_file(folder.path().join("keys.json")).unwrap();
        assert_eq!(look(&mut watch), "");
        assert!(look(&mut watch).contains("cannot read"));
        write(&KEYS.replace("Ed25519\"", "Ed25519\", \"kid\": \"a\""));
        assert!(look(&mut watch).contains("new keys for tokens are in use keys=1"));
        assert_eq!(look(&mut watch), "");
    }
}
