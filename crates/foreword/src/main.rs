//! Foreword's command line: parses, calls, prints. What a command does, a function of
//! another crate does.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line prints")]

mod arguments;
mod command;
mod exit;
mod figures;
mod progress;
mod signal;
mod table;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = arguments::Arguments::parse();
    server::telemetry::start(arguments.log_level());
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start threads: {error}");
            return exit::FAILURE;
        }
    };
    let code = match runtime.block_on(command::run(arguments)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            exit::FAILURE
        }
    };
    // Blocking work that was cancelled may take a moment; nobody waits for it.
    runtime.shutdown_background();
    code
}
