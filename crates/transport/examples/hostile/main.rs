//! The hostile suite: attacks on a server, with a good client beside them.
//!
//! ```text
//! cargo run --release -p transport --example hostile -- [--tls] [--case NAME]… [--json] [--seconds N]
//! ```
//!
//! Each case has a server of its own, a child process with production's limits on bytes and
//! frames and short limits of time. Attackers come back as soon as they are cut off, from
//! threads of low priority, as if they were on other machines. Meanwhile the good client calls
//! a hundred times a second on two connections that were open before, and opens a new one every
//! half second. A case is met if
//!
//! - the attackers were treated as it is written beside the case,
//! - every call of the good client was answered, with a 99th percentile of at most 50 ms beyond
//!   that of a pulse, a thread that is due at fixed times as well,
//! - the server's memory stayed under the bound of the case,
//! - and afterwards its CPU, memory, files and threads fell back to what they were.
//!
//! It ends with 1 if a case is missed. `--kind tonic` attacks tonic's own server instead.

mod arena;
mod attacks;
mod bombs;
mod case;
mod child;
mod connection;
mod frames;
mod good;
mod keys;
mod pulse;
mod requests;
mod row;
mod seen;
mod server;
mod service;
mod table;
mod trial;
mod vitals;

/// The messages of the interop test service.
#[allow(missing_docs, unreachable_pub, dead_code, clippy::all, clippy::pedantic)]
mod testing {
    include!("../interop/generated/grpc.testing.rs");
}

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::case::{Case, Over};
use crate::child::{Kind, Serve};
use crate::keys::Authority;
use crate::row::Row;
use crate::trial::{Measured, Setting};

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How often a case is tried on a machine that stands still.
const TRIES_MAX: usize = 4;

/// What the product allocates with.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Attacks a server.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Hidden>,
    /// Prints JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Prints what is expected of the server as Markdown and ends
    #[arg(long)]
    markdown: bool,
    /// Runs only the cases whose names begin so; may be given several times
    #[arg(long = "case", value_name = "NAME")]
    cases: Vec<String>,
    /// Serves and attacks over TLS
    #[arg(long)]
    tls: bool,
    /// How long each attack lasts
    #[arg(long, value_name = "SECONDS", default_value = "8")]
    seconds: u64,
    /// Runs each case so often and takes the median of the 99th percentiles; all else must be
    /// met each time
    #[arg(long, value_name = "NUMBER", default_value = "1")]
    runs: usize,
    /// Which server is attacked
    #[arg(long, default_value = "transport")]
    kind: Kind,
}

#[derive(Debug, Subcommand)]
enum Hidden {
    /// Serves until standard input ends
    #[command(hide = true)]
    Serve(Serve),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.command {
        Some(Hidden::Serve(serve)) => child::serve(serve).map(|()| ExitCode::SUCCESS),
        None => attack(&arguments),
    };
    done.unwrap_or_else(|error| {
        say(&format!("failed: {error}"));
        ExitCode::from(2)
    })
}

fn attack(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let cases: Vec<_> =
        attacks::cases().into_iter().filter(|case| is_chosen(case, arguments)).collect();
    if arguments.markdown {
        print(&table::markdown(&cases));
        return Ok(ExitCode::SUCCESS);
    }
    if cases.is_empty() {
        return Err("no such case; see --markdown for all of them".into());
    }
    child::raise_files(None)?;
    let duration = Duration::from_secs(arguments.seconds.max(1));
    let tls = arguments.tls.then(keys).transpose()?;
    let setting = Setting { kind: arguments.kind, duration, tls };
    let rows: Vec<_> = cases.iter().map(|case| run(case, &setting, arguments.runs)).collect();
    let text = if arguments.json {
        serde_json::to_string_pretty(&rows)?
    } else {
        table::table(&rows).to_string()
    };
    print(&text);
    let missed = rows.iter().filter(|row| !row.is_met()).count();
    say(&format!("{missed} of {} cases missed", rows.len()));
    Ok(if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn is_chosen(case: &Case, arguments: &Arguments) -> bool {
    let named = arguments.cases.is_empty()
        || arguments.cases.iter().any(|name| case.name.starts_with(name.as_str()));
    named && (arguments.markdown || arguments.tls || case.over == Over::Both)
}

fn keys() -> Result<(Authority, tempfile::TempDir), Failure> {
    let folder = tempfile::tempdir()?;
    Ok((Authority::write(folder.path())?, folder))
}

fn run(case: &Case, setting: &Setting, runs: usize) -> Row {
    let trials: Result<Vec<_>, _> = (0..runs.max(1)).map(|_| run_once(case, setting)).collect();
    let row = match trials {
        Ok(trials) => Row::new(case, trials),
        Err(error) => Row::failed(case, error),
    };
    let verdict = if row.is_met() { "met".to_owned() } else { row.missed.join("; ") };
    let seen = row.figures.as_ref().map(|figures| figures.seen.summary()).unwrap_or_default();
    say(&format!("{}: {verdict} ({seen})", case.name));
    row
}

/// Runs it again if the machine itself stood still meanwhile, a few times at most.
fn run_once(case: &Case, setting: &Setting) -> Result<Measured, Failure> {
    for _ in 0..TRIES_MAX - 1 {
        let measured = trial::run(case, setting)?;
        let late = measured.fared.pulse_p99_ms;
        if late <= row::P99_MS_MAX {
            return Ok(measured);
        }
        say(&format!("{}: again; the machine itself was {late:.0} ms late", case.name));
    }
    trial::run(case, setting)
}

#[expect(clippy::print_stdout, reason = "printing is what it is for")]
fn print(text: &str) {
    println!("{text}");
}

/// Tells how far it is.
#[expect(clippy::print_stderr, reason = "progress is for who waits")]
pub(crate) fn say(line: &str) {
    eprintln!("{line}");
}
