//! The outer layer: requests become gRPC, and gRPC's answers HTTP's.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, Response, response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::Codec;
use super::answer::answer;
use super::body::JsonBody;
use super::contract::Contract;
use super::document::Document;
use super::head::{Verdict, judge, make_grpc};
use crate::BoxError;

/// A [`tower` layer](Layer) that lets programs without gRPC call a gRPC service, and hands out
/// documents.
///
/// Nothing but gRPC passes it, and so nothing else reaches the wrapped service.
///
/// # Examples
///
/// ```
/// # use tonic::service::Routes;
/// use tower_layer::Layer as _;
/// use transport::json::{Contract, ContractError, JsonEdgeLayer, JsonLayer};
/// use unstall::{Executor, GrpcLayer};
///
/// # fn routes() -> Routes { Routes::default() }
/// # fn check(executor: Executor, descriptors: &[u8]) -> Result<(), ContractError> {
/// let contract = Contract::decode(descriptors)?;
/// let inner = JsonLayer::new(contract.clone()).layer(routes());
/// let service = JsonEdgeLayer::new(contract, []).layer(GrpcLayer::new(executor).layer(inner));
/// # let _ = service;
/// # Ok(())
/// # }
/// ```
///
/// The server must let such requests through:
/// [`OtherRequests::PassOn`](crate::OtherRequests::PassOn).
#[derive(Clone, Debug)]
pub struct JsonEdgeLayer {
    contract: Contract,
    documents: Arc<[Document]>,
}

impl JsonEdgeLayer {
    /// A layer for the unary methods of a contract, and for some documents.
    #[must_use]
    pub fn new(contract: Contract, documents: impl IntoIterator<Item = Document>) -> Self {
        Self { contract, documents: documents.into_iter().collect() }
    }
}

impl<S> Layer<S> for JsonEdgeLayer {
    type Service = EdgeService<S>;

    fn layer(&self, inner: S) -> EdgeService<S> {
        EdgeService { edge: self.clone(), inner }
    }
}

/// A service that can be asked without gRPC. Made by [`JsonEdgeLayer`].
#[derive(Clone, Debug)]
pub struct EdgeService<S> {
    edge: JsonEdgeLayer,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for EdgeService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Body<Data = Bytes>,
    R::Error: Into<BoxError>,
{
    type Response = Response<JsonBody<R>>;
    type Error = S::Error;
    type Future = EdgeFuture<S::Future, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let state = match judge(&self.edge.contract, &self.edge.documents, &parts) {
            Verdict::Answered(answer) => State::Answered { answer: Some(answer) },
            Verdict::Grpc => {
                State::Plain { future: self.inner.call(Request::from_parts(parts, body)) }
            }
            Verdict::Call { codec, timeout } => {
                make_grpc(&mut parts, codec, timeout);
                let future = self.inner.call(Request::from_parts(parts, body));
                State::Calling { future, codec }
            }
        };
        EdgeFuture { state }
    }
}

pin_project! {
    /// The response of an [`EdgeService`] on its way. Dropping it cancels the call.
    #[must_use = "futures do nothing unless polled"]
    pub struct EdgeFuture<F, R> {
        #[pin]
        state: State<F, R>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F, R> {
        Plain { #[pin] future: F },
        Calling { #[pin] future: F, codec: Codec },
        Reading { #[pin] body: R, read: Option<Read> },
        Answered { answer: Option<Response<Bytes>> },
    }
}

/// What has come of an answer.
struct Read {
    codec: Codec,
    head: response::Parts,
    data: Bytes,
    trailers: Option<HeaderMap>,
}

impl<F, R, E> Future for EdgeFuture<F, R>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body<Data = Bytes>,
    R::Error: Into<BoxError>,
{
    type Output = Result<Response<JsonBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Plain { future } => {
                    return future.poll(cx).map_ok(|response| response.map(JsonBody::plain));
                }
                StateProjection::Calling { future, codec } => {
                    let (head, body) = ready!(future.poll(cx))?.into_parts();
                    let (data, trailers) = (Bytes::new(), None);
                    let read = Some(Read { codec: *codec, head, data, trailers });
                    State::Reading { body, read }
                }
                StateProjection::Reading { mut body, read } => {
                    let whole = read.as_mut().expect("it is taken once");
                    let end = ready!(whole.poll(body.as_mut(), cx));
                    let read = read.take().expect("it is taken once");
                    State::Answered { answer: Some(read.into_answer(end)) }
                }
                StateProjection::Answered { answer } => {
                    let answer = answer.take().expect("a future is not polled after its end");
                    return Poll::Ready(Ok(answer.map(JsonBody::whole)));
                }
            };
            this.state.set(next);
        }
    }
}

impl Read {
    /// Reads to the end.
    fn poll<R>(&mut self, mut body: Pin<&mut R>, cx: &mut Context<'_>) -> Poll<Result<(), R::Error>>
    where
        R: Body<Data = Bytes>,
    {
        while let Some(frame) = ready!(body.as_mut().poll_frame(cx)?) {
            match frame.into_data() {
                // One piece, as `JsonLayer` hands it on.
                Ok(data) if self.data.is_empty() => self.data = data,
                Ok(data) => {
                    let mut joined = BytesMut::from(std::mem::take(&mut self.data));
                    joined.extend_from_slice(&data);
                    self.data = joined.freeze();
                }
                Err(frame) => self.trailers = frame.into_trailers().ok(),
            }
        }
        Poll::Ready(Ok(()))
    }

    fn into_answer(self, end: Result<(), impl Into<BoxError>>) -> Response<Bytes> {
        let Self { codec, head, data, trailers } = self;
        answer(codec, head, &data, trailers, end.map_err(Into::into))
    }
}
