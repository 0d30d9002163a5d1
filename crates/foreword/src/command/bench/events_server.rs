//! A server of a folder: this program again, for as long as it is measured.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// A large store takes a while to open.
const START_LIMIT: Duration = Duration::from_secs(120);

const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How long the port for operators may take to answer.
const METRICS_LIMIT: Duration = Duration::from_secs(10);

/// A server that ends with this.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    pub(super) address: SocketAddr,
    admin: SocketAddr,
}

/// What it counts of events.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Groups {
    pub(super) groups: f64,
    pub(super) entries: f64,
    pub(super) seconds: f64,
}

impl Server {
    /// Starts it and waits until it accepts connections.
    pub(super) async fn start(folder: &Path, flags: Vec<OsString>) -> Result<Self> {
        let (address, admin) = (free_address()?, free_address()?);
        let this = std::env::current_exe().unwrap_or_else(|_| crate::command::program().into());
        let mut command = Command::new(this);
        command.arg("serve").arg("--data-dir").arg(folder).args(flags);
        command.args(["--listen", &address.to_string()]);
        command.args(["--set", &format!("admin.listen={admin}"), "--set", "log.levels=warn"]);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.spawn().context("cannot start this program again")?;
        let mut server = Self { child, address, admin };
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Some(status) = server.child.try_wait()? {
                bail!("the server has ended with {status}");
            }
            if began.elapsed() > START_LIMIT {
                bail!("the server has not started within {} s", START_LIMIT.as_secs());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(server)
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has counted so far.
    pub(super) fn groups(&self) -> Result<Groups> {
        let mut stream = TcpStream::connect(self.admin)?;
        stream.set_read_timeout(Some(METRICS_LIMIT))?;
        stream
            .write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut page = String::new();
        stream.read_to_string(&mut page)?;
        let value = |name: &str| {
            let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.and_then(|value| value.split(' ').next()?.parse().ok()).unwrap_or(0.0)
        };
        Ok(Groups {
            groups: value("foreword_event_groups_total"),
            entries: value("foreword_event_group_entries_total"),
            seconds: value("foreword_event_commit_seconds_sum"),
        })
    }
}

/// What is acknowledged is durable, so it may end at once.
impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address that is free just now.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
