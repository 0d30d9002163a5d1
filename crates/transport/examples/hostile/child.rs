//! The server in a process of its own, so that what it takes is its own.
//!
//! The child is this program with the hidden command `serve`. It says its port in the first
//! line of its output and ends when its input does.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use clap::{Args, ValueEnum};
use evaluation::load::Process;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{Failure, server};

/// Which server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// This crate's.
    #[default]
    Transport,
    /// tonic's own, for comparison.
    Tonic,
}

/// How the child is to serve.
#[derive(Clone, Debug, Args)]
pub(crate) struct Serve {
    /// Which server
    #[arg(long, default_value = "transport")]
    pub(crate) kind: Kind,
    /// Serves over TLS, with the certificate and the key in this folder
    #[arg(long)]
    pub(crate) keys: Option<PathBuf>,
    /// May open so many files
    #[arg(long)]
    pub(crate) files_max: Option<u64>,
}

/// A server in a process of its own. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Serving {
    pub(crate) address: SocketAddr,
    child: Child,
}

impl Serving {
    pub(crate) fn start(serve: &Serve) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        let kind = serve.kind.to_possible_value().ok_or("a kind without a name")?;
        command.args(["serve", "--kind", kind.get_name()]);
        if let Some(keys) = &serve.keys {
            command.arg("--keys").arg(keys);
        }
        if let Some(files_max) = serve.files_max {
            command.args(["--files-max", &files_max.to_string()]);
        }
        // What is freed goes back to the system at once, so that what stays is the server's and
        // not the allocator's.
        command.env("MIMALLOC_PURGE_DELAY", "0");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().ok_or("no standard output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let port = line.trim().parse().map_err(|_| "the server did not start")?;
        Ok(Self { address: (Ipv4Addr::LOCALHOST, port).into(), child })
    }

    pub(crate) fn process(&self) -> Process {
        Process(self.child.id())
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_died(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The child's part.
pub(crate) fn serve(serve: &Serve) -> Result<(), Failure> {
    raise_files(serve.files_max)?;
    std::thread::spawn(|| {
        // Until the parent goes.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let keys: Option<&Path> = serve.keys.as_deref();
    match serve.kind {
        Kind::Transport => server::serve(keys, tell),
        Kind::Tonic => server::serve_tonic(keys, tell),
    }
}

fn tell(address: SocketAddr) {
    // Whoever wanted to know may be gone.
    let _ = writeln!(std::io::stdout().lock(), "{}", address.port());
}

/// Lets this process open so many files, or as many as it may.
pub(crate) fn raise_files(most: Option<u64>) -> Result<(), Failure> {
    let limit = getrlimit(Resource::Nofile);
    let current = most.or(limit.maximum);
    Ok(setrlimit(Resource::Nofile, Rlimit { current, maximum: limit.maximum })?)
}
