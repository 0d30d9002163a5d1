//! What is served: the tutorial's call for the good client, and the calls of the interop test
//! service, whose requests and answers may be large and may stream.

use std::pin::Pin;
use std::time::Duration;

use api::tutorial::recommendations_server::{Recommendations, RecommendationsServer};
use api::tutorial::{BookRecommendation, RecommendationRequest, RecommendationResponse};
use futures_util::{Stream, StreamExt, stream};
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;
use tonic::{Request, Response, Status, Streaming};

use crate::testing::test_service_server::{TestService, TestServiceServer};
use crate::testing::{
    Empty, Payload, SimpleRequest, SimpleResponse, StreamingInputCallRequest,
    StreamingInputCallResponse, StreamingOutputCallRequest, StreamingOutputCallResponse,
};

/// No answer is larger; a handler bounds what it is asked for.
const ANSWER_BYTES_MAX: usize = 4 << 20;

/// Both services. Requests may be compressed.
pub(crate) fn routes() -> Routes {
    let testing = TestServiceServer::new(Testing)
        .accept_compressed(CompressionEncoding::Gzip)
        .accept_compressed(CompressionEncoding::Zstd);
    Routes::new(RecommendationsServer::new(Books)).add_service(testing)
}

struct Books;

#[tonic::async_trait]
impl Recommendations for Books {
    async fn recommend(
        &self,
        request: Request<RecommendationRequest>,
    ) -> Result<Response<RecommendationResponse>, Status> {
        let count = request.into_inner().max_results.clamp(1, 100);
        let book = |id| BookRecommendation { id, title: format!("Book {id}") };
        let recommendations = (1..=count).map(book).collect();
        Ok(Response::new(RecommendationResponse { recommendations }))
    }
}

struct Testing;

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl TestService for Testing {
    async fn empty_call(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        Ok(Response::new(Empty {}))
    }

    async fn unary_call(
        &self,
        request: Request<SimpleRequest>,
    ) -> Result<Response<SimpleResponse>, Status> {
        let payload = Some(payload(request.into_inner().response_size));
        Ok(Response::new(SimpleResponse { payload, ..SimpleResponse::default() }))
    }

    async fn cacheable_unary_call(
        &self,
        request: Request<SimpleRequest>,
    ) -> Result<Response<SimpleResponse>, Status> {
        self.unary_call(request).await
    }

    type StreamingOutputCallStream = Answers<StreamingOutputCallResponse>;

    async fn streaming_output_call(
        &self,
        request: Request<StreamingOutputCallRequest>,
    ) -> Result<Response<Self::StreamingOutputCallStream>, Status> {
        Ok(Response::new(answers(request.into_inner()).boxed()))
    }

    async fn streaming_input_call(
        &self,
        request: Request<Streaming<StreamingInputCallRequest>>,
    ) -> Result<Response<StreamingInputCallResponse>, Status> {
        let mut requests = request.into_inner();
        let mut sum = 0_usize;
        while let Some(request) = requests.message().await? {
            sum += request.payload.map_or(0, |payload| payload.body.len());
        }
        let aggregated_payload_size = i32::try_from(sum).unwrap_or(i32::MAX);
        Ok(Response::new(StreamingInputCallResponse { aggregated_payload_size }))
    }

    type FullDuplexCallStream = Answers<StreamingOutputCallResponse>;

    async fn full_duplex_call(
        &self,
        request: Request<Streaming<StreamingOutputCallRequest>>,
    ) -> Result<Response<Self::FullDuplexCallStream>, Status> {
        let answers = request.into_inner().flat_map(|request| match request {
            Ok(request) => answers(request).boxed(),
            Err(status) => stream::iter([Err(status)]).boxed(),
        });
        Ok(Response::new(answers.boxed()))
    }

    type HalfDuplexCallStream = Answers<StreamingOutputCallResponse>;

    async fn half_duplex_call(
        &self,
        request: Request<Streaming<StreamingOutputCallRequest>>,
    ) -> Result<Response<Self::HalfDuplexCallStream>, Status> {
        self.full_duplex_call(request).await
    }

    async fn unimplemented_call(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        Err(Status::unimplemented("nobody implements it"))
    }
}

/// One answer for each that is asked for, after the time that is asked for.
fn answers(
    request: StreamingOutputCallRequest,
) -> impl Stream<Item = Result<StreamingOutputCallResponse, Status>> + Send {
    stream::iter(request.response_parameters).then(|asked| async move {
        let wait = u64::try_from(asked.interval_us).unwrap_or_default();
        if wait > 0 {
            tokio::time::sleep(Duration::from_micros(wait)).await;
        }
        Ok(StreamingOutputCallResponse { payload: Some(payload(asked.size)) })
    })
}

fn payload(size: i32) -> Payload {
    let size = usize::try_from(size).unwrap_or_default().min(ANSWER_BYTES_MAX);
    Payload { body: vec![0; size], ..Payload::default() }
}
