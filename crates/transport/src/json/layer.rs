//! The inner layer: JSON in, protobuf to the routes, and JSON out.
//!
//! Invariant: the wrapped service is handed gRPC with messages in protobuf, and nothing else.
//! tonic's routes would take anything for that.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body::Body;
use http_body_util::BodyExt as _;
use pin_project_lite::pin_project;
use tonic::{Code, Status};
use tower_layer::Layer;
use tower_service::Service;

use super::body::JsonBody;
use super::contract::{Contract, Method};
use super::{Codec, frame};
use crate::BoxError;

const GRPC: &[u8] = b"application/grpc";
const GRPC_STATUS: &str = "grpc-status";

/// A [`tower` layer](Layer) that translates the messages of calls that came through
/// [`JsonEdgeLayer`](super::JsonEdgeLayer), and refuses what is not gRPC with protobuf.
///
/// Parsing takes up to milliseconds: put it inside of `unstall::GrpcLayer`, right around the
/// routes. How long a body may be, and how long it may take, is for [`Server`](crate::Server)
/// to bound.
#[derive(Clone, Debug)]
pub struct JsonLayer {
    contract: Contract,
}

impl JsonLayer {
    /// A layer for the methods of a contract.
    #[must_use]
    pub fn new(contract: Contract) -> Self {
        Self { contract }
    }
}

impl<S> Layer<S> for JsonLayer {
    type Service = JsonService<S>;

    fn layer(&self, inner: S) -> JsonService<S> {
        JsonService { contract: self.contract.clone(), inner }
    }
}

/// A gRPC service that is asked in JSON too. Made by [`JsonLayer`].
#[derive(Clone, Debug)]
pub struct JsonService<S> {
    contract: Contract,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for JsonService<S>
where
    S: Service<Request<JsonBody<B>>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
    R: Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Response = Response<JsonBody<R>>;
    type Error = S::Error;
    type Future = JsonFuture<S::Future, R, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let state = match request.extensions_mut().remove::<Codec>() {
            Some(codec) => {
                // The clone need not be ready; this one is.
                let clone = self.inner.clone();
                let ready = std::mem::replace(&mut self.inner, clone);
                let call = call(self.contract.clone(), codec, ready, request);
                State::Call { call: Box::pin(call) }
            }
            None => match refusal(request.headers()) {
                None => State::Plain { future: self.inner.call(request.map(JsonBody::plain)) },
                Some(refusal) => State::Refused { refusal: Some(refusal) },
            },
        };
        JsonFuture { state }
    }
}

/// Why a request that no edge has made may not pass.
fn refusal(headers: &HeaderMap) -> Option<Response<()>> {
    let content_type = headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let content_type = content_type.to_ascii_lowercase();
    let media_type = content_type.split(|byte| *byte == b';').next().unwrap_or_default();
    match media_type.trim_ascii().strip_prefix(GRPC) {
        Some(b"" | b"+proto") => None,
        Some([b'+', ..]) => {
            let text = "messages of this kind are not supported; send application/grpc+proto";
            Some(Status::unimplemented(text).into_http())
        }
        _ => {
            let mut response = Response::new(());
            *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            Some(response)
        }
    }
}

/// A whole call, from the client's message to the answer's.
async fn call<S, B, R>(
    contract: Contract,
    codec: Codec,
    inner: S,
    request: Request<B>,
) -> Result<Response<JsonBody<R>>, S::Error>
where
    S: Service<Request<JsonBody<B>>, Response = Response<R>>,
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
    R: Body<Data = Bytes>,
    R::Error: Into<BoxError>,
{
    let Some(method) = contract.method(request.uri().path()).filter(|it| !it.streams()) else {
        return Ok(failure(Status::unimplemented("no such unary method")));
    };
    let mut inner = inner;
    let request = match ask(method, codec, request).await {
        Ok(request) => request,
        Err(status) => return Ok(failure(status)),
    };
    let response = inner.call(request).await?;
    Ok(answer(method, codec, response).await.unwrap_or_else(failure))
}

/// The request that the routes get.
async fn ask<B>(
    method: &Method,
    codec: Codec,
    request: Request<B>,
) -> Result<Request<JsonBody<B>>, Status>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let (mut parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|error| cause(error.into()))?.to_bytes();
    let framed = match codec {
        Codec::Proto => [&[0; frame::HEAD], &*body].concat(),
        Codec::Json => method
            .input()
            .from_json(&body, frame::HEAD)
            .map_err(|error| Status::invalid_argument(error.to_string()))?,
    };
    let content_type = Codec::Proto.grpc_content_type();
    parts.headers.insert(header::CONTENT_TYPE, content_type);
    Ok(Request::from_parts(parts, JsonBody::whole(frame::close(framed)?)))
}

/// The answer that the edge gets: its message as the client wants it, in gRPC's frame.
async fn answer<R>(
    method: &Method,
    codec: Codec,
    response: Response<R>,
) -> Result<Response<JsonBody<R>>, Status>
where
    R: Body<Data = Bytes>,
    R::Error: Into<BoxError>,
{
    let (mut parts, body) = response.into_parts();
    if parts.headers.contains_key(GRPC_STATUS) {
        return Ok(Response::from_parts(parts, JsonBody::plain(body)));
    }
    let collected = body.collect().await.map_err(|error| cause(error.into()))?;
    let trailers = collected.trailers().cloned().unwrap_or_default();
    let data = collected.to_bytes();
    let data = match (trailers.get(GRPC_STATUS), codec) {
        (Some(status), Codec::Json) if status == "0" => {
            let json = method.output().to_json(&frame::open(&data)?, frame::HEAD);
            frame::close(json.map_err(|error| Status::internal(error.to_string()))?)?
        }
        _ => data,
    };
    parts.headers.insert(header::CONTENT_TYPE, codec.grpc_content_type());
    Ok(Response::from_parts(parts, JsonBody::with_trailers(data, trailers)))
}

/// The status that a body ends with, which is for the client.
fn cause(error: BoxError) -> Status {
    match error.downcast::<Status>() {
        Ok(status) => *status,
        Err(error) => {
            tracing::debug!(%error, "a body broke off");
            Status::internal("a body broke off")
        }
    }
}

fn failure<R>(status: Status) -> Response<JsonBody<R>> {
    if status.code() == Code::Internal {
        tracing::error!(%status, "a call in JSON failed");
    }
    status.into_http::<()>().map(|()| JsonBody::whole(Bytes::new()))
}

type Call<R, E> = Pin<Box<dyn Future<Output = Result<Response<JsonBody<R>>, E>> + Send>>;

pin_project! {
    /// The response of a [`JsonService`] on its way. Dropping it cancels the call.
    #[must_use = "futures do nothing unless polled"]
    pub struct JsonFuture<F, R, E> {
        #[pin]
        state: State<F, R, E>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F, R, E> {
        Plain { #[pin] future: F },
        Call { call: Call<R, E> },
        Refused { refusal: Option<Response<()>> },
    }
}

impl<F, R, E> Future for JsonFuture<F, R, E>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<JsonBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Plain { future } => {
                future.poll(cx).map_ok(|response| response.map(JsonBody::plain))
            }
            StateProjection::Call { call } => call.as_mut().poll(cx),
            StateProjection::Refused { refusal } => {
                let refusal = refusal.take().expect("a future is not polled after its end");
                Poll::Ready(Ok(refusal.map(|()| JsonBody::whole(Bytes::new()))))
            }
        }
    }
}
