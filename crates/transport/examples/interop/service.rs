//! `grpc.testing.TestService`, by gRPC's [descriptions] of its interoperability tests.
//!
//! Two things are not as described, since tonic compresses a whole stream or nothing of it: in
//! streams, `compressed` of single messages is ignored, and a request that should have come
//! compressed counts as such if its call announced an encoding.
//!
//! [descriptions]: https://github.com/grpc/grpc/blob/master/doc/interop-test-descriptions.md

use std::time::{Duration, SystemTime};

use futures_util::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use tonic::codec::CompressionEncoding::{Gzip, Zstd};
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Request, Response, Status, Streaming};

use crate::payload::{echo_status, payload};
use crate::proto::test_service_server::{TestService, TestServiceServer};
use crate::proto::{
    BoolValue, Empty, Payload, ResponseParameters, SimpleRequest, SimpleResponse,
    StreamingInputCallRequest, StreamingInputCallResponse, StreamingOutputCallRequest,
    StreamingOutputCallResponse,
};

/// How many requests a half-duplex call may send before the first answer.
const WAITING_REQUESTS_MAX: usize = 1_000;

type Answer<T> = Result<Response<T>, Status>;
type Answers = BoxStream<'static, Result<StreamingOutputCallResponse, Status>>;

/// The service, with gzip and zstd both ways.
pub(crate) fn service() -> TestServiceServer<impl TestService> {
    TestServiceServer::new(Interop)
        .accept_compressed(Gzip)
        .accept_compressed(Zstd)
        .send_compressed(Gzip)
        .send_compressed(Zstd)
}

struct Interop;

#[tonic::async_trait]
impl TestService for Interop {
    type StreamingOutputCallStream = Answers;
    type FullDuplexCallStream = Answers;
    type HalfDuplexCallStream = Answers;

    async fn empty_call(&self, _: Request<Empty>) -> Answer<Empty> {
        Ok(Response::new(Empty {}))
    }

    async fn unary_call(&self, request: Request<SimpleRequest>) -> Answer<SimpleResponse> {
        expect_compressed(request.get_ref().expect_compressed, request.metadata())?;
        let request = request.into_inner();
        echo_status(request.response_status)?;
        let payload = payload(request.response_type, request.response_size)?;
        let response = SimpleResponse { payload: Some(payload), ..SimpleResponse::default() };
        let mut response = Response::new(response);
        if !is_true(request.response_compressed) {
            response.disable_compression();
        }
        Ok(response)
    }

    async fn cacheable_unary_call(&self, _: Request<SimpleRequest>) -> Answer<SimpleResponse> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let payload = Payload { body: now.as_nanos().to_string().into(), ..Payload::default() };
        let response = SimpleResponse { payload: Some(payload), ..SimpleResponse::default() };
        let mut response = Response::new(response);
        let for_a_minute = MetadataValue::from_static("max-age=60, public");
        response.metadata_mut().insert("cache-control", for_a_minute);
        Ok(response)
    }

    async fn streaming_output_call(
        &self,
        request: Request<StreamingOutputCallRequest>,
    ) -> Answer<Answers> {
        Ok(Response::new(answers(request.into_inner())))
    }

    async fn streaming_input_call(
        &self,
        request: Request<Streaming<StreamingInputCallRequest>>,
    ) -> Answer<StreamingInputCallResponse> {
        let (metadata, _, mut requests) = request.into_parts();
        let mut bytes: i32 = 0;
        while let Some(request) = requests.try_next().await? {
            expect_compressed(request.expect_compressed, &metadata)?;
            let received = request.payload.map_or(0, |payload| payload.body.len());
            bytes = bytes.saturating_add(i32::try_from(received).unwrap_or(i32::MAX));
        }
        Ok(Response::new(StreamingInputCallResponse { aggregated_payload_size: bytes }))
    }

    async fn full_duplex_call(
        &self,
        request: Request<Streaming<StreamingOutputCallRequest>>,
    ) -> Answer<Answers> {
        Ok(Response::new(request.into_inner().map_ok(answers).try_flatten().boxed()))
    }

    async fn half_duplex_call(
        &self,
        request: Request<Streaming<StreamingOutputCallRequest>>,
    ) -> Answer<Answers> {
        let requests = request.into_inner().take(WAITING_REQUESTS_MAX + 1);
        let requests: Vec<_> = requests.try_collect().await?;
        if requests.len() > WAITING_REQUESTS_MAX {
            let message = format!("more than {WAITING_REQUESTS_MAX} requests before an answer");
            return Err(Status::resource_exhausted(message));
        }
        Ok(Response::new(stream::iter(requests).flat_map(answers).boxed()))
    }

    async fn unimplemented_call(&self, _: Request<Empty>) -> Answer<Empty> {
        Err(Status::unimplemented("never implemented, so that clients can test for it"))
    }
}

/// The answers to one request of a stream; just an error if it asks for a status.
fn answers(request: StreamingOutputCallRequest) -> Answers {
    if let Err(status) = echo_status(request.response_status) {
        return stream::iter([Err(status)]).boxed();
    }
    let kind = request.response_type;
    stream::iter(request.response_parameters).then(move |wanted| answer(kind, wanted)).boxed()
}

async fn answer(
    kind: i32,
    wanted: ResponseParameters,
) -> Result<StreamingOutputCallResponse, Status> {
    let micros = u64::try_from(wanted.interval_us)
        .map_err(|_| Status::invalid_argument("interval_us: negative"))?;
    if micros > 0 {
        tokio::time::sleep(Duration::from_micros(micros)).await;
    }
    Ok(StreamingOutputCallResponse { payload: Some(payload(kind, wanted.size)?) })
}

/// Refuses a request that should have come compressed, on a call without an encoding.
fn expect_compressed(expected: Option<BoolValue>, metadata: &MetadataMap) -> Result<(), Status> {
    let encoding = metadata.get("grpc-encoding");
    let is_compressed = encoding.is_some_and(|encoding| encoding != "identity");
    if is_true(expected) && !is_compressed {
        return Err(Status::invalid_argument("the request should have come compressed"));
    }
    Ok(())
}

fn is_true(flag: Option<BoolValue>) -> bool {
    flag.is_some_and(|flag| flag.value)
}
