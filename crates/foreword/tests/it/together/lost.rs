//! A replica is lost: killed, stopped, or cut off. Few calls notice, and only at first.

use std::time::{Duration, Instant};

use super::deployment::Deployment;
use super::load::{Load, Plan, REMEMBERED};
use super::network;
use super::storefront::Storefront;

/// Which share of the calls of the first second may fail.
const FAILED_SHARE_MAX: f64 = 0.01;
const FIRST_SECOND: Duration = Duration::from_secs(1);

/// What a page may take.
const PAGE_MAX: Duration = Duration::from_millis(400);

/// How long one that is not lost is stopped: longer than connections of pages wait for an answer.
const PAUSE: Duration = Duration::from_millis(300);

/// How a replica is lost.
#[derive(Clone, Copy, Debug)]
pub(super) enum Loss {
    /// Its process dies: `kill -9`.
    Killed,
    /// Its process is stopped: it holds its connections, and says nothing.
    Stopped,
    /// It is cut off the network: nothing comes through, and nobody is told.
    CutOff,
    /// Its process is stopped for a while, as by a limit of processor time: it is not lost, and
    /// nobody should take it for that for long.
    Paused,
}

pub(super) async fn run(test: &str, plan: Plan, loss: Loss) -> Option<String> {
    let deployment = Deployment::new(test)?;
    let mut replicas = deployment.start(super::deployment::REPLICAS).await;
    let shops = [Storefront::open(&deployment).await, Storefront::open(&deployment).await];
    let mut load = Load::start(&deployment, &shops, plan);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let lost = replicas.last_mut().unwrap();
    let from = Instant::now();
    match loss {
        Loss::Killed => lost.process.kill(),
        Loss::Stopped => lost.process.signal("-STOP"),
        Loss::CutOff => network::wall_off(lost.ip),
        Loss::Paused => {
            lost.process.signal("-STOP");
            tokio::time::sleep(PAUSE).await;
            lost.process.signal("-CONT");
        }
    }
    tokio::time::sleep(Duration::from_secs(8)).await;
    let outcomes = load.end().await;
    let until = from + FIRST_SECOND;
    let first = outcomes.between(from, until).calls();
    let after = outcomes.begun_after(until);
    let remembered = after.of(REMEMBERED).count();
    let (pages, after) = (outcomes.pages(), after.calls());
    assert!(after.count() > 0 && pages.count() > 0);
    let share = first.failed() as f64 / first.count() as f64;
    let report = format!(
        "{loss:?}: of {} calls of the first second {} failed, of {} after it {}; pages at most {:?}",
        first.count(),
        first.failed(),
        after.count(),
        after.failed(),
        pages.slowest()
    );
    assert!(share <= FAILED_SHARE_MAX, "{report}: {:#?}", first.failures());
    assert_eq!(after.failed(), 0, "{report}: {:#?}", after.failures());
    assert_eq!(pages.failed(), 0, "{report}: {:#?}", pages.failures());
    assert!(pages.slowest() <= PAGE_MAX, "{report}");
    assert_eq!(remembered, 0, "{report}: pages without the service after the first second");
    Some(report)
}
