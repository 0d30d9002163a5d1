//! A newer schema and this program side by side, as while an upgrade rolls out.
//!
//! The newer version is simulated: a migration that adds a column, as additive ones do, and its row
//! in the table of migrations.

use std::time::Duration;

use super::deployment::Deployment;
use super::load::{Load, Plan};
use super::replica::Replica;
use super::storefront::Storefront;

/// How soon a start is refused.
const REFUSED_WITHIN: Duration = Duration::from_secs(30);

pub(super) async fn run(test: &str, plan: Plan) -> Option<String> {
    let deployment = Deployment::new(test)?;
    let replicas = deployment.start(2).await;
    let shops = [Storefront::open(&deployment).await];
    let mut load = Load::start(&deployment, &shops, plan);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let name = deployment.database_name();
    let newer = "ALTER TABLE foreword.users ADD COLUMN of_a_newer_version integer; \
                 INSERT INTO foreword.migrations (version, name) VALUES (9999, 'simulated')";
    deployment.cluster.query(name, newer).unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    // What the newer version writes beside the older one.
    let write = "UPDATE foreword.users SET of_a_newer_version = 1";
    deployment.cluster.query(name, write).unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    // Who runs goes on. Who starts is told what is wrong, and what to do.
    let mut refused = Replica::start(&deployment, Deployment::ip(2));
    let code = refused.process.code_within(REFUSED_WITHIN).await;
    let log = refused.process.log();
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("newer") && log.contains("9999"), "{log}");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let report = load.end().await.none_failed();
    let events = load.nothing_is_lost().await;
    drop(replicas);
    let told = log.lines().last().unwrap_or_default().to_owned();
    Some(format!("{report}; {events} events acknowledged and there; refused with {told:?}"))
}
