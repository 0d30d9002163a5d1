//! A configuration that is replaced whole when its files change, for either side.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use super::{Problem, TlsError};

/// A side of TLS: which files it has, and what is made of them.
pub(super) trait Side: Send + Sync + 'static {
    /// Where the files are.
    type Files: Send + Sync;
    /// What is in them. It need not have `Debug`: a key is among it.
    type Contents: PartialEq + Send + Sync;
    /// What rustls takes.
    type Config: Send + Sync;

    /// Reads all files.
    fn read(files: &Self::Files) -> Result<Self::Contents, TlsError>;

    /// Builds a configuration that shares nothing with any other.
    fn build(
        files: &Self::Files,
        contents: &Self::Contents,
        now: SystemTime,
    ) -> Result<Built<Self::Config>, TlsError>;
}

/// A configuration and what is known of it.
pub(super) struct Built<C> {
    pub(super) config: Arc<C>,
    /// When its certificate ceases to be valid; none if it has no certificate.
    pub(super) expires: Option<SystemTime>,
    /// The file of the authorities, and those of them that are not valid now.
    pub(super) left_out: Option<(PathBuf, LeftOut)>,
}

/// Authorities that are not valid now, by their number in the file.
pub(super) type LeftOut = Vec<(usize, Problem)>;

/// The configuration in use.
pub(super) struct Shared<S: Side> {
    pub(super) files: S::Files,
    current: ArcSwap<Current<S>>,
    /// Held by whoever reads the files, so that older contents never replace newer ones.
    reloading: Mutex<()>,
    replaced: watch::Sender<()>,
}

struct Current<S: Side> {
    contents: S::Contents,
    built: Built<S::Config>,
}

/// What a reload did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reload {
    /// The files are what they were.
    Unchanged,
    /// New handshakes use what is in the files now.
    Replaced,
}

/// A reload that failed, with the contents that it failed on if they could be read.
pub(super) struct Failure<S: Side> {
    pub(super) error: TlsError,
    contents: Option<Box<S::Contents>>,
}

impl<S: Side> Failure<S> {
    /// Whether it is the same one again.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.contents == other.contents && self.error.to_string() == other.error.to_string()
    }
}

impl<S: Side> Shared<S> {
    pub(super) fn load(files: S::Files) -> Result<Arc<Self>, TlsError> {
        let contents = S::read(&files)?;
        let built = S::build(&files, &contents, SystemTime::now())?;
        built.tell();
        let current = ArcSwap::from_pointee(Current { contents, built });
        let (reloading, replaced) = (Mutex::new(()), watch::Sender::new(()));
        Ok(Arc::new(Self { files, current, reloading, replaced }))
    }

    pub(super) fn config(&self) -> Arc<S::Config> {
        Arc::clone(&self.current.load().built.config)
    }

    pub(super) fn expires(&self) -> Option<SystemTime> {
        self.current.load().built.expires
    }

    /// Tells of each replacement from now on.
    pub(super) fn replaced(&self) -> watch::Receiver<()> {
        self.replaced.subscribe()
    }

    /// Reads the files again and replaces the configuration if any of them has changed.
    pub(super) fn renew(&self, now: SystemTime) -> Result<Reload, Failure<S>> {
        let _alone = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        let contents = S::read(&self.files).map_err(|error| Failure { error, contents: None })?;
        if contents == self.current.load().contents {
            return Ok(Reload::Unchanged);
        }
        match S::build(&self.files, &contents, now) {
            Ok(built) => {
                built.tell();
                self.current.store(Arc::new(Current { contents, built }));
                self.replaced.send_replace(());
                Ok(Reload::Replaced)
            }
            Err(error) => Err(Failure { error, contents: Some(Box::new(contents)) }),
        }
    }
}

impl<C> Built<C> {
    /// Tells the log which authorities were left out.
    fn tell(&self) {
        let Some((file, left_out)) = &self.left_out else { return };
        for (certificate, problem) in left_out {
            let file = file.display();
            tracing::warn!(%file, certificate, %problem, "leaving out an authority");
        }
    }
}

/// Names the file in a problem.
pub(super) fn of(file: &Path) -> impl Fn(Problem) -> TlsError {
    move |problem| TlsError { file: file.to_owned(), problem }
}
