//! Keys that come and go while the service runs.

use std::path::Path;

use server::access::Role;
use server::ask::{AnsweredBy, Question, ask};
use tonic::Code;

use super::tokens::Issuer;
use super::{call, create, now_ms, refusal, revoke, settings};
use crate::running::{self, Running, until};

const RECOMMEND: &str = "/foreword.v1.RecommendationService/Trending";

/// Whether calls with this credential get to their handler.
async fn is_taken(running: &Running, credential: &str) -> bool {
    let answer = call(&running.channel, RECOMMEND, &[&format!("Bearer {credential}")]).await;
    match refusal(&answer) {
        None => true,
        Some((code, _)) => {
            assert_eq!(code, Code::Unauthenticated);
            false
        }
    }
}

#[tokio::test]
async fn a_running_service_takes_new_keys_and_refuses_those_that_are_revoked() {
    let folder = running::full_shop().await;
    let path = folder.path();
    let settings = settings(path, "[access]\napi_keys = true");
    let running = Running::start_with(path, settings).await;
    let (one, other) =
        (create(path, &[Role::Reader], None).await, create(path, &Role::ALL, None).await);
    until(async || is_taken(&running, one.reveal()).await).await;
    until(async || is_taken(&running, other.reveal()).await).await;
    revoke(path, &one).await;
    until(async || !is_taken(&running, one.reveal()).await).await;
    assert!(is_taken(&running, other.reveal()).await);

    // The database is away; who is known stays known.
    running.close_store().await;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert!(is_taken(&running, other.reveal()).await);
    assert!(!is_taken(&running, one.reveal()).await);
    running.stop().await;
}

#[tokio::test]
async fn a_running_service_takes_new_keys_for_tokens_and_never_bad_ones() {
    let folder = running::full_shop().await;
    let path = folder.path();
    let file = path.join("keys.json");
    let write = |text: &str| std::fs::write(&file, text).unwrap();
    let (before, after) = (Issuer::new(), Issuer::new());
    write(&before.key_set());
    let settings = settings(path, &format!("[access]\njwt_keys = {file:?}"));
    let running = Running::start_with(path, settings).await;
    let claims =
        format!(r#"{{"sub": "ann", "exp": {}, "roles": ["reader"]}}"#, now_ms() / 1000 + 600);
    let (old, new) = (before.eddsa(&claims), after.eddsa(&claims));
    assert!(is_taken(&running, &old).await && !is_taken(&running, &new).await);
    write("{\"keys\": [");
    tokio::time::sleep(server::access::jwt::LOOK_EVERY * 3).await;
    assert!(is_taken(&running, &old).await);
    write(&after.key_set());
    until(async || is_taken(&running, &new).await).await;
    assert!(!is_taken(&running, &old).await, "a token that was verified is forgotten with its key");
    running.stop().await;
}

async fn start_error(path: &Path, text: &str) -> String {
    let settings = settings(path, text);
    let data = server::data_folder::DataFolder::new(path);
    let openness = server::serve::Openness::LoopbackOnly;
    server::serve::Service::start(&data, &settings, openness).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_service_does_not_start_with_keys_for_tokens_that_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let text = format!("[access]\njwt_keys = {:?}", path.join("keys.json"));
    let error = start_error(path, &text).await;
    assert!(error.contains("cannot read access.jwt_keys"), "{error}");
    std::fs::write(path.join("keys.json"), "hunter2").unwrap();
    let error = start_error(path, &text).await;
    assert!(error.contains("is neither a JWK Set") && !error.contains("hunter2"), "{error}");
}

#[tokio::test]
async fn any_way_in_is_enough_to_listen_beyond_this_machine() {
    let folder = running::full_shop().await;
    let text = "[serve]\nlisten = [\"0.0.0.0:0\"]\n[access]\napi_keys = true";
    let settings = settings(folder.path(), text);
    let data = server::data_folder::DataFolder::new(folder.path());
    let openness = server::serve::Openness::LoopbackOnly;
    server::serve::Service::start(&data, &settings, openness).await.unwrap();
}

#[tokio::test]
async fn the_command_line_reads_the_store_where_the_server_asks_who_calls() {
    let folder = running::full_shop().await;
    let data = server::data_folder::DataFolder::new(folder.path());
    let settings = settings(folder.path(), "[access]\napi_keys = true");
    let running = Running::start_with(folder.path(), settings.clone()).await;
    until(async || !data.serving().unwrap().is_empty()).await;
    let question = Question { user: "1".to_owned(), categories: Vec::new(), results: 3 };
    let shelf = ask(&data, &settings, &question).await.unwrap();
    assert_eq!((shelf.answered, shelf.books.len()), (AnsweredBy::Store, 3));
    running.stop().await;
}
