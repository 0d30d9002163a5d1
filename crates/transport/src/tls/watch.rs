//! The thread that looks whether certificates have changed.

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::error::moment;
use super::reload::{Failure, Shared, Side};
use super::{ClientTls, Reload, Tls};
use crate::Lookout;

/// The shortest time between two looks at the files.
pub const INTERVAL_MIN: Duration = Duration::from_millis(10);

/// How long before its end a certificate is called out.
const EXPIRY_NEAR: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long until it is called out again.
const EXPIRY_AGAIN: Duration = Duration::from_secs(24 * 60 * 60);

/// Looks at the files of a [`Tls`] or a [`ClientTls`] as long as it lives, on a thread named `certificates`.
///
/// New files are put into use, and the log tells until when they are valid. Files that cannot be
/// used leave what is in use in place; they are tried again at every look, and the log tells once
/// why, if they are still there at the second look: the first may fall between the writing of two
/// files. A certificate that expires within seven days is called out once a day.
///
/// Dropping it stops the thread and waits for a look that is under way.
#[derive(Debug)]
pub struct Watcher(#[expect(dead_code, reason = "it looks as long as it lives")] Lookout);

impl Watcher {
    /// Starts to look now, and then `every` so long, at least [`INTERVAL_MIN`].
    ///
    /// # Errors
    ///
    /// The operating system's, if it starts no thread.
    pub fn start(tls: Tls, every: Duration) -> io::Result<Self> {
        Self::over(tls.shared, every)
    }

    /// [`start`](Self::start) for the calling side.
    ///
    /// # Errors
    ///
    /// The operating system's, if it starts no thread.
    pub fn start_for_client(tls: ClientTls, every: Duration) -> io::Result<Self> {
        Self::over(tls.shared, every)
    }

    fn over<S: Side>(shared: Arc<Shared<S>>, every: Duration) -> io::Result<Self> {
        let every = every.max(INTERVAL_MIN);
        let mut watch = Watch { shared, failed: None, expiry_told: None };
        let look = move || watch.look(SystemTime::now());
        Ok(Self(Lookout::start("certificates", every, look)?))
    }
}

struct Watch<S: Side> {
    shared: Arc<Shared<S>>,
    /// What could not be used at the last look.
    failed: Option<Failed<S>>,
    /// When the expiry of the certificate in use was last told.
    expiry_told: Option<SystemTime>,
}

struct Failed<S: Side> {
    failure: Failure<S>,
    told: bool,
}

impl<S: Side> Watch<S> {
    fn look(&mut self, now: SystemTime) {
        match self.shared.renew(now) {
            Ok(Reload::Unchanged) => self.failed = None,
            Ok(Reload::Replaced) => {
                self.failed = None;
                self.expiry_told = None;
                let expires = self.expiry();
                tracing::info!(expires, "new certificates are in use");
            }
            Err(failure) => self.note(failure),
        }
        self.tell_expiry(now);
    }

    /// When the certificate in use ceases to be valid, for the log.
    fn expiry(&self) -> String {
        self.shared.expires().map_or_else(|| "never".to_owned(), moment)
    }

    fn note(&mut self, failure: Failure<S>) {
        let expires = self.expiry();
        match &mut self.failed {
            Some(before) if before.failure.is(&failure) => {
                if !before.told {
                    before.told = true;
                    tracing::warn!(
                        error = %failure.error, expires,
                        "new certificates cannot be used; those before stay in use until they expire"
                    );
                }
            }
            _ => self.failed = Some(Failed { failure, told: false }),
        }
    }

    fn tell_expiry(&mut self, now: SystemTime) {
        let Some(expires) = self.shared.expires() else { return };
        let left = expires.duration_since(now).unwrap_or_default();
        // A clock that was put back must not keep this quiet.
        let told = self.expiry_told.and_then(|told| now.duration_since(told).ok());
        if left >= EXPIRY_NEAR || told.is_some_and(|ago| ago < EXPIRY_AGAIN) {
            return;
        }
        self.expiry_told = Some(now);
        let at = moment(expires);
        if left.is_zero() {
            tracing::warn!(expired = at, "the certificate has expired; peers refuse it");
        } else {
            let hours = left.as_secs() / 3600;
            tracing::warn!(expires = at, hours, "the certificate expires soon");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::sync::Mutex;

    use rcgen::{CertificateParams, KeyPair, date_time_ymd};
    use tempfile::TempDir;

    use super::*;
    use crate::tls::TlsFiles;
    use crate::tls::config::Server;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

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

    struct Case {
        folder: TempDir,
        watch: Watch<Server>,
        log: Log,
    }

    impl Case {
        fn new() -> Self {
            let folder = TempDir::new().unwrap();
            let file = |name| folder.path().join(name);
            let (certificate, key) = (file("server.pem"), file("server.key"));
            put(&folder, &pair());
            let tls = Tls::load(TlsFiles { certificate, key, client_ca: None }).unwrap();
            let watch = Watch { shared: tls.shared, failed: None, expiry_told: None };
            Self { folder, watch, log: Log::default() }
        }

        /// What one look tells the log.
        fn look(&mut self, now: SystemTime) -> String {
            let log = self.log.clone();
            let told = tracing_subscriber::fmt()
                .with_writer(move || log.clone())
                .with_ansi(false)
                .without_time()
                .finish();
            tracing::subscriber::with_default(told, || self.watch.look(now));
            String::from_utf8(std::mem::take(&mut *self.log.0.lock().unwrap())).unwrap()
        }

        fn spoil(&self, text: &str) {
            fs::write(self.folder.path().join("server.key"), text).unwrap();
        }
    }

    /// A certificate until 3000-01-01, and its key.
    fn pair() -> (String, String) {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.not_after = date_time_ymd(3000, 1, 1);
        let key = KeyPair::generate().unwrap();
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    fn put(folder: &TempDir, (certificate, key): &(String, String)) {
        fs::write(folder.path().join("server.pem"), certificate).unwrap();
        fs::write(folder.path().join("server.key"), key).unwrap();
    }

    #[test]
    fn a_bad_file_is_told_once_at_the_second_look() {
        let now = SystemTime::now();
        let mut case = Case::new();
        assert_eq!(case.look(now), "");
        for spoilt in ["nothing", "nothing else"] {
            case.spoil(spoilt);
            assert_eq!(case.look(now), "", "it may be half a change");
            let told = case.look(now);
            assert!(told.contains("WARN") && told.contains("server.key: has no PEM"), "{told}");
            assert!(told.contains("expires=\"3000-01-01T00:00:00Z\""), "{told}");
            assert_eq!((case.look(now), case.look(now)), (String::new(), String::new()));
        }
        put(&case.folder, &pair());
        let told = case.look(now);
        assert!(told.contains("INFO") && told.contains("new certificates are in use"), "{told}");
        assert_eq!(case.look(now), "");
    }

    #[test]
    fn half_a_change_is_not_told() {
        let now = SystemTime::now();
        let mut case = Case::new();
        let (certificate, key) = pair();
        fs::write(case.folder.path().join("server.pem"), certificate).unwrap();
        assert_eq!(case.look(now), "");
        case.spoil(&key);
        assert!(case.look(now).contains("new certificates are in use"));
    }

    #[test]
    fn an_expiry_that_is_near_is_told_once_a_day() {
        let end = SystemTime::from(date_time_ymd(3000, 1, 1));
        let mut case = Case::new();
        assert_eq!(case.look(end - 7 * DAY), "");
        let first = end - 7 * DAY + Duration::from_secs(1);
        assert!(case.look(first).contains("the certificate expires soon"));
        assert_eq!(case.look(first + DAY - Duration::from_secs(1)), "");
        assert!(case.look(first + DAY).contains("the certificate expires soon"));
        assert!(case.look(end + DAY).contains("the certificate has expired"));
        assert_eq!(case.look(end + DAY), "");
        assert!(case.look(end - DAY).contains("expires soon"), "the clock was put back");
    }
}
