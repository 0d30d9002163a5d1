//! The services together: several replicas, web shops in front of them, PostgreSQL, mutual TLS and
//! a name server, all of them real, while something happens to them.
//!
//! Three scenes run with all other tests; `cargo xtask integration` runs all of them, and prints what
//! came of each.

mod blocking;
mod certificates;
mod database;
mod deployment;
mod http;
mod load;
mod lost;
mod network;
mod replica;
mod restart;
mod rotation;
mod scaling;
mod storefront;
mod upgrade;

use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};

use self::load::Plan;
use self::lost::Loss;

/// One scene at a time: each wants the machine, and the same addresses.
static STAGE: Mutex<()> = Mutex::const_new(());

/// The load of scenes beside other tests: little, and nobody is in a hurry.
const BESIDE_OTHERS: Plan =
    Plan { rate: 40, deadline: Duration::from_secs(10), with_fallbacks: false };

/// The load of scenes that have the machine for themselves, in a hurry as a page is.
const ALONE: Plan = Plan { rate: 200, deadline: Duration::from_millis(300), with_fallbacks: false };

/// The load of scenes in which replicas start beside it, on the same processors.
const PATIENT: Plan = Plan { rate: 100, deadline: Duration::from_secs(2), with_fallbacks: false };

async fn stage() -> MutexGuard<'static, ()> {
    STAGE.lock().await
}

/// Prints what came of a scene; there is nothing where it was skipped.
fn tell(report: Option<String>) {
    if let Some(report) = report {
        eprintln!("{report}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_fails_no_call() {
    let _stage = stage().await;
    tell(restart::run("together, restart", BESIDE_OTHERS).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_and_their_authority_are_replaced_and_no_call_fails() {
    let _stage = stage().await;
    tell(rotation::run("together, certificates", BESIDE_OTHERS).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_blocks_is_seen_and_fails_no_other_call() {
    let _stage = stage().await;
    tell(blocking::is_seen("together, a blocking handler", BESIDE_OTHERS).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the machine for itself: cargo xtask integration"]
async fn a_rolling_restart_under_more_load_fails_no_call() {
    let _stage = stage().await;
    tell(restart::run("together, restart under load", ALONE).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the machine for itself: cargo xtask integration"]
async fn a_replica_that_is_killed_is_hardly_noticed() {
    let _stage = stage().await;
    tell(lost::run("together, killed", ALONE, Loss::Killed).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the machine for itself: cargo xtask integration"]
async fn a_replica_that_is_stopped_is_hardly_noticed() {
    let _stage = stage().await;
    tell(lost::run("together, stopped", ALONE, Loss::Stopped).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the machine for itself: cargo xtask integration"]
async fn a_replica_that_pauses_is_hardly_noticed() {
    let _stage = stage().await;
    tell(lost::run("together, paused", ALONE, Loss::Paused).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the machine for itself: cargo xtask integration"]
async fn a_replica_that_is_cut_off_is_hardly_noticed() {
    let _stage = stage().await;
    if network::is_own("together::a_replica_that_is_cut_off_is_hardly_noticed") {
        tell(lost::run("together, cut off", ALONE, Loss::CutOff).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the machine for itself: cargo xtask integration"]
async fn a_handler_that_blocks_slows_nobody_down() {
    let _stage = stage().await;
    let plan = Plan { rate: 100, ..BESIDE_OTHERS };
    tell(blocking::slows_nobody_down("together, beside a blocking handler", plan, 5).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the machine for itself: cargo xtask integration"]
async fn a_database_that_is_restarted_costs_no_acknowledged_event_and_no_shelf() {
    let _stage = stage().await;
    let plan = Plan { with_fallbacks: true, ..PATIENT };
    tell(database::run("together, database", plan, 4).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the machine for itself: cargo xtask integration"]
async fn a_newer_schema_disturbs_nobody_who_runs_and_refuses_who_starts() {
    let _stage = stage().await;
    tell(upgrade::run("together, upgrade", PATIENT).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the machine for itself: cargo xtask integration"]
async fn replicas_that_come_share_the_load_and_those_that_go_lose_nothing() {
    let _stage = stage().await;
    tell(scaling::run("together, scaling", PATIENT).await);
}
