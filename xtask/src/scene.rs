//! `cargo xtask scene`: the scene that README.md opens with.
//!
//! Five requests at once, to three servers whose handler sleeps for five seconds: the tutorial's
//! asyncio server, plain tonic, and tonic on `unstall`. Leaves the transcript and the figure in
//! `docs/`; the numbers of the README are those of one run.

mod act;
mod figure;
mod running;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use crate::process::{cargo, command, run};
use crate::python::Environment;
use crate::workspace::Workspace;

const ASYNCIO: &str = "crates/unstall/examples/tutorial_asyncio.py";
const CLIENT: &str = "crates/unstall/examples/five_requests.py";
const PROTO: &str = "crates/api/proto";
const FIGURE: &str = "docs/five-requests.svg";
const TRANSCRIPT: &str = "docs/five-requests.txt";
const LEGEND: &str = "Seconds since the first line, who says it, what. Left out: the books, and of \
    log lines\nthe time of day and the fields after the message.\n\n";
const REQUESTS: usize = 5;
const BOOKS_PER_ANSWER: usize = 3;

/// What one of the servers is called, and how a reader starts it.
struct Server {
    name: &'static str,
    by_hand: &'static str,
    kind: Kind,
}

enum Kind {
    Asyncio,
    Inline,
    Unstall,
}

const SERVERS: [Server; 3] = [
    Server {
        name: "Python: grpcio, asyncio",
        by_hand: "python crates/unstall/examples/tutorial_asyncio.py crates/api/proto",
        kind: Kind::Asyncio,
    },
    Server {
        name: "Rust: tonic",
        by_hand: "cargo run --release -p unstall --example tutorial -- --inline",
        kind: Kind::Inline,
    },
    Server {
        name: "Rust: tonic on unstall",
        by_hand: "cargo run --release -p unstall --example tutorial",
        kind: Kind::Unstall,
    },
];

/// When a server answered each request, in the order of the requests; all were sent at zero.
#[derive(Debug)]
struct Answers {
    server: &'static str,
    after: Vec<Duration>,
}

impl Answers {
    fn last(&self) -> Duration {
        self.after.iter().copied().max().unwrap_or_default()
    }
}

/// Plays the scene with each server in turn, and writes the figure and the transcript.
///
/// # Errors
///
/// If something cannot be built or started, does not end in time, or answers wrongly.
pub(crate) fn scene(workspace: &Workspace) -> anyhow::Result<()> {
    let python = Environment::prepare(workspace)?.python();
    run(&mut cargo(workspace, "build --release --locked -p unstall --example tutorial"))?;
    let cores = std::thread::available_parallelism()?.get();

    let mut transcript = Transcript::default();
    transcript.say(LEGEND);
    let mut answers = Vec::new();
    for server in &SERVERS {
        transcript.say(&format!("=== {}\n$ {}\n", server.name, server.by_hand));
        let heard = act::play(
            |address| server.command(workspace, &python, address),
            |address| command(workspace, &python, &format!("{CLIENT} {address} {PROTO}")),
            |line| transcript.say(line),
        );
        let heard = heard.with_context(|| server.name)?;
        let after = read_answers(&heard).with_context(|| server.name)?;
        answers.push(Answers { server: server.name, after });
        transcript.say("\n");
    }
    transcript.say(&table(&answers, cores));

    fs::write(workspace.path(TRANSCRIPT), transcript.0)?;
    fs::write(workspace.path(FIGURE), figure::svg(&answers, cores))?;
    println!("\nwrote {TRANSCRIPT} and {FIGURE}");
    Ok(())
}

impl Server {
    fn command(&self, workspace: &Workspace, python: &Path, address: &str) -> Command {
        let tutorial = workspace.target.join("release/examples/tutorial");
        let mut command = match self.kind {
            Kind::Asyncio => command(workspace, python, &format!("{ASYNCIO} {PROTO} {address}")),
            Kind::Inline => command(workspace, &tutorial, &format!("--inline {address}")),
            Kind::Unstall => command(workspace, &tutorial, address),
        };
        command.env("RUST_LOG", "info").env("NO_COLOR", "1");
        command
    }
}

/// What is shown and kept.
#[derive(Default)]
struct Transcript(String);

impl Transcript {
    fn say(&mut self, text: &str) {
        print!("{text}");
        self.0.push_str(text);
    }
}

/// Reads when each answer came, from what `five_requests.py` prints.
fn read_answers(lines: &[String]) -> anyhow::Result<Vec<Duration>> {
    let seconds = |line: &str, start| {
        let number = line.strip_prefix(start)?.strip_suffix(" s")?;
        Duration::try_from_secs_f64(number.parse().ok()?).ok()
    };
    let after: Vec<_> = lines.iter().filter_map(|line| seconds(line, "answered after ")).collect();
    let books = lines.iter().filter(|line| line.starts_with("  ")).count();
    let found = format!("{} answers with {books} books", after.len());
    ensure!(
        after.len() == REQUESTS && books == REQUESTS * BOOKS_PER_ANSWER,
        "{found}, expected {REQUESTS} with {BOOKS_PER_ANSWER} each"
    );
    let total = lines.iter().find_map(|line| seconds(line, "total "));
    if total != after.iter().copied().max() {
        bail!("the total is not that of the last answer: {total:?}, answers {after:?}");
    }
    Ok(after)
}

fn table(answers: &[Answers], cores: usize) -> String {
    let mut table = format!("=== until the fifth answer, on {cores} cores\n");
    for answers in answers {
        // Writing to a string cannot fail.
        let _ = writeln!(table, "{:<24} {:>6.2} s", answers.server, answers.last().as_secs_f64());
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(answers: &[&str], total: &str) -> Vec<String> {
        let books = ["  1: The Locked Greenhouse", "  2: Nine Tides", "  3: A Debt of Ink"];
        let mut lines = Vec::new();
        for answer in answers {
            lines.extend(books.map(str::to_owned));
            lines.push(format!("answered after {answer} s"));
        }
        lines.push(format!("total {total} s"));
        lines
    }

    #[test]
    fn the_times_of_the_answers_are_read_in_the_order_of_the_requests() {
        let lines = printed(&["5.001", "15.044", "10.077", "15.045", "10.077"], "15.045");
        let milliseconds = [5_001, 15_044, 10_077, 15_045, 10_077];
        assert_eq!(read_answers(&lines).unwrap(), milliseconds.map(Duration::from_millis));
    }

    #[test]
    fn an_answer_or_book_too_few_and_a_wrong_total_are_refused() {
        let check = |lines: &[String], expected: &str| {
            let message = read_answers(lines).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        };
        check(&printed(&["5.001"; 4], "5.001"), "4 answers with 12 books");
        check(&printed(&["5.001"; 5], "5.002"), "total");
        check(&printed(&["5.001"; 5], "5.001")[1..], "5 answers with 14 books");
    }

    #[test]
    fn the_readme_shows_lines_of_the_transcript_and_its_totals() {
        let workspace = Workspace::find().unwrap();
        let read = |name| fs::read_to_string(workspace.path(name)).unwrap();
        let (readme, transcript) = (read("README.md"), read(TRANSCRIPT));
        let (_, shown) = readme.split_once("```text\n=== ").expect("the transcript is shown");
        let (shown, _) = shown.split_once("\n```").expect("its block ends");

        let mut kept = transcript.lines();
        for line in format!("=== {shown}").lines().filter(|line| *line != "…") {
            assert!(kept.any(|kept| kept == line), "not in {TRANSCRIPT}, or not there: {line}");
        }
    }
}
