//! Traces: a span for each call, for a collector that takes OTLP over gRPC.
//!
//! Spans wait in a bounded queue and a thread of its own sends them in batches. A collector that
//! is away costs the spans, and a line in the log once a minute; calls never wait for it.
//!
//! Anybody can send a `traceparent` that says that the trace is recorded. What is recorded for
//! that reason alone is bounded, so that strangers decide neither the load nor the collector's
//! bill.

mod exporter;
mod span;

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::ExporterBuildError;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider,
};

pub use span::CallSpan;

use super::metrics::Metrics;
use super::per_second::PerSecond;
use super::trace_parent::TraceContext;
use crate::blocking::blocking;
use crate::layers::Call;
use crate::settings::TracesSection;

/// Spans that may wait to be sent, and how many go at once.
const QUEUE_LEN_MAX: usize = 2048;
const BATCH_LEN_MAX: usize = 512;

/// How often a batch goes that is not full.
const SEND_EVERY: Duration = Duration::from_secs(1);

/// Spans in one second that are recorded because callers record theirs.
const ASKED_PER_SECOND: u32 = 100;

/// The longest that sending the rest holds up the stop.
const FINISH_PATIENCE: Duration = Duration::from_secs(2);

/// Where spans go, if anywhere; a clone is the same place.
#[derive(Clone, Debug, Default)]
pub struct Traces(Option<Arc<Collecting>>);

#[derive(Debug)]
struct Collecting {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    failed: Arc<AtomicU64>,
    asked: PerSecond,
}

/// Why there can be no traces.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// The collector's address, or its headers, cannot be used.
    #[error("cannot send traces to traces.otlp_endpoint: {0}")]
    Exporter(#[from] ExporterBuildError),
    /// A header is none. It is not shown: it may be secret.
    #[error("traces.headers holds what is no header, expected name=value")]
    Header,
}

impl Traces {
    /// Starts to send spans if the settings name a collector. Within a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`TracesError`] if the settings cannot be used. A collector that is away is no error.
    pub fn start(settings: &TracesSection) -> Result<Self, TracesError> {
        let Some(endpoint) = settings.endpoint() else { return Ok(Self(None)) };
        let failed = Arc::new(AtomicU64::new(0));
        let exporter = exporter::new(endpoint, settings, Arc::clone(&failed))?;
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE_LEN_MAX)
            .with_max_export_batch_size(BATCH_LEN_MAX)
            .with_scheduled_delay(SEND_EVERY)
            .build();
        let processor = BatchSpanProcessor::builder(exporter).with_batch_config(batches).build();
        let version = env!("CARGO_PKG_VERSION");
        let resource = Resource::builder()
            .with_service_name("foreword")
            .with_attribute(KeyValue::new("service.version", version))
            .with_attribute(KeyValue::new("service.instance.id", instance()));
        let sampler = Sampler::TraceIdRatioBased(settings.sample_ratio());
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::ParentBased(Box::new(sampler)))
            .with_resource(resource.build())
            .with_span_processor(processor)
            .build();
        let scope = InstrumentationScope::builder("foreword").with_version(version).build();
        let tracer = provider.tracer_with_scope(scope);
        let asked = PerSecond::new(ASKED_PER_SECOND);
        Ok(Self(Some(Arc::new(Collecting { provider, tracer, failed, asked }))))
    }

    /// Begins the span of a call; none if there is no collector. A caller that records its part is
    /// followed so many times a second; beyond, as if it did not, and so are the call's own calls.
    pub(crate) fn begin(
        &self,
        call: &Call,
        caller: Option<&TraceContext>,
        metrics: &Arc<Metrics>,
    ) -> Option<CallSpan> {
        let collecting = self.0.as_ref()?;
        let is_followed =
            !caller.is_some_and(|caller| caller.is_sampled) || collecting.asked.admits();
        let unrecorded = caller.filter(|_| !is_followed);
        let unrecorded =
            unrecorded.map(|caller| TraceContext { is_sampled: false, ..caller.clone() });
        Some(CallSpan::begin(&collecting.tracer, call, unrecorded.as_ref().or(caller), metrics))
    }

    /// How many batches could not be sent.
    #[must_use]
    pub fn exports_failed(&self) -> u64 {
        self.0.as_ref().map_or(0, |collecting| collecting.failed.load(Ordering::Relaxed))
    }

    /// How many calls were not recorded although their callers recorded theirs.
    #[must_use]
    pub fn spans_refused(&self) -> u64 {
        self.0.as_ref().map_or(0, |collecting| collecting.asked.refused())
    }

    /// Sends what waits, for two seconds at most. Spans that end later are lost.
    pub async fn finish(&self) {
        let Some(collecting) = self.0.clone() else { return };
        let ended = blocking(move || collecting.provider.shutdown_with_timeout(FINISH_PATIENCE));
        if let Err(error) = ended.await {
            tracing::warn!(%error, "the last spans were not sent");
        }
    }
}

/// A name for this process among all: random, as version 4 of UUIDs is.
fn instance() -> String {
    // Random keys, from the system: enough for a name that is no secret.
    let random = || u128::from(RandomState::new().build_hasher().finish());
    let mut bits = random() << 64 | random();
    bits = bits & !(0xf << 76) | 4 << 76;
    bits = bits & !(0b11 << 62) | 0b10 << 62;
    let digits = format!("{bits:032x}");
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    parts.join("-")
}
