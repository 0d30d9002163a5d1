//! The speed of an empty unary call, through this crate and `unstall`, beside tonic's.
//!
//! ```text
//! cargo build --release -p transport --example speed_defaults
//! cargo run --profile dist -p transport --example speed -- [--json] [--shape 8x8]… [--server NAME]…
//! ```
//!
//! Servers are processes on the first core of the machine; the load is this process on the
//! second. Servers take turns, round by round (A B C, C B A, …), and what is held against a gate
//! is the median of the rounds' ratios. The log is off. Ends with 1 if a gate is missed.

mod certificates;
mod child;
mod client;
mod connection;
mod figures;
mod frame;
mod header;
mod request;
mod server;
mod service;
mod shape;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use evaluation::load::paired::order;
use mimalloc::MiMalloc;

use crate::certificates::Certificates;
use crate::child::Serving;
use crate::client::Times;
use crate::figures::{Gate, Series, Verdict, verdicts};
use crate::server::Kind;
use crate::shape::Shape;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

const LOAD_CORE: usize = service::SERVER_CORE + 1;

const SHAPES: &[Shape] = &[
    Shape { connections: 8, streams: 8 },
    Shape { connections: 1, streams: 100 },
    Shape { connections: 8, streams: 100 },
];

const SERVERS: &[Kind] =
    &[Kind::TonicDefaults, Kind::Tonic, Kind::Transport, Kind::TransportMutualTls];

const GATES: &[Gate] = &[
    Gate { of: Kind::Transport, to: Kind::TonicDefaults, at_least: Some(1.5) },
    Gate { of: Kind::Transport, to: Kind::Tonic, at_least: Some(0.75) },
    Gate { of: Kind::TransportMutualTls, to: Kind::Tonic, at_least: Some(0.6) },
    Gate { of: Kind::Tonic, to: Kind::TonicDefaults, at_least: None },
];

/// Measures the speed of an empty unary call.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Hidden>,
    /// Prints JSON instead of tables
    #[arg(long)]
    json: bool,
    /// Connections and calls in flight on each; may be given several times
    #[arg(long = "shape", value_name = "CxS")]
    shapes: Vec<Shape>,
    /// Measures only these servers; may be given several times
    #[arg(long = "server", value_name = "NAME")]
    servers: Vec<Kind>,
    /// Rounds of each shape
    #[arg(long, value_name = "ROUNDS", default_value_t = 5)]
    rounds: usize,
    /// Seconds of load before each run
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0)]
    warm_up: f64,
    /// Seconds of each run
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0)]
    seconds: f64,
    /// Bytes of a question's message: 0, or 2 to 127
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    message_len: usize,
    /// The program of the server with tonic's defaults; by default where cargo puts it
    #[arg(long, value_name = "PATH")]
    defaults: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Hidden {
    /// Serves until standard input ends
    #[command(hide = true)]
    Serve(server::Order),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.command {
        Some(Hidden::Serve(order)) => server::serve(order).map(|()| true),
        None => measure(&arguments),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::from(2)
        }
    }
}

/// Whether no gate was missed.
fn measure(arguments: &Arguments) -> Result<bool, Failure> {
    service::pin(LOAD_CORE)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let series = runtime.block_on(series(arguments))?;
    let verdicts: Vec<Verdict> = GATES.iter().flat_map(|gate| verdicts(*gate, &series)).collect();
    print(&series, &verdicts, arguments.json)?;
    Ok(verdicts.iter().all(|verdict| verdict.met != Some(false)))
}

async fn series(arguments: &Arguments) -> Result<Vec<Series>, Failure> {
    let defaults = arguments.defaults.clone().map_or_else(built_by_cargo, Ok)?;
    let certificates = Certificates::make()?;
    let mut servings = Vec::new();
    for &kind in some_or(&arguments.servers, SERVERS) {
        let serving = Serving::start(kind, &defaults, &certificates).await?;
        say(&format!("{}: process {}", kind.name(), serving.process().0));
        servings.push(serving);
    }
    let times = Times {
        warm_up: Duration::try_from_secs_f64(arguments.warm_up)?,
        measured: Duration::try_from_secs_f64(arguments.seconds)?,
    };
    let mut all = Vec::new();
    for &shape in some_or(&arguments.shapes, SHAPES) {
        let first = all.len();
        all.extend(servings.iter().map(|it| Series { kind: it.kind, shape, runs: Vec::new() }));
        for (round, at) in order(servings.len(), arguments.rounds) {
            let (serving, name) = (&servings[at], servings[at].kind.name());
            let sample = client::run(serving, shape, arguments.message_len, times).await;
            let sample = sample.map_err(|error| format!("{name}, {shape}: {error}"))?;
            say(&format!(
                "{shape}, round {}, {name}: {:.0} req/s",
                round + 1,
                sample.requests_per_second
            ));
            all[first + at].runs.push(sample);
        }
    }
    Ok(all)
}

fn some_or<'a, T>(chosen: &'a [T], all: &'a [T]) -> &'a [T] {
    if chosen.is_empty() { all } else { chosen }
}

/// `target/dist/examples/speed` has it in `target/release/examples`.
fn built_by_cargo() -> Result<PathBuf, Failure> {
    let mut program = std::env::current_exe()?;
    for _ in ["speed", "examples", "dist"] {
        program.pop();
    }
    Ok(program.join("release/examples/speed_defaults"))
}

#[expect(clippy::print_stdout, reason = "printing is what it is for")]
fn print(series: &[Series], verdicts: &[Verdict], json: bool) -> Result<(), Failure> {
    if json {
        let all = serde_json::json!({ "series": series, "verdicts": verdicts });
        println!("{}", serde_json::to_string_pretty(&all)?);
    } else {
        println!("{}\n{}", table::of_series(series), table::of_verdicts(verdicts));
    }
    Ok(())
}

/// Tells how far it is.
#[expect(clippy::print_stderr, reason = "progress is for who waits")]
fn say(line: &str) {
    eprintln!("{line}");
}
