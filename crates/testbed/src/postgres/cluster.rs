//! One cluster: made, started, stopped, killed and started again.
//!
//! PostgreSQL refuses to run as root, so as root the folder belongs to `postgres`, or to `nobody`
//! where that account is missing, and its programs run as such.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::account::Account;
use super::binaries::{self, Binaries};
use super::database::{self, Database};
use super::guard::Guard;
use super::{PostgresError, children};
use crate::process;

/// How long a start may take; one after a crash reads the log first.
const START_LIMIT: Duration = Duration::from_secs(60);

/// How long a stop may take.
const STOP_LIMIT: Duration = Duration::from_secs(60);

/// How often another port is tried when somebody was quicker.
const PORTS_TRIED: usize = 5;

/// A cluster in a temporary folder, for as long as this value lives.
///
/// It listens on loopback and on a Unix socket in its folder, and trusts whoever comes. What it
/// acknowledges is on disk: `fsync` and `synchronous_commit` are on.
#[derive(Debug)]
pub struct Cluster {
    binaries: Binaries,
    account: Option<Account>,
    port: u16,
    server: Option<Child>,
    guard: Guard,
    folder: TempDir,
}

impl Cluster {
    /// Makes a cluster in a fresh folder and starts it.
    ///
    /// Takes about two seconds.
    ///
    /// # Errors
    ///
    /// [`PostgresError::Missing`] if this machine has no PostgreSQL; the others if it does not
    /// run.
    pub fn start() -> Result<Self, PostgresError> {
        let binaries = Binaries::find()?;
        let account = Account::for_server()?;
        let folder = tempfile::Builder::new().prefix("foreword-postgres-").tempdir();
        let folder = folder.map_err(file(&std::env::temp_dir()))?;
        if let Some(account) = account {
            chown(folder.path(), Some(account.user), Some(account.group))
                .map_err(file(folder.path()))?;
        }
        let guard = Guard::post(folder.path())
            .map_err(|source| PostgresError::Run { program: "sh".to_owned(), source })?;
        let mut cluster = Self { binaries, account, port: 0, server: None, guard, folder };
        cluster.initialise()?;
        for tried in 1.. {
            cluster.port = free_port().map_err(file(cluster.folder()))?;
            match cluster.start_again() {
                Err(PostgresError::Failed { complaint, .. })
                    if tried < PORTS_TRIED && complaint.contains("could not bind") => {}
                result => return result.map(|()| cluster),
            }
        }
        unreachable!("the last port that is tried decides")
    }

    /// The URL of a database of this cluster, as its superuser, over loopback.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@{}:{}/{database}", Ipv4Addr::LOCALHOST, self.port)
    }

    /// Where it listens on loopback; the same after [`Cluster::start_again`].
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder with the data, the Unix socket and the server's log, `log`.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Creates an empty database.
    ///
    /// # Errors
    ///
    /// If the server cannot.
    pub fn create_database(&self) -> Result<Database, PostgresError> {
        database::create(self.binaries.clone(), self.url("postgres"))
    }

    /// Runs one SQL command and gives the rows, columns separated by `|`.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached or refuses it.
    pub fn query(&self, database: &str, sql: &str) -> Result<String, PostgresError> {
        self.binaries.psql(&self.url(database), sql)
    }

    /// Stops it in order: connections are cut, their transactions rolled back ("fast").
    ///
    /// # Errors
    ///
    /// If it does not end; it has been killed then.
    pub fn stop(&mut self) -> Result<(), PostgresError> {
        self.end_with(Signal::INT)
    }

    /// Stops it at once, without writing anything ("immediate"): the next start recovers.
    ///
    /// # Errors
    ///
    /// As [`Cluster::stop`].
    pub fn stop_now(&mut self) -> Result<(), PostgresError> {
        self.end_with(Signal::QUIT)
    }

    /// Kills all of its processes with SIGKILL, at one moment.
    ///
    /// # Errors
    ///
    /// If the system refuses, or they do not go.
    pub fn kill(&mut self) -> Result<(), PostgresError> {
        let Some(mut server) = self.server.take() else { return Ok(()) };
        let failed = |source| PostgresError::Run { program: "kill".to_owned(), source };
        children::kill_family(&mut server, STOP_LIMIT).map_err(failed)
    }

    /// Starts it on the same folder and port, after it was stopped or killed. A cluster that
    /// runs is left alone.
    ///
    /// # Errors
    ///
    /// If it does not come up, with the end of its log.
    pub fn start_again(&mut self) -> Result<(), PostgresError> {
        if self.server.is_some() {
            return Ok(());
        }
        let log = self.folder().join("log");
        let log_start = fs::metadata(&log).map_or(0, |it| it.len());
        let output = File::options().append(true).create(true).open(&log).map_err(file(&log))?;
        let errors = output.try_clone().map_err(file(&log))?;
        let mut command = self.as_account("postgres");
        command.arg("-D").arg(self.data());
        for setting in self.settings() {
            command.arg("-c").arg(setting);
        }
        // Its own process group, so that an interrupt from the terminal stops what uses it first.
        command.process_group(0).stdin(Stdio::null()).stdout(output).stderr(errors);
        let program = || "postgres".to_owned();
        let mut server =
            command.spawn().map_err(|source| PostgresError::Run { program: program(), source })?;
        let pid = server.id();
        let ready = process::wait_for(START_LIMIT, || match server.try_wait()? {
            Some(_) => Ok(Some(false)),
            None => Ok(self.is_ready(pid).then_some(true)),
        });
        self.server = Some(server);
        let complaint = || log_since(&log, log_start);
        match ready.map_err(|source| PostgresError::Run { program: program(), source })? {
            Some(true) => return Ok(()),
            Some(false) => self.server = None,
            None => {
                self.kill()?;
                let (limit, complaint) = (START_LIMIT, complaint());
                return Err(PostgresError::TooLong { program: program(), limit, complaint });
            }
        }
        Err(PostgresError::Failed { program: program(), complaint: complaint() })
    }

    fn initialise(&self) -> Result<(), PostgresError> {
        let mut initdb = self.as_account("initdb");
        // What initdb writes need not be synced: these tests kill processes, not machines.
        initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"]);
        initdb.args(["--no-sync", "--no-instructions", "-D"]).arg(self.data());
        binaries::run(&mut initdb).map(|_| ())
    }

    fn settings(&self) -> Vec<String> {
        vec![
            format!("port={}", self.port),
            format!("listen_addresses={}", Ipv4Addr::LOCALHOST),
            format!("unix_socket_directories={}", self.folder().display()),
            "fsync=on".to_owned(),
            "synchronous_commit=on".to_owned(),
            "shared_buffers=64MB".to_owned(),
            "max_connections=100".to_owned(),
            "timezone=UTC".to_owned(),
        ]
    }

    /// Whether the server with this process number says that it takes connections. The eighth
    /// line of `postmaster.pid` is its state, the first its number (PostgreSQL, `miscadmin.h`).
    fn is_ready(&self, pid: u32) -> bool {
        let status = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let mut lines = status.lines().map(str::trim);
        lines.next() == Some(&pid.to_string()) && lines.nth(6) == Some("ready")
    }

    fn end_with(&mut self, signal: Signal) -> Result<(), PostgresError> {
        let Some(server) = &mut self.server else { return Ok(()) };
        let failed = |source| PostgresError::Run { program: "kill".to_owned(), source };
        kill_process(Pid::from_child(server), signal).map_err(|error| failed(error.into()))?;
        if process::wait(server, STOP_LIMIT).map_err(failed)?.is_some() {
            self.server = None;
            return Ok(());
        }
        self.kill()?;
        let (limit, program) = (STOP_LIMIT, "postgres".to_owned());
        let complaint = log_since(&self.folder().join("log"), 0);
        Err(PostgresError::TooLong { program, limit, complaint })
    }

    fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    fn as_account(&self, program: &str) -> Command {
        let mut command = self.binaries.command(program);
        // Its messages are looked into, and its working folder must be one that it may enter.
        command.env("LC_ALL", "C").current_dir(self.folder());
        if let Some(account) = self.account {
            command.uid(account.user).gid(account.group);
        }
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The folder goes as well: there is nothing to save, and nobody to tell of an error.
        if self.stop_now().is_err() {
            let _ = self.kill();
        }
        self.guard.dismiss();
    }
}

/// A port of loopback that was free a moment ago.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn log_since(log: &Path, start: u64) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    let start = usize::try_from(start).map_or(bytes.len(), |start| start.min(bytes.len()));
    binaries::last_of(&String::from_utf8_lossy(&bytes[start..]))
}

fn file(path: &Path) -> impl FnOnce(io::Error) -> PostgresError {
    let path = path.to_owned();
    move |source| PostgresError::File { path, source }
}
