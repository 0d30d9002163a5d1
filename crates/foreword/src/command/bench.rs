//! `foreword bench`: measurements of a running service, and of how training grows.

mod load;
mod load_text;
mod scale;

use std::process::ExitCode;

use anyhow::Result;

use crate::arguments::{Arguments, Bench};

pub(super) async fn run(bench: &Bench, arguments: &Arguments) -> Result<ExitCode> {
    match bench {
        // It needs no settings, which may name files that are missing here.
        Bench::Load(load) => load::run((**load).clone()).await,
        Bench::Scale(scale) => scale::run(&arguments.settings()?, scale.clone()).await,
    }
}
