//! Clients that take more than their share, beside one that does not.

use server::access::api_key::ApiKey;
use server::access::{Role, keys};
use server::settings::Settings;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Code, Request, Status, Streaming};
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};
use tonic_types::StatusExt as _;

use crate::access::{call, now_ms};
use crate::running::{self, Running, until};

const TRENDING: &str = "/foreword.v1.RecommendationService/Trending";

/// A call that is open for as long as this lives.
struct Open {
    _asking: mpsc::Sender<ServerReflectionRequest>,
    _answers: Streaming<ServerReflectionResponse>,
}

/// Opens a stream and waits until it has answered once.
async fn open(channel: &Channel, key: &ApiKey) -> Result<Open, Status> {
    let (asking, asked) = mpsc::channel(1);
    let question = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    asking.send(question).await.unwrap();
    let mut request = Request::new(ReceiverStream::new(asked));
    let bearer = format!("Bearer {}", key.reveal()).parse().unwrap();
    request.metadata_mut().insert("authorization", bearer);
    let mut client = ServerReflectionClient::new(channel.clone());
    let mut answers = client.server_reflection_info(request).await?.into_inner();
    answers.message().await?.unwrap();
    Ok(Open { _asking: asking, _answers: answers })
}

/// The reason of a refusal, and whether it says when to come again.
fn refusal(refused: Result<Open, Status>) -> (Code, String, bool) {
    let status = refused.err().unwrap();
    let retry = status.get_details_retry_info().and_then(|info| info.retry_delay);
    (status.code(), status.get_details_error_info().unwrap().reason, retry.is_some())
}

#[tokio::test]
async fn who_takes_more_than_their_share_is_refused_and_others_are_served() {
    let folder = running::full_shop().await;
    let store = running::store(folder.path()).await;
    let mut made = Vec::new();
    for name in ["greedy", "good", "late"] {
        let roles = [Role::Reader].into_iter().collect();
        let new = keys::NewKey { name: name.to_owned(), roles, expires_ms: None };
        made.push(keys::create(&store, &new, now_ms()).await.unwrap().0);
    }
    store.close().await;
    let [greedy, good, late] = made.try_into().unwrap();
    let path = folder.path().join("settings.toml");
    let text =
        "[access]\napi_keys = true\n[limits]\nopen_calls_max = 8\nopen_calls_per_identity_max = 6";
    std::fs::write(&path, text).unwrap();
    let running = Running::start_with(folder.path(), Settings::read(Some(&path)).unwrap()).await;
    let channel = &running.channel;

    let mut held = Vec::new();
    for _ in 0..6 {
        held.push(open(channel, &greedy).await.unwrap());
    }
    let of_one = (Code::ResourceExhausted, "OPEN_CALLS_PER_IDENTITY_LIMIT".to_owned(), true);
    assert_eq!(refusal(open(channel, &greedy).await), of_one);
    // The good client has its calls one after the other, and notices nothing.
    let bearer = format!("Bearer {}", good.reveal());
    for _ in 0..50 {
        call(channel, TRENDING, &[&bearer]).await.unwrap();
    }

    let mut others = vec![open(channel, &good).await.unwrap()];
    others.push(open(channel, &good).await.unwrap());
    let of_all = (Code::Unavailable, "OPEN_CALLS_LIMIT".to_owned(), true);
    assert_eq!(refusal(open(channel, &late).await), of_all);
    for reason in ["open_calls", "open_calls_of_identity"] {
        let sample =
            format!("foreword_calls_refused_total{{layer=\"load_shed\",reason=\"{reason}\"}}");
        assert_eq!(running.admin.sample(&sample).await, Some(1.0), "{sample}");
    }
    held.clear();
    until(async || open(channel, &late).await.is_ok()).await;
    drop(others);
    running.stop().await;
}
