//! What is presented never comes back: not in a message, a detail, a header or `Debug`.

use std::collections::HashSet;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use ring::rand::SystemRandom;
use server::access::api_key::{ApiKey, PREFIX};
use server::access::jwt::{KeySet, Rules, Tokens};
use server::access::{Access, Role};

use super::tokens::{Issuer, SECRET, base64};
use super::{call, create, revoke, settings, wire};
use crate::running::{self, Running};

/// So many bytes of a secret in a row are a part of it.
const PART: usize = 8;

/// Every part of a secret.
fn parts(secret: &str) -> HashSet<Vec<u8>> {
    secret.as_bytes().windows(PART).map(<[u8]>::to_vec).collect()
}

fn check(answer: &[u8], secret: &str) {
    // The prefix of keys and their ids are public.
    let is_key = secret.starts_with(PREFIX);
    let rest = secret.rsplit('_').next().filter(|_| is_key).unwrap_or(secret);
    let parts = parts(rest);
    let found = answer.windows(PART).find(|window| parts.contains(*window));
    let found = found.map(String::from_utf8_lossy);
    assert!(found.is_none(), "{found:?} in {}", String::from_utf8_lossy(answer));
}

/// What a client might send, good and bad.
fn credentials() -> impl Strategy<Value = String> {
    // No part of these is in a message by chance, which is in lower case.
    prop_oneof![
        "[A-Z0-9]{20,200}",
        "[A-Z0-9]{8,80}\\.[A-Z0-9]{8,80}\\.[A-Z0-9]{8,80}",
        "foreword_[0-9a-f]{8}_[A-Z0-9]{49}",
        Just(()).prop_map(|()| { ApiKey::draw(&SystemRandom::new()).unwrap().reveal().to_owned() }),
        "[A-Z0-9]{8,40}".prop_map(|subject| {
            Issuer::new()
                .hs256(&format!(r#"{{"sub": "{subject}", "exp": 1, "roles": "{subject}"}}"#))
        }),
        "[A-Z0-9]{8,40}".prop_map(|subject| {
            Issuer::new().hs256(&format!(r#"{{"sub": "{subject}", "exp": 9999999999}}"#))
        }),
        "[A-Z0-9]{8,40}".prop_map(|subject| {
            Issuer::new().eddsa(&format!(r#"{{"sub": "{subject}", "exp": 9999999999}}"#))
        }),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn no_refusal_has_a_part_of_what_was_presented() {
    let folder = running::full_shop().await;
    let path = folder.path();
    std::fs::write(path.join("keys.json"), Issuer::new().key_set()).unwrap();
    let text = format!("[access]\napi_keys = true\njwt_keys = {:?}", path.join("keys.json"));
    let writer = create(path, &[Role::Writer], None).await;
    let revoked = create(path, &Role::ALL, None).await;
    revoke(path, &revoked).await;
    let running = Running::start_with(path, settings(path, &text)).await;
    let method = "/foreword.v1.RecommendationService/Trending";
    let refused = async |scheme: &str, credential: &str| {
        let answer = call(&running.channel, method, &[&format!("{scheme} {credential}")]).await;
        check(&wire(&answer.unwrap_err()), credential);
    };
    refused("Bearer", writer.reveal()).await;
    refused("Bearer", revoked.reveal()).await;
    let mut runner = TestRunner::deterministic();
    for _ in 0..300 {
        let tree = credentials().new_tree(&mut runner).unwrap();
        let credential = proptest::strategy::ValueTree::current(&tree);
        refused("Bearer", &credential).await;
        refused("Basic", &credential).await;
    }
    running.stop().await;
}

#[tokio::test]
async fn no_debug_output_has_a_part_of_a_secret() {
    let folder = running::full_shop().await;
    let path = folder.path();
    let issuer = Issuer::new();
    std::fs::write(path.join("keys.json"), issuer.key_set()).unwrap();
    let text = format!("[access]\napi_keys = true\njwt_keys = {:?}", path.join("keys.json"));
    let settings = settings(path, &text);
    let key = create(path, &[Role::Reader], None).await;
    let store = running::store(path).await;
    let access = Access::open(&settings).unwrap();
    access.renew(&store).await.unwrap();
    let token = issuer.hs256(r#"{"sub": "ann", "exp": 9999999999}"#);
    for credential in [key.reveal(), &token] {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::try_from(format!("Bearer {credential}")).unwrap();
        headers.insert(AUTHORIZATION, value);
        access.identify(&headers, None, 0).unwrap();
    }
    let rows = store.api_keys().await.unwrap();
    let keys = KeySet::parse(issuer.key_set().as_bytes()).unwrap();
    let rules = Rules { issuer: None, ..settings.access.jwt_rules() };
    let shown = format!("{settings:?} {access:?} {key:?} {rows:?} {keys:?}");
    let shown = format!("{shown} {:?}", Tokens::new(rules, keys));
    let hash = key.secret_sha256();
    let listed = format!("{hash:?}");
    let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let secrets = [&base64(SECRET), std::str::from_utf8(SECRET).unwrap(), &base64(hash), &digits];
    for secret in [key.reveal(), &token, &listed].into_iter().chain(secrets) {
        check(shown.as_bytes(), secret);
    }
    store.close().await;
}
