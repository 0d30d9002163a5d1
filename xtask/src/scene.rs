//! `cargo xtask scene`: the scene that README.md opens with.
//!
//! Five requests at once, to three servers whose handler sleeps for five seconds: the tutorial's
//! asyncio server, plain tonic, and tonic on `unstall`. Leaves the transcript and the figure below
//! the target folder, or in `docs/`; the numbers of the README are those of one run, and a test
//! holds them to the transcript in `docs/`.

mod act;
mod figure;
mod running;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use crate::process::{cargo, command, run};
use crate::python::Environment;
use crate::workspace::Workspace;

const ASYNCIO: &str = "crates/unstall/examples/tutorial_asyncio.py";
const CLIENT: &str = "crates/unstall/examples/five_requests.py";
const PROTO: &str = "crates/api/proto";
const FIGURE: &str = "five-requests.svg";
const TRANSCRIPT: &str = "five-requests.txt";
const LEGEND: &str = "\
Seconds since the first line, who says it, what. The client prints its answers in the order of its
requests, each no sooner than those before it. Left out: the books, and of log lines the time of
day and the fields after the message.

";
const REQUESTS: usize = 5;
const BOOKS_PER_ANSWER: usize = 3;

/// Where the transcript and the figure go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// `target/scene/`.
    Target,
    /// `docs/`, which the READMEs show.
    Docs,
}

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
pub(crate) fn scene(workspace: &Workspace, place: Place) -> anyhow::Result<()> {
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

    let folder = place.folder(workspace);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(TRANSCRIPT), transcript.0)?;
    fs::write(folder.join(FIGURE), figure::svg(&answers, cores))?;
    println!("\nwrote {TRANSCRIPT} and {FIGURE} to {}", folder.display());
    Ok(())
}

impl Place {
    fn folder(self, workspace: &Workspace) -> PathBuf {
        match self {
            Self::Target => workspace.target.join("scene"),
            Self::Docs => workspace.path("docs"),
        }
    }
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

    /// `README.md` and the transcript that it shows parts of.
    fn readme_and_transcript() -> (String, String) {
        let workspace = Workspace::find().unwrap();
        let transcript = Place::Docs.folder(&workspace).join(TRANSCRIPT);
        let read = |path| fs::read_to_string(path).unwrap();
        (read(workspace.path("README.md")), read(transcript))
    }

    #[test]
    fn the_readme_shows_lines_of_the_transcript_and_its_totals() {
        let (readme, transcript) = readme_and_transcript();
        let (_, shown) = readme.split_once("```text\n=== ").expect("the transcript is shown");
        let (shown, _) = shown.split_once("\n```").expect("its block ends");

        let mut kept = transcript.lines();
        for line in format!("=== {shown}").lines().filter(|line| *line != "…") {
            assert!(kept.any(|kept| kept == line), "not in {TRANSCRIPT}, or not there: {line}");
        }
    }

    #[test]
    fn what_the_readme_says_in_words_has_the_numbers_of_the_transcript() {
        let (readme, transcript) = readme_and_transcript();
        let readme = readme.split_whitespace().collect::<Vec<_>>().join(" ");
        let (_, table) = transcript.split_once("=== until").expect("the table ends it");
        let rows = table.lines().skip(1).map(|row| row.split_whitespace().nth_back(1));
        let totals: Vec<_> = rows.flatten().collect();
        let [asyncio, tonic, unstall] = totals[..] else { panic!("{totals:?}") };
        let report = transcript.lines().find(|line| line.contains(" WARN ")).expect("a report");
        let reported = report.split_whitespace().next().expect("it begins with a time");

        for words in [
            format!("answers the last after {asyncio} s, tonic after {tonic} s, "),
            format!("tonic on unstall after {unstall} s]"),
            format!("while the threads are still stuck: at {reported} s, "),
        ] {
            assert!(readme.contains(&words), "README.md does not say: {words}");
        }
    }

    #[test]
    fn the_transcript_has_the_legend_of_the_next_one() {
        assert!(readme_and_transcript().1.starts_with(LEGEND));
    }
}
