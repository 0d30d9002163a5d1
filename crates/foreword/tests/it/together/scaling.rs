//! From one replica to three and back: calls spread, and nothing is lost.

use std::time::{Duration, Instant};

use super::deployment::{Deployment, end};
use super::load::{Load, Plan};
use super::replica::Replica;
use super::storefront::Storefront;

/// Within which load evens out.
const EVEN_WITHIN: Duration = Duration::from_secs(10);

/// How long calls are counted for.
const COUNTED: Duration = Duration::from_secs(2);

pub(super) async fn run(test: &str, plan: Plan) -> Option<String> {
    let deployment = Deployment::new(test)?;
    let mut replicas = deployment.start(1).await;
    let shops = [Storefront::open(&deployment).await];
    let mut load = Load::start(&deployment, &shops, plan);
    tokio::time::sleep(Duration::from_secs(2)).await;
    for number in 1..super::deployment::REPLICAS {
        let mut next = Replica::start(&deployment, Deployment::ip(number));
        next.until_ready().await;
        replicas.push(next);
    }
    deployment.announce(&replicas);
    let announced = Instant::now();
    let shares = loop {
        let shares = shares(&replicas).await;
        if shares.iter().all(|share| *share > 0.6 / f64::from(super::deployment::REPLICAS)) {
            break shares;
        }
        assert!(announced.elapsed() < EVEN_WITHIN, "uneven: {shares:?}");
    };
    let even_after = announced.elapsed();
    while replicas.len() > 1 {
        let leaving = replicas.pop().unwrap();
        deployment.announce(&replicas);
        end(leaving).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let report = load.end().await.none_failed();
    let events = load.nothing_is_lost().await;
    Some(format!(
        "even after {even_after:?} (shares {shares:.2?}); {report}; {events} events acknowledged and \
         there"
    ))
}

/// The share of each replica in the calls of a while.
async fn shares(replicas: &[Replica]) -> Vec<f64> {
    let count = async || {
        let mut counts = Vec::new();
        for replica in replicas {
            counts.push(replica.calls().await);
        }
        counts
    };
    let before = count().await;
    tokio::time::sleep(COUNTED).await;
    let calls: Vec<f64> =
        count().await.iter().zip(before).map(|(after, before)| after - before).collect();
    let sum: f64 = calls.iter().sum();
    calls.iter().map(|calls| calls / sum.max(1.0)).collect()
}
