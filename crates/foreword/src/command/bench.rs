//! `foreword bench`: measurements of a running service.

mod load;
mod load_text;

use std::process::ExitCode;

use anyhow::Result;

use crate::arguments::Bench;

pub(super) async fn run(bench: &Bench) -> Result<ExitCode> {
    match bench {
        Bench::Load(arguments) => load::run((**arguments).clone()).await,
    }
}
