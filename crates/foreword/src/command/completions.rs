//! `foreword completions`.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::CommandFactory as _;

use crate::arguments::{Arguments, Completions};
use crate::{exit, output};

pub(super) fn run(completions: &Completions) -> Result<ExitCode> {
    let mut script = Vec::new();
    let mut command = Arguments::command();
    clap_complete::generate(completions.shell, &mut command, "foreword", &mut script);
    let script = String::from_utf8(script).context("the script is not UTF-8")?;
    output::say(script.trim_end());
    Ok(exit::SUCCESS)
}
