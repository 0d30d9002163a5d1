//! What a server goes through in months, in minutes: certificates that change, restarts, and load
//! that does not end.
//!
//! ```text
//! cargo run --release -p transport --example endurance -- [--case NAME]… [--json] [--seconds N] [--count N]
//! ```
//!
//! - `swaps`: a thousand new certificates under mutual TLS, while calls go on and new connections
//!   are opened all the time. No call may fail, and no open connection may be lost.
//! - `restarts`: two servers, of which each in turn is sent SIGTERM and started again, a hundred
//!   times, under clients that know both. No call may fail after its retries.
//! - `soak`: ten minutes of everything that clients do, at a third of what the machine can. Memory,
//!   files and threads must be in the end what they were in the beginning.
//!
//! Servers are child processes. It ends with 1 if a case is missed.

mod authority;
mod calls;
mod child;
mod dialer;
mod restarts;
mod server;
#[path = "../hostile/service.rs"]
mod service;
mod soak;
mod swaps;
mod tally;
mod verdict;

/// The messages of the interop test service.
#[allow(missing_docs, unreachable_pub, dead_code, clippy::all, clippy::pedantic)]
mod testing {
    include!("../interop/generated/grpc.testing.rs");
}

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};

use crate::verdict::Verdict;

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What the product allocates with.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Lets a server go through months in minutes
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Hidden>,
    /// Runs only these; may be given several times
    #[arg(long = "case", value_name = "NAME")]
    cases: Vec<Case>,
    /// Prints JSON instead of tables
    #[arg(long)]
    json: bool,
    /// How long the soak lasts
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    seconds: u64,
    /// How many swaps and restarts there are, instead of 1,000 and 100
    #[arg(long, value_name = "NUMBER")]
    count: Option<usize>,
}

#[derive(Debug, Subcommand)]
enum Hidden {
    /// Serves until SIGTERM, or until standard input ends
    #[command(hide = true)]
    Serve(server::Order),
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Case {
    Swaps,
    Restarts,
    Soak,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.command {
        Some(Hidden::Serve(order)) => server::serve(order).map(|()| true),
        None => endure(&arguments),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("failed: {error}"));
            ExitCode::from(2)
        }
    }
}

/// Whether no case was missed.
fn endure(arguments: &Arguments) -> Result<bool, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let cases = match &*arguments.cases {
        [] => Case::value_variants(),
        chosen => chosen,
    };
    let mut verdicts = Vec::new();
    for case in cases {
        verdicts.push(runtime.block_on(run(*case, arguments))?);
    }
    print(&verdicts, arguments.json)?;
    Ok(verdicts.iter().all(Verdict::is_met))
}

async fn run(case: Case, arguments: &Arguments) -> Result<Verdict, Failure> {
    match case {
        Case::Swaps => swaps::run(arguments.count.unwrap_or(1_000)).await,
        Case::Restarts => restarts::run(arguments.count.unwrap_or(100)).await,
        Case::Soak => soak::run(Duration::from_secs(arguments.seconds)).await,
    }
}

#[expect(clippy::print_stdout, reason = "printing is what it is for")]
fn print(verdicts: &[Verdict], json: bool) -> Result<(), Failure> {
    if json {
        println!("{}", serde_json::to_string_pretty(verdicts)?);
    } else {
        verdicts.iter().for_each(|verdict| println!("{verdict}"));
    }
    Ok(())
}

/// Tells how far it is.
#[expect(clippy::print_stderr, reason = "progress is for who waits")]
pub(crate) fn say(line: &str) {
    eprintln!("{line}");
}
