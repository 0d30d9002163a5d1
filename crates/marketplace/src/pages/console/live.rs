//! What changes on the console: rates, latencies, queues, the model, and the servers.

use api::v1::{MetricsSample, Model, Replica, Stall};
use askama::Template;

use super::stalls;
use crate::chart::{self, Bar, Chart, Texts, number};
use crate::console::{Latencies, MethodLine, Moment, PAST, Summary};
use crate::language::{Words, fill};
use crate::shop::now;
use crate::view::{Table, age, duration, fallback, milliseconds, model_charts, moment, quality};

/// Stalls that are shown here; the others are on their own page.
const STALLS: usize = 5;

/// Methods that are shown.
const METHODS: usize = 50;

/// One moment.
#[derive(Template)]
#[template(path = "live.html")]
pub(super) struct Live {
    words: &'static Words,
    is_away: bool,
    /// What is known; nothing before the first figures.
    known: Option<Known>,
}

/// What is known of the service.
struct Known {
    moment: String,
    /// What is measured, and its value.
    figures: Vec<(String, String)>,
    charts: Vec<Chart>,
    methods: Table,
    queues: Table,
    fallbacks: Table,
    /// What is known of the model; nothing if there is none.
    model: Vec<(String, String)>,
    model_charts: Vec<Chart>,
    stalls: Table,
    replicas: Table,
}

impl Live {
    pub(super) fn new(moment: &Moment, words: &'static Words) -> Self {
        let known = Summary::of(&moment.samples)
            .zip(moment.samples.back())
            .map(|(summary, sample)| Known::new(moment, &summary, sample, words));
        Self { words, is_away: moment.is_away, known }
    }
}

impl Known {
    fn new(
        moment: &Moment,
        summary: &Summary,
        sample: &MetricsSample,
        words: &'static Words,
    ) -> Self {
        let texts = &words.console;
        let time = self::moment(sample.sample_time);
        let running = duration(summary.running_for, words);
        let models = moment.models.as_deref().map_or(&[][..], Vec::as_slice);
        let replicas = moment.replicas.as_deref().map_or(&[][..], Vec::as_slice);
        let stalls = moment.stalls.as_deref().map_or(&[][..], Vec::as_slice);
        Self {
            moment: fill(&texts.moment, &[("time", &time), ("duration", &running)]),
            figures: figures(summary, sample, words),
            charts: charts(summary, words),
            methods: methods(&summary.methods, words),
            queues: queues(sample, words),
            fallbacks: fallbacks(sample, words),
            model: sample.model.as_ref().map_or_else(Vec::new, |one| model(one, sample, words)),
            model_charts: model_charts(models, words),
            stalls: stalls_table(stalls, words),
            replicas: replicas_table(replicas, words),
        }
    }
}

fn figures(summary: &Summary, sample: &MetricsSample, words: &Words) -> Vec<(String, String)> {
    let texts = &words.console;
    let rate = |value: f64| match summary.has_past {
        true => number(value),
        false => fill(&texts.since_start, &[("value", &number(value))]),
    };
    let within = |share| latency(&summary.latencies, share, words);
    let figures = [
        (&texts.requests, rate(summary.requests)),
        (&texts.errors, rate(summary.errors)),
        (&texts.events, rate(summary.events)),
        (&texts.median, within(0.5)),
        (&texts.p99, within(0.99)),
        (&texts.open_calls, sample.open_call_count.to_string()),
        (&texts.stall_total, sample.stall_count.to_string()),
        (&texts.books, sample.book_count.to_string()),
    ];
    figures.map(|(name, value)| (name.clone(), value)).to_vec()
}

/// What a share of the calls took at most, in words; of the last bucket, which has no bound, what
/// it took at least.
fn latency(latencies: &Latencies, share: f64, words: &Words) -> String {
    match latencies.quantile(share) {
        None => words.console.none.clone(),
        Some(bound) if bound.is_finite() => milliseconds(bound, words),
        Some(_) => {
            let bounds = latencies.buckets.iter().map(|(bound, _)| *bound);
            let largest = bounds.filter(|bound| bound.is_finite()).fold(0.0, f64::max);
            fill(&words.console.over, &[("value", &milliseconds(largest, words))])
        }
    }
}

fn charts(summary: &Summary, words: &Words) -> Vec<Chart> {
    let texts = &words.console;
    let over_time = |id, title: &str, rates: &[(f64, f64)]| {
        let now = rates.last().map_or(0.0, |(_, rate)| *rate);
        let most = rates.iter().map(|(_, rate)| *rate).fold(0.0, f64::max);
        let values = [("now", &*number(now)), ("most", &*number(most))];
        let description = fill(&texts.chart_rate_text, &values);
        let (x, y) = (&*texts.axis_seconds, &*texts.axis_per_second);
        chart::line(Texts { id, title, description, x, y }, rates, PAST as f64)
    };
    let latencies = &summary.latencies;
    let bar = |(bound, count): &(f64, i64)| {
        let label = if bound.is_finite() { number(bound * 1000.0) } else { "∞".to_owned() };
        Bar { label, value: *count as f64 }
    };
    let bars: Vec<Bar> = latencies.buckets.iter().map(bar).collect();
    let count = latencies.count().to_string();
    let within = |share| latency(latencies, share, words);
    let (median, p99) = (within(0.5), within(0.99));
    let values = [("count", count.as_str()), ("median", &median), ("p99", &p99)];
    let description = fill(&texts.chart_latency_text, &values);
    let of_latencies = Texts {
        id: "chart-latency",
        title: &texts.chart_latency,
        description,
        x: &texts.axis_milliseconds,
        y: &texts.axis_calls,
    };
    vec![
        over_time("chart-requests", &texts.chart_requests, &summary.request_rates),
        chart::bars(of_latencies, &bars),
        over_time("chart-events", &texts.chart_events, &summary.event_rates),
    ]
}

fn methods(methods: &[MethodLine], words: &Words) -> Table {
    let texts = &words.console;
    let row = |line: &MethodLine| {
        let errors: Vec<String> =
            line.errors.iter().map(|(code, count)| format!("{code} {count}")).collect();
        let errors = if errors.is_empty() { "0".to_owned() } else { words.list(&errors) };
        let within = |share| latency(&line.latencies, share, words);
        vec![line.name.clone(), line.calls.to_string(), errors, within(0.5), within(0.99)]
    };
    let heads = [texts.method.as_str(), &texts.count, &texts.failed, &texts.median, &texts.p99];
    let rows = methods.iter().take(METHODS).map(row);
    Table::new(&texts.calls, &heads, rows, &texts.no_calls)
}

fn queues(sample: &MetricsSample, words: &Words) -> Table {
    let texts = &words.console;
    let rows = sample.queues.iter().map(|queue| {
        let full = queue.waiting_count as f64 / queue.capacity.max(1) as f64 * 100.0;
        let full = fill(&texts.percent, &[("value", &number(full))]);
        vec![queue.name.clone(), queue.waiting_count.to_string(), queue.capacity.to_string(), full]
    });
    let heads = [texts.queue.as_str(), &texts.waiting, &texts.capacity, &texts.fill];
    Table::new(&texts.queues, &heads, rows, &texts.unknown)
}

fn fallbacks(sample: &MetricsSample, words: &Words) -> Table {
    let texts = &words.console;
    let rows = sample.fallbacks.iter().filter(|one| one.count > 0).map(|one| {
        let why = fallback(one.fallback(), words).unwrap_or(&texts.fallback_other);
        vec![why.to_owned(), one.count.to_string()]
    });
    let heads = [texts.fallback.as_str(), &texts.times];
    Table::new(&texts.fallbacks, &heads, rows, &texts.no_fallbacks)
}

fn model(model: &Model, sample: &MetricsSample, words: &Words) -> Vec<(String, String)> {
    let texts = &words.console;
    let unknown = || texts.unknown.clone();
    let trained = model.train_time.map_or_else(unknown, |time| age(time, now(), words));
    let training = if sample.training { &texts.training_now } else { &texts.training_not };
    let mut told = vec![
        (texts.version.clone(), model.version.clone()),
        (texts.trained.clone(), trained),
        (texts.quality.clone(), quality(model, words)),
    ];
    if let Some(on) = &model.trained_on {
        let counts = [
            (&texts.users, on.user_count),
            (&texts.model_books, on.book_count),
            (&texts.interactions, on.interaction_count),
            (&texts.simulated, on.simulated_interaction_count),
            (&texts.weights, on.weight_count),
        ];
        told.extend(counts.map(|(name, count)| (name.clone(), count.to_string())));
    }
    let since = model.trained_on.as_ref().and_then(|on| on.event_changes_since);
    let news = sample.news_event_count.or(since);
    told.push((texts.news.clone(), news.map_or_else(unknown, |count| count.to_string())));
    told.push((texts.training.clone(), training.clone()));
    told
}

fn stalls_table(all: &[Stall], words: &Words) -> Table {
    stalls::table(&all[..all.len().min(STALLS)], words)
}

fn replicas_table(replicas: &[Replica], words: &Words) -> Table {
    let texts = &words.console;
    let rows = replicas.iter().map(|one| {
        let answering = if one.answering { &texts.yes } else { &texts.no };
        vec![one.name.clone(), one.address.clone(), moment(one.start_time), answering.clone()]
    });
    let heads = [texts.replica.as_str(), &texts.address, &texts.since, &texts.answering];
    Table::new(&texts.replicas, &heads, rows, &texts.no_replicas)
}
