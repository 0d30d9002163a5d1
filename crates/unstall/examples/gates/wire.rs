//! The wire: a unary gRPC service by path, without a `.proto`.
//!
//! Requests and answers are `google.protobuf.Duration`; the path says what the handler does
//! with it (`handler.rs`).

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::uri::PathAndQuery;
use prost_types::Duration as Message;
use tonic::body::Body;
use tonic::client::GrpcService;
use tonic::server::{NamedService, UnaryService};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use tower::Service;

use crate::gate::Gate;
use crate::handler;

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The service.
#[derive(Clone, Debug)]
pub(crate) struct Gates(pub(crate) Arc<Gate>);

impl NamedService for Gates {
    const NAME: &'static str = "gates.Gates";
}

impl Service<http::Request<Body>> for Gates {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Boxed<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let path = request.uri().path();
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        let handler = Handler { name, gate: Arc::clone(&self.0) };
        Box::pin(async move {
            let mut grpc = tonic::server::Grpc::new(ProstCodec::<Message, Message>::default());
            Ok(grpc.unary(handler, request).await)
        })
    }
}

struct Handler {
    name: String,
    gate: Arc<Gate>,
}

impl UnaryService<Message> for Handler {
    type Response = Message;
    type Future = Boxed<Result<Response<Message>, Status>>;

    fn call(&mut self, request: Request<Message>) -> Self::Future {
        let (name, gate) = (std::mem::take(&mut self.name), Arc::clone(&self.gate));
        let message = request.into_inner();
        Box::pin(async move {
            let duration = Duration::try_from(message)
                .map_err(|_| Status::invalid_argument("a negative duration"))?;
            handler::handle(&name, duration, &gate).await?;
            Ok(Response::new(message))
        })
    }
}

/// A connection to a server.
pub(crate) async fn connect(address: SocketAddr) -> Result<Channel, tonic::transport::Error> {
    Endpoint::from_shared(format!("http://{address}"))?.connect().await
}

/// Calls a method, named as in `handler.rs`.
pub(crate) async fn ask(channel: Channel, method: &str, duration: Duration) -> Result<(), Status> {
    call(tonic::client::Grpc::new(channel), Request::new(()), method, duration).await
}

/// Calls a method with the metadata of `request`.
pub(crate) async fn call<T>(
    mut client: tonic::client::Grpc<T>,
    request: Request<()>,
    method: &str,
    duration: Duration,
) -> Result<(), Status>
where
    T: GrpcService<Body>,
    T::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    T::ResponseBody: http_body_util::BodyExt<Data = bytes::Bytes> + Send + 'static,
    <T::ResponseBody as http_body::Body>::Error:
        Into<Box<dyn std::error::Error + Send + Sync>> + Send,
{
    client.ready().await.map_err(|error| Status::unavailable(error.into().to_string()))?;
    let message =
        Message::try_from(duration).map_err(|_| Status::invalid_argument("too long a duration"))?;
    let path = PathAndQuery::try_from(format!("/{}/{method}", Gates::NAME))
        .map_err(|error| Status::invalid_argument(error.to_string()))?;
    let codec = ProstCodec::<Message, Message>::default();
    client.unary(request.map(|()| message), path, codec).await.map(drop)
}
