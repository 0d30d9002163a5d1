//! The way to the collector, and what is said when it is closed.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithTonicConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::SpanData;
use tonic::metadata::MetadataMap;
use tonic::transport::ClientTlsConfig;

use super::TracesError;
use crate::settings::TracesSection;

/// For one batch.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How often a failure is told of.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// An exporter that counts failures and tells of them now and then.
#[derive(Debug)]
pub(super) struct Exporter {
    inner: SpanExporter,
    failed: Arc<AtomicU64>,
    told: Mutex<Option<Instant>>,
}

/// The way to a collector. Nothing is sent yet.
pub(super) fn new(
    endpoint: &str,
    settings: &TracesSection,
    failed: Arc<AtomicU64>,
) -> Result<Exporter, TracesError> {
    let mut headers = http::HeaderMap::new();
    for (name, value) in settings.headers() {
        let name = http::HeaderName::try_from(name).map_err(|_| TracesError::Header)?;
        let mut value = http::HeaderValue::try_from(value).map_err(|_| TracesError::Header)?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    let builder = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .with_timeout(TIMEOUT)
        .with_metadata(MetadataMap::from_headers(headers));
    let builder = if endpoint.starts_with("https:") {
        builder.with_tls_config(ClientTlsConfig::new().with_native_roots())
    } else {
        builder
    };
    Ok(Exporter { inner: builder.build()?, failed, told: Mutex::new(None) })
}

impl opentelemetry_sdk::trace::SpanExporter for Exporter {
    fn export(&self, batch: Vec<SpanData>) -> impl Future<Output = OTelSdkResult> + Send {
        let spans = batch.len();
        let sending = self.inner.export(batch);
        async move {
            let sent = sending.await;
            if let Err(error) = &sent {
                self.failed.fetch_add(1, Ordering::Relaxed);
                if self.is_time_to_tell() {
                    tracing::warn!(%error, spans, "the collector at traces.otlp_endpoint takes no spans; they are lost");
                }
            }
            sent
        }
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

impl Exporter {
    fn is_time_to_tell(&self) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = told.is_none_or(|told| told.elapsed() >= TOLD_EVERY);
        if is_time {
            *told = Some(Instant::now());
        }
        is_time
    }
}
