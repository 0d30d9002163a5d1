//! Certificates and their authority are replaced while everything runs: no call fails.

use std::time::Duration;

use api::v1::TrendingRequest;
use api::v1::recommendation_service_client::RecommendationServiceClient;
use tonic::Code;

use super::deployment::{Deployment, roll};
use super::load::{Load, Plan, channel, tls};
use super::storefront::Storefront;
use crate::process::until;

/// The name of the client's files of before.
const OLD: &str = "old-client";

/// Longer than services (`tls.reload_ms`) and shops take to look at their files.
const READ: Duration = Duration::from_secs(4);

pub(super) async fn run(test: &str, plan: Plan) -> Option<String> {
    let deployment = Deployment::new(test)?;
    let mut replicas = deployment.start(2).await;
    let shops = [Storefront::open(&deployment).await];
    let mut load = Load::start(&deployment, &shops, plan);
    tokio::time::sleep(Duration::from_secs(1)).await;
    deployment.certificates.keep_client_as(OLD);
    deployment.certificates.rotate(async || tokio::time::sleep(READ).await).await;
    // Whoever went on over a connection of before has to make a new one.
    roll(&deployment, &mut replicas).await;
    let report = load.end().await.none_failed();
    // Somebody new, by nothing but the new authority.
    let mut after = Load::start(&deployment, &shops, plan);
    tokio::time::sleep(Duration::from_secs(1)).await;
    after.end().await.none_failed();
    // Somebody old, whose authority nobody trusts any more.
    let old = channel(&deployment, plan, tls(&deployment, OLD));
    let request = TrendingRequest::default();
    let refused = RecommendationServiceClient::new(old).trending(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable, "{refused}");
    until("a page after all", async || shops[0].is_fresh().await).await;
    for replica in &replicas {
        assert!(!replica.process.log().contains("ERROR"), "{}", replica.process.log());
    }
    Some(format!("{report}; a certificate of before: {}", refused.message()))
}
