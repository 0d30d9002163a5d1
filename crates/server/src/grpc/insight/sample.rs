//! Figures of one moment.

use std::time::{Duration, SystemTime};

use api::v1::{
    CodeCount, FallbackFigures, LatencyHistogram, MethodFigures, MetricsSample,
    Model as ModelMessage, QueueFigures,
};
use tonic::Code;

use super::{INTERVALS, Sources};
use crate::grpc::models::{quality, summary};
use crate::grpc::time::timestamp_of;
use crate::grpc::v1::answer::fallback_message;
use crate::grpc::violations::Violations;
use crate::recommend::Fallback;
use crate::telemetry::metrics::Histogram;

/// How often figures are wanted.
pub(super) fn interval(message: Option<prost_types::Duration>, found: &mut Violations) -> Duration {
    let Some(message) = message else { return Duration::from_secs(1) };
    let wanted = Duration::try_from(message).ok().filter(|wanted| INTERVALS.contains(wanted));
    let what = format_args!("{} s and {} ns", message.seconds, message.nanos);
    found.expect(wanted.is_some(), "interval", what, "0.2 to 60 seconds");
    wanted.unwrap_or_default()
}

/// What the service did until now. Its counts are far below 2⁶³.
pub(super) fn take(sources: &Sources) -> MetricsSample {
    let Sources { recommender, ingest, shown, started } = sources;
    let (metrics, settings) = (&shown.metrics, shown.settings.current());
    let open = metrics.calls.open();
    let queue = |name: &str, waiting: i64, capacity: usize| QueueFigures {
        name: name.to_owned(),
        waiting_count: waiting,
        capacity: capacity as i64,
    };
    let fallbacks = Fallback::ALL.iter().map(|fallback| FallbackFigures {
        fallback: fallback_message(*fallback).into(),
        count: recommender.fallbacks().count_of(*fallback) as i64,
    });
    // Nobody looks for news otherwise.
    let news = metrics.trainings.news_events().filter(|_| settings.retrain.on);
    MetricsSample {
        sample_time: timestamp_of(SystemTime::now()),
        start_time: timestamp_of(*started),
        methods: metrics.calls.ended_by_code().map(|(name, ended)| method(name, &ended)).collect(),
        open_call_count: open,
        stored_event_count: ingest.figures().stored_events() as i64,
        queues: vec![
            queue("calls", open, settings.limits.open_calls_max.get()),
            queue("events", ingest.waiting() as i64, settings.events.queue_entries_max()),
        ],
        fallbacks: fallbacks.collect(),
        stall_count: metrics.executor.stall_count() as i64,
        model: model(sources),
        news_event_count: news.map(|events| events as i64),
        training: metrics.trainings.is_under_way(),
        book_count: recommender.live().generation().book_count() as i64,
    }
}

fn method(name: &str, ended: &[(Code, &Histogram)]) -> MethodFigures {
    let mut codes = Vec::with_capacity(ended.len());
    let mut latency = LatencyHistogram::default();
    for (code, histogram) in ended {
        let (seconds, count, buckets) = histogram.read();
        codes.push(CodeCount { code: api::code_name(*code).to_owned(), count: count as i64 });
        latency.sum_seconds += seconds;
        if latency.counts.is_empty() {
            let bounds = buckets.iter().map(|(bound, _)| *bound);
            latency.upper_bounds_seconds = bounds.filter(|bound| bound.is_finite()).collect();
            latency.counts = vec![0; buckets.len()];
        }
        for (sum, (_, count)) in latency.counts.iter_mut().zip(buckets) {
            *sum += count as i64;
        }
    }
    MethodFigures { method: name.to_owned(), codes, latency: Some(latency) }
}

/// The model that answers, as far as it is in memory.
fn model(sources: &Sources) -> Option<ModelMessage> {
    let live = sources.recommender.live();
    let generation = live.generation();
    let served = generation.model()?;
    Some(ModelMessage {
        version: served.version.to_string(),
        served: true,
        train_time: served.written.and_then(timestamp_of),
        trained_on: Some(summary(served)),
        quality: served.notes.quality.map(quality),
        ..ModelMessage::default()
    })
}
