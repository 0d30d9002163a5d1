//! Foreword's command line: parses, calls, prints. What a command does, a function of
//! another crate does.

mod arguments;
mod command;
mod exit;
mod figures;
mod output;
mod progress;
mod signal;
mod table;

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = arguments::Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::remark(format_args!("error: cannot start threads: {error}"));
            return exit::FAILURE;
        }
    };
    let ended = runtime.block_on(command::run(arguments));
    // What was logged comes before the error that it led to.
    server::telemetry::log::finish();
    let code = match ended {
        Ok(code) => code,
        Err(error) => {
            output::remark(format_args!("error: {}", message(&error)));
            exit::FAILURE
        }
    };
    // Blocking work that was cancelled may take a moment; nobody waits for it.
    runtime.shutdown_background();
    code
}

/// An error with its causes; those whose words it has already are left out.
fn message(error: &anyhow::Error) -> String {
    let mut message = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !message.contains(&cause) {
            message.push_str(": ");
            message.push_str(&cause);
        }
    }
    message
}
