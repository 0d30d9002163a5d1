//! The span of a call, after OpenTelemetry's conventions for gRPC.
//!
//! <https://opentelemetry.io/docs/specs/semconv/rpc/grpc/>

use std::str::FromStr as _;
use std::sync::Arc;

use api::code_name;
use http::HeaderValue;
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _,
    TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SdkTracer, Span};
use tonic::Code;

use crate::layers::Call;
use crate::methods::Method;
use crate::telemetry::metrics::{Metrics, is_servers_fault};
use crate::telemetry::trace_parent::TraceContext;

const SYSTEM: &str = "grpc";

/// A span that has begun.
#[derive(Debug)]
pub struct CallSpan {
    span: Span,
    /// What the caller's vendors have added.
    state: Option<HeaderValue>,
    method: Option<&'static Method>,
    metrics: Arc<Metrics>,
    /// How often the method had stalled, and was shed, when the call came.
    stalls: u64,
    sheds: u64,
}

impl CallSpan {
    pub(super) fn begin(
        tracer: &SdkTracer,
        call: &Call,
        caller: Option<&TraceContext>,
        metrics: &Arc<Metrics>,
    ) -> Self {
        let method = call.method();
        // The conventions: a method that is not known does not make the span's name.
        let name = method.map_or(SYSTEM, Method::name);
        let attributes = [
            KeyValue::new("rpc.system.name", SYSTEM),
            KeyValue::new("rpc.method", call.method_name()),
            KeyValue::new("foreword.request_id", call.request_id().to_owned()),
        ];
        let builder =
            SpanBuilder::from_name(name).with_kind(SpanKind::Server).with_attributes(attributes);
        let parent = caller
            .map(remote)
            .map_or_else(Context::new, |caller| Context::new().with_remote_span_context(caller));
        let span = builder.start_with_context(tracer, &parent);
        Self {
            span,
            state: caller.and_then(|caller| caller.state.clone()),
            method,
            metrics: Arc::clone(metrics),
            stalls: method.map_or(0, |method| metrics.executor.stalls_of(method)),
            sheds: method.map_or(0, |method| metrics.executor.sheds_of(method)),
        }
    }

    /// What the call's own calls go on with.
    pub(crate) fn context(&self) -> TraceContext {
        let context = self.span.span_context();
        TraceContext {
            trace_id: context.trace_id().to_bytes(),
            span_id: context.span_id().to_bytes(),
            is_sampled: context.is_sampled(),
            state: self.state.clone(),
        }
    }

    /// Ends it with the call's status.
    pub(crate) fn end(mut self, code: Code) {
        if !self.span.is_recording() {
            return;
        }
        let name = code_name(code);
        self.span.set_attribute(KeyValue::new("rpc.response.status_code", name));
        if is_servers_fault(code) {
            self.span.set_attribute(KeyValue::new("error.type", name));
            self.span.set_status(Status::error(name));
        }
        if let Some(method) = self.method {
            self.note_trouble(method, code);
        }
        self.span.end();
    }

    /// Notes what happened to the method meanwhile; nobody can tell which of its calls it was.
    fn note_trouble(&mut self, method: &Method, code: Code) {
        let executor = &self.metrics.executor;
        let stalls = executor.stalls_of(method).saturating_sub(self.stalls);
        let sheds = executor.sheds_of(method).saturating_sub(self.sheds);
        if stalls > 0 {
            self.span.add_event("method stalled", vec![count(stalls)]);
        }
        if sheds > 0 && code == Code::ResourceExhausted {
            self.span.add_event("method shed", vec![count(sheds)]);
        }
    }
}

fn count(times: u64) -> KeyValue {
    KeyValue::new("foreword.count", i64::try_from(times).unwrap_or(i64::MAX))
}

fn remote(caller: &TraceContext) -> SpanContext {
    let flags = if caller.is_sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
    let state = caller.state.as_ref().and_then(|state| state.to_str().ok());
    let state = state.and_then(|state| TraceState::from_str(state).ok()).unwrap_or_default();
    let (trace_id, span_id) =
        (TraceId::from_bytes(caller.trace_id), SpanId::from_bytes(caller.span_id));
    SpanContext::new(trace_id, span_id, flags, true, state)
}
