//! Measures a service that has many users and events: what they cost it, how fast events become
//! durable, what trainings cost callers.
//!
//! The figures are printed, and to be judged on a machine that does nothing else. What fails is an
//! answer that is wrong, or that lacks what was acknowledged.

use testbed::postgres::{POSTGRES_VARIABLE, database};

use crate::postgres;
use crate::process::{cargo, run};
use crate::report::Ran;
use crate::skip::Skip;
use crate::workspace::Workspace;

/// How many events the store has before others are streamed into it.
const EVENTS: &str = "--store-events 10000000";

/// Where stores are kept from one run to the next, below the folder of builds: about 1.5 GB.
const KEPT: &str = "large-shops";

/// Runs `bench retrain`, `bench users` on files, and `bench events` on both databases.
///
/// # Errors
///
/// If one of them fails.
pub(crate) fn measure(workspace: &Workspace, skips: &mut Vec<Skip>) -> anyhow::Result<Ran> {
    let bench = |arguments: &str| {
        let mut command = cargo(workspace, "run --release --locked -p foreword -- bench");
        command.args(arguments.split_whitespace());
        command
    };
    run(&mut bench("retrain"))?;
    run(bench("users").arg(workspace.target.join(KEPT)))?;
    // Written to, and so not kept.
    let folder = tempfile::tempdir_in(&workspace.target)?;
    run(bench(&format!("events {EVENTS}")).arg(folder.path().join("shop")))?;
    let cluster = postgres::start(workspace, skips);
    let database = match &cluster {
        Some(cluster) => cluster.create_database()?,
        None if std::env::var_os(POSTGRES_VARIABLE).is_some() => database()?,
        None => return Ok(Ran::Yes),
    };
    let mut events = bench(&format!("events {EVENTS}"));
    events.arg(folder.path().join("replica"));
    run(events.arg("--database").arg(database.url()))?;
    Ok(Ran::Yes)
}
