//! A server in a process of its own, so that what it takes is its own, and so that it can be
//! told to stop as operators tell it: by SIGTERM.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use evaluation::load::Process;
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::mpsc;

use crate::Failure;
use crate::server::{Order, Said};

/// A server says nothing for longer only if something is wrong with it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that runs. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Serving {
    pub(crate) plaintext: Option<SocketAddr>,
    pub(crate) tls: Option<SocketAddr>,
    child: Child,
    input: ChildStdin,
    said: mpsc::Receiver<Said>,
}

/// How a server ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) cut: usize,
    pub(crate) streams_ended: usize,
    /// From SIGTERM until the process was gone.
    pub(crate) took: Duration,
}

impl Serving {
    /// Starts a server and waits until it listens.
    pub(crate) async fn start(order: &Order) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("serve");
        for (name, address) in [("--plaintext", order.plaintext), ("--tls", order.tls)] {
            if let Some(address) = address {
                command.arg(name).arg(address.to_string());
            }
        }
        if let Some(folder) = &order.certificates {
            command.arg("--certificates").arg(folder);
        }
        if let Some(grace) = order.stream_grace {
            command.arg("--stream-grace").arg(grace.to_string());
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = child.stdin.take().ok_or("no standard input")?;
        let output = child.stdout.take().ok_or("no standard output")?;
        let (sender, said) = mpsc::channel(16);
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let Ok(said) = serde_json::from_str(&line) else { return };
                if sender.blocking_send(said).is_err() {
                    return;
                }
            }
        });
        let mut serving = Self { plaintext: None, tls: None, child, input, said };
        match serving.hear().await? {
            Said::Listening { plaintext, tls } => {
                (serving.plaintext, serving.tls) = (plaintext, tls);
                Ok(serving)
            }
            other => Err(format!("a server began with {other:?}").into()),
        }
    }

    pub(crate) fn process(&self) -> Process {
        Process(self.child.id())
    }

    /// Its figures.
    pub(crate) async fn figures(&mut self) -> Result<Said, Failure> {
        self.input.write_all(b"\n")?;
        self.hear().await
    }

    async fn hear(&mut self) -> Result<Said, Failure> {
        let said = tokio::time::timeout(PATIENCE, self.said.recv()).await?;
        said.ok_or_else(|| "a server has ended by itself".into())
    }

    /// Sends SIGTERM and waits until the process is gone.
    pub(crate) async fn terminate(mut self) -> Result<Ended, Failure> {
        let began = Instant::now();
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.ok_or("a process without a number")?, Signal::TERM)?;
        let Said::Drained { cut, ended } = self.hear().await? else {
            return Err("a server did not say how it drained".into());
        };
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Ended { status, cut, streams_ended: ended, took: began.elapsed() });
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Err("a server has drained and does not end".into())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
