//! The commands: each calls one function of another crate and prints what comes back.

mod backup;
mod bench;
mod certs;
mod compact;
mod compare;
mod completions;
mod demo;
mod evaluate;
mod import;
mod keys;
mod lessons;
mod man;
mod marketplace;
mod migrate;
mod recommend;
mod restore;
mod serve;
mod target;
mod train;
mod tune;

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

use crate::arguments::{Arguments, Command};
use crate::output;

/// Runs a command to its end.
pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    if let Command::Serve(serve) = &arguments.command
        && serve.print_config
    {
        output::say(server::settings::REFERENCE.trim_end());
        output::say(format_args!("\n{}", ::marketplace::settings::REFERENCE.trim_end()));
        return Ok(crate::exit::SUCCESS);
    }
    let data = || arguments.data_folder();
    match &arguments.command {
        Command::Demo(listening) => demo::run(&data()?, arguments.sources(), listening).await,
        Command::Serve(serve) => serve::run(&data()?, arguments.sources(), serve).await,
        Command::Marketplace(shop) => marketplace::run(arguments.sources(), shop).await,
        Command::Import(source) => import::run(&data()?, &arguments.settings()?, source).await,
        // Its settings come from the service.
        Command::Train(train) if train.beside_serve => train::beside_serve(&data()?).await,
        Command::Train(train) => train::run(&data()?, &arguments.settings()?, train.output).await,
        Command::Tune(tune) => tune::run(&data()?, &arguments.settings()?, tune).await,
        Command::Recommend(recommend) => {
            recommend::run(&data()?, &arguments.settings()?, recommend).await
        }
        Command::Evaluate(evaluate) => {
            evaluate::run(&data()?, &arguments.settings()?, evaluate).await
        }
        Command::Keys(keys) => keys::run(&data()?, &arguments.settings()?, keys).await,
        Command::Backup(backup) => backup::run(&data()?, &arguments.settings()?, backup).await,
        Command::Restore(restore) => restore::run(&data()?, &arguments.settings()?, restore).await,
        Command::Migrate(output) => migrate::run(&data()?, &arguments.settings()?, *output).await,
        Command::Compact(output) => compact::run(&data()?, &arguments.settings()?, *output).await,
        Command::Bench(bench) => bench::run(bench, &arguments).await,
        Command::Compare(compare) => compare::run(compare).await,
        // These need no shop, and no settings, which may name the very files that are missing.
        Command::Certs(certs) => certs::run(certs),
        Command::Completions(completions) => completions::run(completions),
        Command::Man(man) => man::run(man),
    }
}

/// Prints a value as JSON.
fn print_json(value: &impl serde::Serialize) -> Result<()> {
    output::say(serde_json::to_string_pretty(value).context("cannot write JSON")?);
    Ok(())
}

/// How the user called this program, for hints that can be pasted.
fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "foreword".to_owned())
}

/// Now, in milliseconds since 1970.
fn now_ms() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX)
}
