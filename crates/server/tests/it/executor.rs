//! Handlers run on the executor, within the limits of its settings.

use std::io::Write as _;

use api::v1::RecommendRequest;
use futures_util::{StreamExt as _, stream};
use server::settings::Settings;
use tokio::sync::oneshot;
use tonic::{Code, Status, Streaming};
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};

use crate::running::{self, Running};

const JOBS_MAX: usize = 16;

fn settings() -> Settings {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(file, "[executor]\njobs_max = {JOBS_MAX}").unwrap();
    Settings::read(Some(file.path())).unwrap()
}

/// A stream that is open until it is dropped, since its client never says anything.
struct Open {
    _answers: Streaming<ServerReflectionResponse>,
    _until: oneshot::Sender<()>,
}

async fn open(running: &Running) -> Result<Open, Status> {
    let (until, dropped) = oneshot::channel();
    let silence = stream::pending::<ServerReflectionRequest>().take_until(dropped);
    let mut client = ServerReflectionClient::new(running.channel.clone());
    let answers = client.server_reflection_info(silence).await?.into_inner();
    Ok(Open { _answers: answers, _until: until })
}

async fn code_of_a_call(running: &Running) -> Code {
    let answer = running.v1().recommend(RecommendRequest::default()).await;
    answer.map_or_else(|status| status.code(), |_| Code::Ok)
}

#[tokio::test]
async fn a_call_beyond_the_executors_jobs_is_shed_until_another_ends() {
    let folder = running::full_shop().await;
    let running = Running::start_with(folder.path(), settings()).await;
    let mut streams = Vec::new();
    // The renewal is a job as well.
    for _ in 1..JOBS_MAX {
        streams.push(open(&running).await.unwrap());
    }
    let refused = open(&running).await.map(|_| ()).unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(code_of_a_call(&running).await, Code::ResourceExhausted);
    drop(streams);
    running::until(async || code_of_a_call(&running).await == Code::Ok).await;
    running.stop().await;
}
