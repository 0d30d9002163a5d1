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

use std::io::ErrorKind;
use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = arguments::Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::error(format_args!("cannot start threads: {error}"));
            return exit::FAILURE;
        }
    };
    let ended = runtime.block_on(command::run(arguments));
    // What was logged comes before the error that it led to.
    server::telemetry::log::finish();
    let code = match ended {
        Ok(code) => code,
        Err(error) => {
            output::error(message(&error));
            exit::of(&error)
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
    if let Some(advice) = advice(error).filter(|_| !message.contains(';')) {
        message.push_str("; ");
        message.push_str(advice);
    }
    message
}

/// What to do next, for errors of files that do not say so themselves.
fn advice(error: &anyhow::Error) -> Option<&'static str> {
    let cause = error.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>())?;
    match cause.kind() {
        ErrorKind::NotFound => Some("check the path"),
        ErrorKind::PermissionDenied => {
            Some("give this account the permission, or choose another path")
        }
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
            Some("a folder is needed there, choose another path")
        }
        ErrorKind::IsADirectory => Some("a file is needed there, choose another path"),
        ErrorKind::ReadOnlyFilesystem | ErrorKind::StorageFull => Some("choose another disk"),
        _ => None,
    }
}
