//! What figures say: rates from the difference of two samples, and latencies from buckets.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use api::v1::{LatencyHistogram, MethodFigures, MetricsSample};
use prost_types::Timestamp;

/// The calls by which consoles look, which are not what the shop does.
const OWN: &str = "foreword.v1.InsightService/";

/// The time that current rates are taken over.
const RECENT: f64 = 10.0;

/// What the service does.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Summary {
    /// Whether there is a sample before the latest: else rates are those since the start.
    pub(crate) has_past: bool,
    /// A second.
    pub(crate) requests: f64,
    pub(crate) errors: f64,
    pub(crate) events: f64,
    /// How many seconds ago, with the requests and events a second until then, the oldest first.
    pub(crate) request_rates: Vec<(f64, f64)>,
    pub(crate) event_rates: Vec<(f64, f64)>,
    /// Latencies of the time that is looked back to; of all since the start without a past.
    pub(crate) latencies: Latencies,
    /// Since the start, the most called first.
    pub(crate) methods: Vec<MethodLine>,
    pub(crate) running_for: Duration,
}

/// How many calls took how long.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Latencies {
    /// The upper bound of each bucket in seconds, infinite for the last, and its calls.
    pub(crate) buckets: Vec<(f64, i64)>,
}

/// A method.
#[derive(Debug, PartialEq)]
pub(crate) struct MethodLine {
    pub(crate) name: String,
    pub(crate) calls: i64,
    /// Codes of errors with how many there were, the most frequent first.
    pub(crate) errors: Vec<(String, i64)>,
    pub(crate) latencies: Latencies,
}

impl Summary {
    /// Of samples of one server, the oldest first; `None` without any.
    pub(crate) fn of(samples: &VecDeque<Arc<MetricsSample>>) -> Option<Self> {
        let (oldest, latest) = (samples.front()?, samples.back()?);
        let now = seconds(latest.sample_time);
        let ago = |sample: &MetricsSample| now - seconds(sample.sample_time);
        let running_for = (now - seconds(latest.start_time)).max(0.0);
        let has_past = ago(oldest) > 0.0;
        let recent = samples.iter().find(|sample| ago(sample) <= RECENT).filter(|_| has_past);
        let nothing = MetricsSample { sample_time: latest.start_time, ..MetricsSample::default() };
        let before = recent.map_or(&nothing, AsRef::as_ref);
        let rate = |count: fn(&MetricsSample) -> i64| rate(before, latest, count);
        let over_time = |count: fn(&MetricsSample) -> i64| {
            let pairs = samples.iter().zip(samples.iter().skip(1));
            pairs.map(|(one, next)| (ago(next), self::rate(one, next, count))).collect()
        };
        let mut latencies = Latencies::default();
        for figures in shops(latest) {
            latencies.add(figures.latency.as_ref(), 1);
        }
        if has_past {
            for figures in shops(oldest) {
                latencies.add(figures.latency.as_ref(), -1);
            }
        }
        let mut methods: Vec<MethodLine> = shops(latest).map(MethodLine::new).collect();
        methods.sort_by(|one, other| {
            other.calls.cmp(&one.calls).then_with(|| one.name.cmp(&other.name))
        });
        Some(Self {
            has_past,
            requests: rate(calls),
            errors: rate(errors),
            events: rate(|sample| sample.stored_event_count),
            request_rates: over_time(calls),
            event_rates: over_time(|sample| sample.stored_event_count),
            latencies,
            methods,
            running_for: Duration::try_from_secs_f64(running_for).unwrap_or_default(),
        })
    }
}

impl MethodLine {
    fn new(figures: &MethodFigures) -> Self {
        let mut errors: BTreeMap<&str, i64> = BTreeMap::new();
        for one in figures.codes.iter().filter(|one| one.code != "OK") {
            *errors.entry(&one.code).or_default() += one.count;
        }
        let errors = errors.into_iter().map(|(code, count)| (code.to_owned(), count));
        let mut errors: Vec<(String, i64)> = errors.collect();
        errors.sort_by_key(|(_, count)| -count);
        let mut latencies = Latencies::default();
        latencies.add(figures.latency.as_ref(), 1);
        let name = figures.method.strip_prefix("foreword.v1.").unwrap_or(&figures.method);
        let calls = figures.codes.iter().map(|one| one.count).sum();
        Self { name: name.to_owned(), calls, errors, latencies }
    }
}

impl Latencies {
    /// How many calls there are.
    pub(crate) fn count(&self) -> i64 {
        self.buckets.iter().map(|(_, count)| count).sum()
    }

    /// The upper bound of the bucket that holds a quantile, in seconds; `None` without calls.
    pub(crate) fn quantile(&self, quantile: f64) -> Option<f64> {
        let count = self.count();
        if count <= 0 {
            return None;
        }
        let rank = (quantile * count as f64).ceil().max(1.0) as i64;
        let mut below = 0;
        self.buckets.iter().find_map(|(bound, count)| {
            below += count;
            (below >= rank).then_some(*bound)
        })
    }

    /// Adds the counts of another, `sign` times. Those with other bounds are left out.
    fn add(&mut self, histogram: Option<&LatencyHistogram>, sign: i64) {
        let Some(histogram) = histogram else { return };
        let bounds = histogram.upper_bounds_seconds.iter().copied().chain([f64::INFINITY]);
        if self.buckets.is_empty() {
            self.buckets = bounds.clone().map(|bound| (bound, 0)).collect();
        }
        let is_same = bounds.eq(self.buckets.iter().map(|(bound, _)| *bound));
        if is_same && histogram.counts.len() == self.buckets.len() {
            for ((_, sum), count) in self.buckets.iter_mut().zip(&histogram.counts) {
                *sum = (*sum + sign * count).max(0);
            }
        }
    }
}

/// The methods that are not the console's own.
fn shops(sample: &MetricsSample) -> impl Iterator<Item = &MethodFigures> {
    sample.methods.iter().filter(|figures| !figures.method.starts_with(OWN))
}

fn calls(sample: &MetricsSample) -> i64 {
    shops(sample).flat_map(|figures| &figures.codes).map(|one| one.count).sum()
}

fn errors(sample: &MetricsSample) -> i64 {
    let codes = shops(sample).flat_map(|figures| &figures.codes);
    codes.filter(|one| one.code != "OK").map(|one| one.count).sum()
}

/// How often something happened a second between two samples.
fn rate(before: &MetricsSample, after: &MetricsSample, count: fn(&MetricsSample) -> i64) -> f64 {
    let time = seconds(after.sample_time) - seconds(before.sample_time);
    let happened = (count(after) - count(before)).max(0) as f64;
    if time > 0.0 { happened / time } else { 0.0 }
}

/// A time in seconds since 1970.
fn seconds(time: Option<Timestamp>) -> f64 {
    time.map_or(0.0, |time| time.seconds as f64 + f64::from(time.nanos) / 1e9)
}

#[cfg(test)]
mod tests {
    use api::v1::CodeCount;

    use super::*;

    const START: i64 = 1_800_000_000;

    /// A server that has answered so many calls well and so many not, and stored so many events.
    fn sample(second: i64, well: i64, badly: i64, events: i64) -> Arc<MetricsSample> {
        let time = |seconds| Some(Timestamp { seconds, nanos: 0 });
        let code = |code: &str, count| CodeCount { code: code.to_owned(), count };
        let latency = |counts: Vec<i64>| {
            Some(LatencyHistogram {
                upper_bounds_seconds: vec![0.001, 0.01],
                counts,
                sum_seconds: 0.0,
            })
        };
        let recommend = MethodFigures {
            method: "foreword.v1.RecommendationService/Recommend".to_owned(),
            codes: vec![code("OK", well), code("NOT_FOUND", badly)],
            latency: latency(vec![well, badly, 0]),
        };
        let own = MethodFigures {
            method: "foreword.v1.InsightService/ListStalls".to_owned(),
            codes: vec![code("OK", 1000)],
            latency: latency(vec![0, 0, 1000]),
        };
        Arc::new(MetricsSample {
            sample_time: time(START + second),
            start_time: time(START),
            methods: vec![own, recommend],
            stored_event_count: events,
            ..MetricsSample::default()
        })
    }

    #[test]
    fn one_sample_tells_what_was_since_the_start() {
        let summary = Summary::of(&[sample(100, 180, 20, 50)].into()).unwrap();
        assert!(!summary.has_past && summary.request_rates.is_empty());
        assert_eq!((summary.requests, summary.errors, summary.events), (2.0, 0.2, 0.5));
        assert_eq!(summary.latencies.count(), 200);
        assert_eq!(summary.running_for, Duration::from_secs(100));
        assert_eq!(Summary::of(&VecDeque::new()), None);
    }

    #[test]
    fn rates_are_of_the_last_seconds_and_latencies_of_all_that_is_seen() {
        let samples = [sample(0, 0, 0, 0), sample(20, 100, 0, 0), sample(30, 200, 10, 20)];
        let summary = Summary::of(&samples.into()).unwrap();
        assert!(summary.has_past);
        assert_eq!((summary.requests, summary.errors, summary.events), (11.0, 1.0, 2.0));
        assert_eq!(summary.request_rates, [(10.0, 5.0), (0.0, 11.0)]);
        assert_eq!(summary.event_rates, [(10.0, 0.0), (0.0, 2.0)]);
        assert_eq!(summary.latencies.buckets, [(0.001, 200), (0.01, 10), (f64::INFINITY, 0)]);
    }

    #[test]
    fn methods_are_told_without_the_consoles_own() {
        let summary = Summary::of(&[sample(1, 90, 10, 0)].into()).unwrap();
        assert_eq!(summary.methods.len(), 1);
        let line = &summary.methods[0];
        assert_eq!((line.name.as_str(), line.calls), ("RecommendationService/Recommend", 100));
        assert_eq!(line.errors, [("NOT_FOUND".to_owned(), 10)]);
        assert_eq!(line.latencies.quantile(0.5), Some(0.001));
        assert_eq!(line.latencies.quantile(0.99), Some(0.01));
        assert_eq!(Latencies::default().quantile(0.5), None);
    }
}
