//! Certificates and their authority are replaced while everything runs: no call fails.

use std::time::Duration;

use super::deployment::{Deployment, end};
use super::load::{Load, Plan};
use super::process::until;
use super::replica::Replica;
use super::storefront::Storefront;

/// Longer than services (`tls.reload_ms`) and shops take to look at their files.
const READ: Duration = Duration::from_secs(4);

pub(super) async fn run(test: &str, plan: Plan) -> Option<String> {
    let deployment = Deployment::new(test)?;
    let mut replicas = deployment.start(2).await;
    let shops = [Storefront::open(&deployment).await];
    let mut load = Load::start(&deployment, &shops, plan);
    tokio::time::sleep(Duration::from_secs(1)).await;
    deployment.certificates.rotate(async || tokio::time::sleep(READ).await).await;
    // Whoever went on over a connection of before has to make a new one.
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
    let report = load.end().await.none_failed();
    // Somebody new, by nothing but the new authority.
    let mut after = Load::start(&deployment, &shops, plan);
    tokio::time::sleep(Duration::from_secs(1)).await;
    after.end().await.none_failed();
    until("a page after all", async || shops[0].is_fresh().await).await;
    for replica in &replicas {
        assert!(!replica.process.log().contains("ERROR"), "{}", replica.process.log());
    }
    Some(report)
}
