//! API keys: stored, listed, revoked and bounded.

use storage::{API_KEYS_MAX, AddedApiKey, ApiKey, RevokedApiKey, Store, StoreError};

use crate::support::Kind;

fn key(id: &str) -> ApiKey {
    ApiKey {
        id: id.to_owned(),
        name: "marketplace".to_owned(),
        roles: vec!["reader".to_owned(), "writer".to_owned()],
        secret_sha256: [0xa5; 32],
        created_ms: 1_000,
        expires_ms: Some(5_000),
        revoked_ms: None,
    }
}

async fn add(store: &Store, key: &ApiKey) -> Result<AddedApiKey, StoreError> {
    let mut writer = store.begin().await.expect("nobody else writes");
    let added = writer.add_api_key(key).await?;
    writer.commit().await.expect("the commit succeeds");
    Ok(added)
}

async fn revoke(store: &Store, id: &str, now_ms: i64) -> RevokedApiKey {
    let mut writer = store.begin().await.expect("nobody else writes");
    let revoked = writer.revoke_api_key(id, now_ms).await.expect("it writes");
    writer.commit().await.expect("the commit succeeds");
    revoked
}

async fn ids(store: &Store) -> Vec<String> {
    store.api_keys().await.expect("it reads").into_iter().map(|key| key.id).collect()
}

async fn a_key_comes_back_as_it_was_stored_and_every_change_is_a_revision(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    assert_eq!(store.api_keys_revision().await.expect("it reads"), 0);
    assert_eq!(add(&store, &key("a")).await.expect("it fits"), AddedApiKey::Stored);
    assert_eq!(store.api_keys().await.expect("it reads"), [key("a")]);
    assert_eq!(store.api_keys_revision().await.expect("it reads"), 1);

    assert_eq!(revoke(&store, "a", 2_000).await, RevokedApiKey::Revoked);
    let revoked = ApiKey { revoked_ms: Some(2_000), ..key("a") };
    assert_eq!(store.api_keys().await.expect("it reads"), [revoked]);
    assert_eq!(store.api_keys_revision().await.expect("it reads"), 2);
}

async fn an_id_is_given_once_and_a_key_is_revoked_once(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    add(&store, &key("a")).await.expect("it fits");
    let other = ApiKey { name: "other".to_owned(), ..key("a") };
    assert_eq!(add(&store, &other).await.expect("it reads"), AddedApiKey::IdTaken);
    assert_eq!(store.api_keys().await.expect("it reads"), [key("a")]);

    assert_eq!(revoke(&store, "b", 2_000).await, RevokedApiKey::Unknown);
    assert_eq!(revoke(&store, "a", 2_000).await, RevokedApiKey::Revoked);
    let before = RevokedApiKey::Before { revoked_ms: 2_000 };
    assert_eq!(revoke(&store, "a", 3_000).await, before);
    assert_eq!(store.api_keys_revision().await.expect("it reads"), 2);
}

#[test]
fn a_key_is_usable_until_it_expires_or_is_revoked() {
    let check = |key: &ApiKey, expected: [bool; 2]| {
        assert_eq!([key.is_usable(4_999), key.is_usable(5_000)], expected, "{key:?}");
    };
    check(&key("a"), [true, false]);
    check(&ApiKey { expires_ms: None, ..key("a") }, [true, true]);
    check(&ApiKey { revoked_ms: Some(1), ..key("a") }, [false, false]);
}

async fn where_there_are_too_many_the_one_that_ended_first_is_forgotten(kind: Kind) {
    let (store, place) = kind.new_store().await;
    let hash = kind.sql("zeroblob(32)", "decode(repeat('00', 32), 'hex')");
    let many = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {})
         INSERT INTO api_keys SELECT 1, 'k' || n, 'name', 'reader', {hash}, 1, NULL, NULL
         FROM numbers",
        API_KEYS_MAX - 2
    );
    place.tamper(&many).await;
    add(&store, &ApiKey { expires_ms: Some(900), ..key("expired") }).await.expect("it fits");
    let revoked = ApiKey { expires_ms: Some(9_000), revoked_ms: Some(800), ..key("revoked") };
    add(&store, &revoked).await.expect("it fits");

    add(&store, &key("first")).await.expect("the revoked one goes");
    add(&store, &key("second")).await.expect("the expired one goes");
    let refused = add(&store, &key("third")).await;
    assert!(matches!(refused, Err(StoreError::TooManyApiKeys { max: API_KEYS_MAX })));
    let ids = ids(&store).await;
    assert_eq!(ids.len(), API_KEYS_MAX as usize);
    assert!(ids.iter().any(|id| id == "second"));
    assert!(!ids.iter().any(|id| ["expired", "revoked", "third"].contains(&id.as_str())));
}

async fn a_hash_of_another_length_is_an_error_and_no_key(kind: Kind) {
    let (store, place) = kind.new_store().await;
    add(&store, &key("a")).await.expect("it fits");
    let short = kind.sql("x'00'", "'\\x00'");
    place.tamper(&format!("UPDATE api_keys SET secret_sha256 = {short}")).await;
    let error = store.api_keys().await.expect_err("it is no hash");
    assert!(error.to_string().contains("secret_sha256"), "{error}");
}

#[test]
fn the_hash_of_a_secret_is_not_shown() {
    let shown = format!("{:?}", key("a"));
    assert!(!shown.contains("165") && !shown.contains("a5"), "{shown}");
}

on_every_kind!(
    a_key_comes_back_as_it_was_stored_and_every_change_is_a_revision,
    an_id_is_given_once_and_a_key_is_revoked_once,
    where_there_are_too_many_the_one_that_ended_first_is_forgotten,
    a_hash_of_another_length_is_an_error_and_no_key,
);
