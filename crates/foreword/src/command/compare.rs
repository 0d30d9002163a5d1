//! `foreword compare`.

mod text;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use evaluation::compare::{
    Asking, Comparison, Contract, Options, Side, Table, ask, list_users, page, read_table,
};
use evaluation::load::{AsciiMetadataValue, Target};
use server::progress::Stages;

use super::target;
use crate::arguments::{Compare, ContractKind};
use crate::exit;
use crate::figures;
use crate::output;
use crate::progress;
use crate::signal::Stop;

/// Seed of the intervals: nothing else is drawn.
const SEED: u64 = 7;

/// One service and what it is shown.
#[derive(Clone)]
struct Service {
    target: Target,
    authorization: Option<AsciiMetadataValue>,
}

/// What the shop has now.
enum Old {
    Service(Service),
    Table(Table),
}

pub(super) async fn run(arguments: &Compare) -> Result<ExitCode> {
    let stop = Stop::listen()?;
    let contract = contract(arguments)?;
    let (old, new) = sides(arguments)?;
    let users = users(arguments, &old, &new).await?;
    let comparison = {
        let (arguments, cancelled) = (arguments.clone(), Arc::clone(&stop.flag));
        let measure = move || measure(&arguments, &contract, &users, old, &new, &cancelled);
        tokio::task::spawn_blocking(measure).await.context("the comparison failed")??
    };
    if let Some(path) = &arguments.html {
        std::fs::write(path, page(&comparison))
            .with_context(|| format!("cannot write the page to {}", path.display()))?;
    }
    if arguments.output.json {
        super::print_json(&comparison)?;
    } else {
        output::say(text::of(&comparison).trim_end());
    }
    Ok(conclude(&comparison, &stop))
}

fn contract(arguments: &Compare) -> Result<Contract> {
    let categories = &arguments.category;
    match arguments.contract {
        ContractKind::V1 => Ok(Contract::V1 { categories: categories.clone() }),
        ContractKind::Tutorial => {
            ensure!(categories.len() <= 1, "the tutorial's contract takes one --category");
            Contract::tutorial(categories.first().map(String::as_str)).context("--category")
        }
    }
}

fn sides(arguments: &Compare) -> Result<(Old, Service)> {
    let tls = target::tls(&arguments.tls)?;
    let service = |flag: &str, address: &str, bearer: Option<&Path>| {
        let shown = |path| target::authorization(&format!("{flag}-bearer-file"), path);
        Ok::<_, anyhow::Error>(Service {
            target: target::target(flag, address, tls.as_ref())?,
            authorization: bearer.map(shown).transpose()?,
        })
    };
    let new = service("--new", &arguments.new, arguments.new_bearer_file.as_deref())?;
    let old = match (&arguments.old, &arguments.old_table) {
        (Some(address), _) => {
            let old = service("--old", address, arguments.old_bearer_file.as_deref())?;
            let (old_address, new_address) = (&old.target.address, &new.target.address);
            ensure!(
                old_address != new_address,
                "--old and --new are both {new_address}, expected two services"
            );
            Old::Service(old)
        }
        (None, Some(path)) => Old::Table(read_table(path)?),
        (None, None) => bail!("expected --old or --old-table"),
    };
    Ok((old, new))
}

/// The readers to ask for, each once.
async fn users(arguments: &Compare, old: &Old, new: &Service) -> Result<Vec<String>> {
    let mut users: Vec<String> = match (&arguments.users, arguments.first_users, old) {
        (Some(path), _, _) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read --users {}", path.display()))?;
            text.lines().map(|line| line.trim().to_owned()).filter(|id| !id.is_empty()).collect()
        }
        (None, Some(count), Old::Table(table)) => {
            table.users().take(count.get()).map(str::to_owned).collect()
        }
        (None, Some(count), Old::Service(_)) => {
            let Service { target, authorization } = new;
            list_users(target, count.get(), arguments.deadline, authorization.as_ref())
                .await
                .with_context(|| format!("{} does not list its readers", target.address))?
        }
        (None, None, Old::Table(table)) => table.users().map(str::to_owned).collect(),
        (None, None, Old::Service(_)) => {
            bail!("whom to ask for is missing: give --users or --first-users")
        }
    };
    let mut seen = std::collections::HashSet::new();
    users.retain(|user| seen.insert(user.clone()));
    ensure!(!users.is_empty(), "there is no reader to ask for");
    Ok(users)
}

fn measure(
    arguments: &Compare,
    contract: &Contract,
    users: &[String],
    old: Old,
    new: &Service,
    cancelled: &Arc<AtomicBool>,
) -> Result<Comparison> {
    let progress = progress::shown();
    let stages = Stages::new(&*progress);
    let ask_all = |service: &Service| -> Result<Side> {
        let Service { target, authorization } = service;
        let stage = format!("asking {}, readers", target.address);
        let watch = |elapsed: Duration| {
            let done = (elapsed.as_secs_f64() * arguments.rate) as usize;
            stages.at(&stage, done.min(users.len()), users.len());
        };
        let asking = Asking::new(
            contract.clone(),
            users,
            arguments.number,
            arguments.deadline,
            authorization.clone(),
        )?;
        Ok(ask(asking, target, arguments.rate, arguments.in_flight, &watch, cancelled)?)
    };
    let k = arguments.number as usize;
    let old = match old {
        Old::Service(service) => ask_all(&service)?,
        Old::Table(table) => table.side(users, k),
    };
    let new = ask_all(new)?;
    drop(stages);
    Ok(Comparison::new(users, old, new, &Options { k, p: arguments.persistence, seed: SEED }))
}

/// Says what was not as it should be; the exit code.
fn conclude(comparison: &Comparison, stop: &Stop) -> ExitCode {
    let sides = [&comparison.old, &comparison.new];
    let loads = || sides.into_iter().filter_map(|side| Some((&side.source, side.load.as_ref()?)));
    let mut ended = exit::SUCCESS;
    for (source, load) in loads() {
        let failed = load.wrong + load.unsent;
        if failed > 0 {
            let calls = figures::counted(failed, "call");
            output::remark(format_args!("error: {calls} of {source} went wrong or was not sent"));
            ended = exit::FAILURE;
        }
    }
    if stop.flag.load(Ordering::Relaxed) {
        output::remark("stopped");
        return ExitCode::from(exit::INTERRUPTED);
    }
    if comparison.compared == 0 && comparison.users > 0 {
        output::remark(
            "note: no reader has books from both sides; are ids of readers the same in both?",
        );
    } else if comparison.overlap.is_some_and(|overlap| overlap.mean == 0.0) {
        output::remark("note: no list has a book in common; are ids of books the same in both?");
    }
    ended
}
