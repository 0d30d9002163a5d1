//! A process of ours, whose lines are heard as they come, and which is killed when dropped.

use std::io::{BufRead as _, BufReader, Read};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// For a server to listen.
const START_MAX: Duration = Duration::from_secs(30);
/// Between two looks at whether something has happened that says nothing.
pub(super) const LOOK: Duration = Duration::from_millis(50);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speaker {
    Server,
    Client,
}

/// What one of the processes printed.
pub(super) struct Line {
    pub(super) at: Instant,
    pub(super) speaker: Speaker,
    pub(super) text: String,
}

/// A process of ours, killed by its id when dropped.
pub(super) struct Running {
    pub(super) child: Child,
    ears: Vec<JoinHandle<()>>,
}

impl Running {
    /// Starts it; `lines` gets what it prints, on stdout or stderr.
    pub(super) fn start(
        mut command: Command,
        speaker: Speaker,
        lines: &Sender<Line>,
    ) -> anyhow::Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let program = command.get_program().to_owned();
        let child =
            command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        let mut running = Self { child, ears: Vec::new() };
        if let Some(pipe) = running.child.stdout.take() {
            running.ears.push(listen(pipe, speaker, lines.clone()));
        }
        if let Some(pipe) = running.child.stderr.take() {
            running.ears.push(listen(pipe, speaker, lines.clone()));
        }
        Ok(running)
    }

    /// Waits for a server; what it says before it listens is not part of the scene.
    pub(super) fn wait_until_it_listens(
        &mut self,
        address: SocketAddr,
        lines: &Receiver<Line>,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + START_MAX;
        let mut said = Vec::new();
        while TcpStream::connect_timeout(&address, LOOK).is_err() {
            said.extend(lines.recv_timeout(LOOK).map(|line| line.text));
            let ended = self.child.try_wait()?;
            if ended.is_some() || Instant::now() > deadline {
                self.child.kill()?;
                self.hear_to_the_end();
                said.extend(lines.try_iter().map(|line| line.text));
                let how = ended.map_or("does not listen".to_owned(), |it| format!("ended: {it}"));
                bail!("the server {how}; it said:\n{}", said.join("\n"));
            }
        }
        lines.try_iter().for_each(drop);
        Ok(())
    }

    /// Waits until all lines of a process that has ended are in the channel.
    pub(super) fn hear_to_the_end(&mut self) {
        for ear in self.ears.drain(..) {
            // An ear that panicked has told so on stderr; what it missed will be missing.
            let _ = ear.join();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // If it has ended by itself, both fail, and that is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listen(
    pipe: impl Read + Send + 'static,
    speaker: Speaker,
    lines: Sender<Line>,
) -> JoinHandle<()> {
    thread::spawn(move || {
        for text in BufReader::new(pipe).lines().map_while(Result::ok) {
            if lines.send(Line { at: Instant::now(), speaker, text }).is_err() {
                break;
            }
        }
    })
}
