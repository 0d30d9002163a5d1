//! The gates of `unstall`, measured.
//!
//! ```text
//! cargo run --release -p unstall --example gates -- [--json] [--case NAME]… [--long]
//! ```
//!
//! Prints a row for each figure, with the gate that it is held to; ends with 1 if one is
//! missed. Latencies are taken beside a probe, a thread that sleeps for a millisecond over and
//! over and notes how late it is woken: what is held against a gate is the measured percentile
//! less the probe's same, in the median of five runs. Ratios are of runs in turn. What cannot
//! be had on a machine (Python with grpcio, root, cgroups) is skipped, by name.

mod canary;
mod cgroup;
mod child;
mod computing;
mod cost;
mod culprits;
mod endings;
mod forever;
mod gate;
mod handler;
mod named;
mod python;
mod recorder;
mod row;
mod server;
mod sleepers;
mod starved;
mod stuck;
mod table;
mod throughput;
mod volley;
mod wake;
mod wire;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};

use crate::row::Row;
use crate::server::Kind;

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;
pub(crate) type Outcome = Result<Vec<Row>, Failure>;

/// Measures the gates of `unstall`.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Hidden>,
    /// Prints JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Runs only the cases whose names begin so; may be given several times
    #[arg(long = "case", value_name = "NAME")]
    cases: Vec<String>,
    /// Runs the cases that are to last ten minutes for that long, not for 20 seconds
    #[arg(long)]
    long: bool,
    /// Runs them for so many seconds instead
    #[arg(long, value_name = "SECONDS")]
    long_for: Option<u64>,
    /// Leaves the servers out that are there for comparison
    #[arg(long)]
    no_peers: bool,
}

#[derive(Debug, Subcommand)]
enum Hidden {
    /// Serves until standard input ends
    #[command(hide = true)]
    Serve { kind: Kind },
    /// Resolves a name where nobody answers, and says how that was reported
    #[command(hide = true)]
    Resolve,
}

/// What is asked of all cases.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Servers for comparison are measured too.
    pub(crate) peers: bool,
    /// How long the cases last that are to last for ten minutes.
    pub(crate) long: Duration,
}

/// A case's name and function.
type Case = (&'static str, fn(&Plan) -> Outcome);

/// In the order in which they run.
const CASES: &[Case] = &[
    ("five", sleepers::five),
    ("hundred", sleepers::hundred),
    ("stuck", stuck::three_hundred),
    ("computing", computing::computing),
    ("wake", wake::wake),
    ("spawned", wake::spawned),
    ("named", named::named),
    ("forever", forever::forever),
    ("poll", named::three_second_poll),
    ("hog", starved::hog),
    ("quota", starved::quota),
    ("job", cost::job),
    ("throughput", throughput::throughput),
    ("idle", cost::idle),
    ("shutdown", endings::shutdown),
    ("threads", endings::no_threads),
    ("stopped", endings::stopped),
    ("panics", endings::panics),
];

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(command) = arguments.command {
        let done = match command {
            Hidden::Serve { kind } => child::serve(kind),
            Hidden::Resolve => named::resolve(),
        };
        return done.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    let chosen: Vec<_> = CASES.iter().filter(|(name, _)| is_chosen(name, &arguments)).collect();
    if chosen.is_empty() {
        let names: Vec<_> = CASES.iter().map(|(name, _)| *name).collect();
        say(&format!("no such case; there are: {}", names.join(", ")));
        return ExitCode::from(2);
    }
    let long = if arguments.long { 600 } else { 20 };
    let plan = Plan {
        peers: !arguments.no_peers,
        long: Duration::from_secs(arguments.long_for.unwrap_or(long)),
    };
    let rows: Vec<Row> =
        chosen.iter().flat_map(|(name, run)| run_case(name, *run, &plan)).collect();
    print(&rows, arguments.json);
    let missed = rows.iter().filter(|row| row.met == Some(false)).count();
    say(&format!("{missed} gates missed"));
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn is_chosen(name: &str, arguments: &Arguments) -> bool {
    arguments.cases.is_empty() || arguments.cases.iter().any(|case| name.starts_with(case.as_str()))
}

fn run_case(name: &str, run: fn(&Plan) -> Outcome, plan: &Plan) -> Vec<Row> {
    say(&format!("{name} …"));
    let began = Instant::now();
    let rows = run(plan).unwrap_or_else(|error| vec![Row::failed(name, error)]);
    let missed = rows.iter().filter(|row| row.met == Some(false)).count();
    let verdict = if missed == 0 { "" } else { ", gates missed" };
    say(&format!("{name}: {:.1} s{verdict}", began.elapsed().as_secs_f64()));
    rows
}

#[expect(clippy::print_stdout, reason = "printing is what it is for")]
fn print(rows: &[Row], json: bool) {
    if json {
        let json = serde_json::to_string_pretty(rows).expect("rows are plain data");
        println!("{json}");
    } else {
        println!("{}", table::table(rows));
    }
}

/// Tells how far it is.
#[expect(clippy::print_stderr, reason = "progress is for who waits")]
pub(crate) fn say(line: &str) {
    eprintln!("{line}");
}
