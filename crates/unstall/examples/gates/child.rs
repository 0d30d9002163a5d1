//! Servers in a process of their own, so that their CPU time is theirs.
//!
//! The child is this program with the hidden command `serve`. It says its port in the first
//! line, then a line for each report, and ends when its standard input does.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use clap::ValueEnum;
use evaluation::load::{Process, Target};
use unstall::{Observer, Stage, StallKind, StallReport};

use crate::Failure;
use crate::server::{Kind, Server};

/// A server in a process of its own. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Serving {
    pub(crate) address: SocketAddr,
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Serving {
    pub(crate) fn start(kind: Kind) -> Result<Self, Failure> {
        Self::start_by(Command::new(std::env::current_exe()?), kind)
    }

    /// Starts it by another command that ends in this program's name.
    pub(crate) fn start_by(mut command: Command, kind: Kind) -> Result<Self, Failure> {
        let kind = kind.to_possible_value().ok_or("a kind without a name")?;
        command.args(["serve", kind.get_name()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let stdout = child.stdout.take().ok_or("no standard output")?;
        let mut output = BufReader::new(stdout).lines();
        let port = output.next().ok_or("the child did not start")??.parse()?;
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&lines);
        std::thread::spawn(move || {
            for line in output.map_while(Result::ok) {
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        Ok(Self { address: (Ipv4Addr::LOCALHOST, port).into(), child, lines })
    }

    /// For the load generator.
    pub(crate) fn target(&self) -> Target {
        let process = Some(self.process());
        Target { address: self.address.to_string(), process, ..Target::default() }
    }

    pub(crate) fn process(&self) -> Process {
        Process(self.child.id())
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Reports of a kind so far.
    pub(crate) fn reports(&self, kind: StallKind) -> Vec<String> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let of_kind = |line: &&String| line.split(' ').next() == Some(kind.name());
        lines.iter().filter(of_kind).cloned().collect()
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
pub(crate) fn serve(kind: Kind) -> Result<(), Failure> {
    let server = Server::start_observed(kind, Printer)?;
    print(&server.address.port().to_string());
    // Until the parent goes.
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

struct Printer;

impl Observer for Printer {
    fn report(&self, report: &StallReport) {
        if report.stage == Stage::Begun || report.kind == StallKind::HostStarved {
            print(&format!("{} {report}", report.kind.name()));
        }
    }
}

fn print(line: &str) {
    // Whoever wanted to know may be gone.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}
