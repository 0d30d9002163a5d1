//! Rate limits, as clients meet them.

use server::access::Role;
use tonic::Code;
use tonic_types::StatusExt as _;

use super::{call, create, refusal, settings};
use crate::running::{self, Running};

const TRENDING: &str = "/foreword.v1.RecommendationService/Trending";

#[tokio::test]
async fn each_identity_has_its_own_rate_and_is_told_when_to_come_again() {
    let folder = running::full_shop().await;
    let path = folder.path();
    let text = "[access]\napi_keys = true\n[limits]\ncalls_per_second = 1\ncalls_burst = 3";
    let (one, other) =
        (create(path, &[Role::Reader], None).await, create(path, &[Role::Reader], None).await);
    let running = Running::start_with(path, settings(path, text)).await;
    let ask = async |key: &server::access::api_key::ApiKey| {
        call(&running.channel, TRENDING, &[&format!("Bearer {}", key.reveal())]).await
    };
    let mut refused = Vec::new();
    for _ in 0..20 {
        let answer = ask(&one).await;
        refused.extend(refusal(&answer).map(|refusal| (refusal, answer.unwrap_err())));
    }
    // A slow machine may have earned a call or two in between.
    assert!((1..=17).contains(&refused.len()), "{}", refused.len());
    for ((code, reason), status) in refused {
        assert_eq!((code, &*reason), (Code::ResourceExhausted, "RATE_LIMITED"));
        let wait = status.get_details_retry_info().unwrap().retry_delay.unwrap();
        assert!(!wait.is_zero() && wait.as_secs_f64() <= 1.0, "{wait:?}");
    }
    ask(&other).await.unwrap();
    running.stop().await;
}
