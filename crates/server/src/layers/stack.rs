//! The layers between the transport and `unstall`, put together.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use tower::{Service, ServiceBuilder};

use super::access_log::AccessLogLayer;
use super::admit::AdmitLayer;
use super::authentication::Authentication;
use super::deadline::DeadlineLayer;
use super::load_shed::LoadShedLayer;
use super::metrics::MetricsLayer;
use super::panic::PanicLayer;
use super::rate_limit::RateLimit;
use super::request_id::RequestIdLayer;
use super::trace_context::TraceContextLayer;
use crate::access::Access;
use crate::rates::RateLimits;
use crate::settings::LiveSettings;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::traces::Traces;

/// What the layers go by.
#[derive(Clone, Debug)]
pub struct Stack {
    /// May change while they run.
    pub settings: LiveSettings,
    /// Who may do what.
    pub access: Arc<Access>,
    /// How often each may call; to be kept small by whoever runs the service.
    pub rates: RateLimits,
    /// Where spans go.
    pub traces: Traces,
    /// Where calls are counted.
    pub metrics: Arc<Metrics>,
}

impl Stack {
    /// Puts the layers around a service, in the order of [`layers`](super).
    pub fn around<S, B, R>(
        self,
        inner: S,
    ) -> impl Service<
        Request<B>,
        Response = Response<impl http_body::Body<Data = Bytes, Error = R::Error> + Send + 'static>,
        Error = S::Error,
        Future: Send + 'static,
    > + Clone
    + Send
    + 'static
    where
        S: Service<Request<B>, Response = Response<R>, Future: Send + 'static> + Clone + Send,
        S: 'static,
        R: http_body::Body<Data = Bytes> + Default + Send + 'static,
        B: Send + 'static,
    {
        ServiceBuilder::new()
            .layer(RequestIdLayer::new())
            .layer(TraceContextLayer::new(self.traces.clone(), Arc::clone(&self.metrics)))
            .layer(MetricsLayer::new(Arc::clone(&self.metrics)))
            .layer(AccessLogLayer)
            .layer(AdmitLayer(Authentication::new(self.access, Arc::clone(&self.metrics))))
            .layer(AdmitLayer(RateLimit::new(self.rates, Arc::clone(&self.metrics))))
            .layer(LoadShedLayer::new(self.settings.clone(), self.metrics))
            .layer(DeadlineLayer::new(self.settings.clone()))
            .layer(PanicLayer)
            .service(inner)
    }
}
