//! PostgreSQL is restarted under load: nothing acknowledged is lost, and readers get shelves
//! throughout.

use std::time::Duration;

use super::deployment::Deployment;
use super::load::{Load, Plan};
use super::storefront::Storefront;
use crate::process::until;

/// How long it is away.
const AWAY_FOR: Duration = Duration::from_secs(2);

pub(super) async fn run(test: &str, plan: Plan, restarts: u32) -> Option<String> {
    let mut deployment = Deployment::new(test)?;
    let _replicas = deployment.start(super::deployment::REPLICAS).await;
    let shops = [Storefront::open(&deployment).await];
    let mut load = Load::start(&deployment, &shops, plan);
    for restart in 0..restarts {
        tokio::time::sleep(Duration::from_secs(1)).await;
        tokio::task::block_in_place(|| match restart % 2 {
            0 => deployment.cluster.kill(),
            _ => deployment.cluster.stop_now(),
        })
        .unwrap();
        tokio::time::sleep(AWAY_FOR).await;
        tokio::task::block_in_place(|| deployment.cluster.start_again()).unwrap();
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    let outcomes = load.end().await;
    outcomes.of("Recommend").none_failed();
    assert_eq!(outcomes.pages().failed(), 0, "{:#?}", outcomes.failures());
    let refused = outcomes.of("RecordEvents").failed();
    until("fresh pages", async || shops[0].is_fresh().await).await;
    let mut after = Load::start(&deployment, &shops, plan);
    tokio::time::sleep(Duration::from_secs(1)).await;
    after.end().await.none_failed();
    let (count, events) = (outcomes.count(), load.nothing_is_lost().await);
    Some(format!(
        "{restarts} restarts, {count} calls and pages: every shelf and page came; {refused} events \
         refused, {events} acknowledged and there"
    ))
}
