//! From the handlers outward to the wire: one order of layers for gRPC, gRPC-Web and JSON.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use tonic::body::Body;
use tower::{Service, ServiceBuilder};
use transport::health::Health;
use transport::json::{Contract, Document, JsonEdgeLayer, JsonLayer};
use transport::web::WebLayer;
use transport::{RequestBody, mirror_compression};
use unstall::GrpcLayer;

use super::running::Running;
use super::{BoxError, ServeError};
use crate::layers::Stack;
use crate::layers::log_context::LogContextLayer;

impl Running {
    /// What the transport hands requests to. The order is told in [`layers`](crate::layers).
    pub(super) fn ways_in<S, B>(
        &self,
        health: &Health,
        handlers: S,
    ) -> Result<
        impl Service<
            Request<RequestBody>,
            Response = Response<
                impl http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + use<S, B>,
            >,
            Future: Send,
            Error: Into<BoxError>,
        > + Clone
        + Send
        + use<S, B>,
        ServeError,
    >
    where
        S: Service<
                Request<Body>,
                Response = Response<B>,
                Future: Send,
                Error: Into<BoxError> + Send,
            > + Clone
            + Send
            + 'static,
        B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let contract = Contract::decode(api::FILE_DESCRIPTOR_SET)?;
        let openapi = Document::new("/openapi.json", "application/json", api::OPENAPI);
        let handlers = ServiceBuilder::new()
            .layer(GrpcLayer::new(self.executor.clone()))
            .layer(LogContextLayer)
            .layer(JsonLayer::new(contract.clone()))
            .map_request(mirror_compression)
            .map_request(|request: Request<_>| request.map(Body::new))
            .service(handlers);
        let stack = Stack {
            settings: self.settings.clone(),
            access: Arc::clone(&self.access),
            rates: self.rates.clone(),
            traces: self.traces.clone(),
            metrics: Arc::clone(&self.shown.metrics),
        };
        let origins = self.settings.current().transport.origins()?;
        Ok(ServiceBuilder::new()
            .layer(WebLayer::new(origins))
            .layer(JsonEdgeLayer::new(contract, [openapi]))
            .layer(health.layer())
            .service(stack.around(handlers)))
    }
}
