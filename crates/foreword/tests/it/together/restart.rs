//! A rolling restart under load: no call fails.

use std::time::Duration;

use super::deployment::{Deployment, end};
use super::load::{Load, Plan};
use super::replica::Replica;
use super::storefront::Storefront;

/// All replicas, one after the other; the report, or `None` without PostgreSQL.
pub(super) async fn run(test: &str, plan: Plan) -> Option<String> {
    let deployment = Deployment::new(test)?;
    let mut replicas = deployment.start(super::deployment::REPLICAS).await;
    let shops = [Storefront::open(&deployment).await, Storefront::open(&deployment).await];
    let mut load = Load::start(&deployment, &shops, plan);
    tokio::time::sleep(Duration::from_secs(1)).await;
    for _ in 0..replicas.len() {
        let leaving = replicas.remove(0);
        let ip = leaving.ip;
        deployment.announce(&replicas);
        end(leaving).await;
        let next = Replica::start(&deployment, ip);
        next.until_ready().await;
        replicas.push(next);
        deployment.announce(&replicas);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let report = load.end().await.none_failed();
    let events = load.nothing_is_lost().await;
    Some(format!("{report}; {events} events acknowledged and there"))
}
