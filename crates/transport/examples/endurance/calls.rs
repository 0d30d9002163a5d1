//! What clients ask, each with the answer that it must get.

use std::time::Duration;

use api::tutorial::RecommendationRequest;
use api::tutorial::recommendations_client::RecommendationsClient;
use futures_util::stream;
use tonic::transport::Channel;
use tonic::{Code, Request, Status, Streaming};

use crate::testing::test_service_client::TestServiceClient;
use crate::testing::{ResponseParameters, StreamingOutputCallRequest, StreamingOutputCallResponse};

/// No call takes longer.
const CALL_MAX: Duration = Duration::from_secs(20);

/// A short question.
pub(crate) async fn recommend(channel: Channel) -> Result<(), Status> {
    let request = RecommendationRequest { user_id: 1, category: 0, max_results: 3 };
    let mut client = RecommendationsClient::new(channel);
    let response = in_time(client.recommend(request)).await?;
    expect("books", response.into_inner().recommendations.len(), 3)
}

/// A stream of answers that come `every` so long.
pub(crate) async fn stream(
    channel: Channel,
    answers: usize,
    every: Duration,
) -> Result<(), Status> {
    in_time(async {
        let mut answered = answers_of(channel, answers, every).await?;
        let mut count = 0;
        while answered.message().await?.is_some() {
            count += 1;
        }
        expect("answers", count, answers)
    })
    .await
}

/// A stream that goes on for hours, until something ends it.
pub(crate) async fn watch(channel: Channel) -> Result<(), Status> {
    let mut answers = answers_of(channel, 100_000, Duration::from_secs(1)).await?;
    while answers.message().await?.is_some() {}
    Ok(())
}

/// Questions and answers in one stream.
pub(crate) async fn talk(channel: Channel) -> Result<(), Status> {
    const QUESTIONS: usize = 5;
    in_time(async {
        let questions = stream::iter((0..QUESTIONS).map(|_| asking(1, Duration::ZERO)));
        let mut client = TestServiceClient::new(channel);
        let mut answers = client.full_duplex_call(questions).await?.into_inner();
        let mut count = 0;
        while answers.message().await?.is_some() {
            count += 1;
        }
        expect("answers", count, QUESTIONS)
    })
    .await
}

/// A stream that is no longer wanted after its first answer.
pub(crate) async fn cancel(channel: Channel) -> Result<(), Status> {
    in_time(async {
        let mut answers = answers_of(channel, 10_000, Duration::from_millis(1)).await?;
        expect("answers", usize::from(answers.message().await?.is_some()), 1)
    })
    .await
}

/// A question whose answer would come too late.
pub(crate) async fn miss_the_deadline(channel: Channel) -> Result<(), Status> {
    let mut request = Request::new(asking(2, Duration::from_secs(2)));
    request.set_timeout(Duration::from_millis(20));
    let late = in_time(async {
        let mut client = TestServiceClient::new(channel);
        let mut answers = client.streaming_output_call(request).await?.into_inner();
        while answers.message().await?.is_some() {}
        Ok::<_, Status>(())
    });
    match late.await {
        // tonic's client has a timer of its own, and CANCELLED is its word for it.
        Err(status) if matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled) => Ok(()),
        Err(status) => Err(status),
        Ok(()) => Err(Status::internal("an answer came after the deadline")),
    }
}

async fn answers_of(
    channel: Channel,
    answers: usize,
    every: Duration,
) -> Result<Streaming<StreamingOutputCallResponse>, Status> {
    let mut client = TestServiceClient::new(channel);
    Ok(client.streaming_output_call(asking(answers, every)).await?.into_inner())
}

fn asking(answers: usize, every: Duration) -> StreamingOutputCallRequest {
    let interval_us = i32::try_from(every.as_micros()).unwrap_or(i32::MAX);
    let asked = ResponseParameters { size: 512, interval_us, ..ResponseParameters::default() };
    StreamingOutputCallRequest {
        response_parameters: vec![asked; answers],
        ..StreamingOutputCallRequest::default()
    }
}

async fn in_time<T>(call: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
    match tokio::time::timeout(CALL_MAX, call).await {
        Ok(done) => done,
        Err(_) => Err(Status::internal(format!("a call took longer than {CALL_MAX:?}"))),
    }
}

fn expect(what: &str, found: usize, expected: usize) -> Result<(), Status> {
    if found == expected {
        return Ok(());
    }
    Err(Status::internal(format!("{found} {what}, expected {expected}")))
}

/// A status with what lies below it, for people.
pub(crate) fn in_words(status: &Status) -> String {
    let mut words = format!("{:?}: {}", status.code(), status.message());
    let mut cause = std::error::Error::source(status);
    while let Some(error) = cause {
        words.push_str(&format!(": {error}"));
        cause = error.source();
    }
    words
}
