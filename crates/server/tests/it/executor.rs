//! Handlers run on the executor, within the limits of its settings.

use std::io::Write as _;

use api::v1::RecommendRequest;
use server::settings::Settings;
use tonic::Code;

use crate::running::{self, Running};

const JOBS_MAX: usize = 16;

fn settings() -> Settings {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(file, "[executor]\njobs_max = {JOBS_MAX}").unwrap();
    Settings::read(Some(file.path())).unwrap()
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
    // The renewals, of the generation and of the rules, are jobs as well, and so are following the
    // store, writing events and the schedule of trainings.
    for _ in 5..JOBS_MAX {
        streams.push(running::open_stream(running.channel.clone()).await.unwrap());
    }
    let refused = running::open_stream(running.channel.clone()).await.map(|_| ()).unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(code_of_a_call(&running).await, Code::ResourceExhausted);
    drop(streams);
    running::until(async || code_of_a_call(&running).await == Code::Ok).await;
    running.stop().await;
}
