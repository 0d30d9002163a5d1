//! Certificates of a deployment, as a secret that is mounted: files that change while others read
//! them.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::program::Program;

/// The host of the service in its certificates.
pub(super) const HOST: &str = "foreword.test";

/// The folder with `ca.pem`, `server.pem`, `client.pem` and keys.
pub(super) struct Certificates {
    folder: TempDir,
}

impl Certificates {
    pub(super) fn new() -> Self {
        Self { folder: issue() }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Keeps the client's files of now under another name.
    pub(super) fn keep_client_as(&self, name: &str) {
        for kind in ["pem", "key"] {
            let [from, to] = ["client", name].map(|name| self.path(&format!("{name}.{kind}")));
            fs::copy(from, to).unwrap();
        }
    }

    /// Puts those of another authority into their place, in three steps that nobody who reads them
    /// notices: both authorities are trusted, then the pairs are new, then the old authority is gone.
    /// Between them everybody gets the time to read.
    pub(super) async fn rotate(&self, read: impl AsyncFn()) {
        let (old, next) = (self.folder.path(), issue());
        let next = next.path();
        let both = format!("{}{}", text(&next.join("ca.pem")), text(&old.join("ca.pem")));
        replace(&both, &old.join("ca.pem"));
        read().await;
        for name in ["server.key", "server.pem", "client.key", "client.pem"] {
            replace(&text(&next.join(name)), &old.join(name));
        }
        read().await;
        replace(&text(&next.join("ca.pem")), &old.join("ca.pem"));
        read().await;
    }
}

/// Those of a new authority.
fn issue() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let issue = format!("certs --out {} --name {HOST}", folder.path().display());
    Program::new().run(&issue).succeeded();
    folder
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

/// Whole or not at all, as a volume of Kubernetes does it.
fn replace(text: &str, path: &Path) {
    let beside = path.with_extension("new");
    fs::write(&beside, text).unwrap();
    fs::rename(beside, path).unwrap();
}
