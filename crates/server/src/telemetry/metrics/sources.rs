//! Figures that others keep, read when somebody asks.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use transport::tls::Tls;
use transport::{Ending, Figures, Monitor};

use super::families::{
    BOOKS, CERTIFICATE_EXPIRES, CONNECTIONS, CONNECTIONS_ACCEPTED, CONNECTIONS_ENDED,
    EVENT_COMMITS, EVENT_GROUP_ENTRIES, EVENT_GROUPS, EVENT_GROUPS_FAILED, EVENTS, EVENTS_WAITING,
    EVENTS_WAITING_FOR_ROOM, FALLBACKS, HISTORIES, HISTORY_BYTES, LOG_CALLS_LEFT_OUT,
    LOG_LINES_LOST, MODEL_AGE, MODEL_INTERACTIONS, MODEL_SIMULATED, MODEL_VERSION, RENEWALS_FAILED,
    RULES, STORE_LAG, STORE_REACHABLE, STORE_WRITABLE, STREAMS, TRACE_EXPORTS_FAILED,
    TRACE_SPANS_REFUSED, UNFINISHED,
};
use super::page::Page;
use crate::histories::figures::FoundIn;
use crate::ingest::Ingest;
use crate::recommend::{Fallback, Recommender};
use crate::telemetry::log;
use crate::telemetry::traces::Traces;

/// Where figures are read.
#[derive(Debug)]
pub struct Sources {
    /// The connections.
    pub monitor: Monitor,
    /// What answers, and what it answers from.
    pub recommender: Arc<Recommender>,
    /// What writes events.
    pub ingest: Arc<Ingest>,
    /// The certificate, if there is one.
    pub tls: Option<Tls>,
    /// Where spans go.
    pub traces: Traces,
}

impl Sources {
    pub(super) fn write(&self, page: &mut Page<'_>) -> fmt::Result {
        self.write_connections(page)?;
        self.write_model(page)?;
        self.write_events(page)?;
        self.write_histories(page)?;
        let fallbacks = self.recommender.fallbacks();
        let fallbacks = Fallback::ALL.iter().map(|one| ([one.name()], fallbacks.count_of(*one)));
        page.counters(&FALLBACKS, fallbacks)?;
        page.counter(&RENEWALS_FAILED, self.recommender.live().renewals_failed())?;
        page.counter(&LOG_LINES_LOST, log::lines_lost())?;
        page.counter(&LOG_CALLS_LEFT_OUT, log::FAILED_CALLS.refused())?;
        page.counter(&TRACE_EXPORTS_FAILED, self.traces.exports_failed())?;
        page.counter(&TRACE_SPANS_REFUSED, self.traces.spans_refused())
    }

    fn write_connections(&self, page: &mut Page<'_>) -> fmt::Result {
        let Figures { connections, streams, accepted, unfinished_bytes } = self.monitor.figures();
        page.gauge(&CONNECTIONS, connections as f64)?;
        page.counter(&CONNECTIONS_ACCEPTED, accepted)?;
        let ended = Ending::ALL.iter().map(|one| ([one.name()], self.monitor.ended(*one)));
        page.counters(&CONNECTIONS_ENDED, ended)?;
        page.gauge(&STREAMS, streams as f64)?;
        page.gauge(&UNFINISHED, unfinished_bytes as f64)?;
        let expires = self.tls.as_ref().map(|tls| ([], seconds_since_1970(tls.expires())));
        page.gauges(&CERTIFICATE_EXPIRES, expires)
    }

    fn write_events(&self, page: &mut Page<'_>) -> fmt::Result {
        let figures = self.ingest.figures();
        page.counters(&EVENTS, figures.entries())?;
        page.gauge(&EVENTS_WAITING, self.ingest.waiting() as f64)?;
        page.gauge(&EVENTS_WAITING_FOR_ROOM, self.ingest.waiting_for_room() as f64)?;
        page.counter(&EVENT_GROUPS, figures.groups())?;
        page.counter(&EVENT_GROUP_ENTRIES, figures.group_entries())?;
        page.counter(&EVENT_GROUPS_FAILED, figures.groups_failed())?;
        page.histograms(&EVENT_COMMITS, [([], figures.commits())])?;
        page.gauge(&STORE_WRITABLE, flag(self.ingest.is_writable()))
    }

    fn write_histories(&self, page: &mut Page<'_>) -> fmt::Result {
        let histories = self.recommender.histories();
        let figures = histories.figures();
        let found = FoundIn::ALL.iter().map(|one| ([one.name()], figures.count_of(*one)));
        page.counters(&HISTORIES, found)?;
        page.gauge(&HISTORY_BYTES, histories.bytes() as f64)?;
        page.gauge(&STORE_REACHABLE, flag(!histories.reach().is_away()))?;
        page.gauge(&STORE_LAG, histories.reach().lag().as_secs_f64())
    }

    fn write_model(&self, page: &mut Page<'_>) -> fmt::Result {
        let live = self.recommender.live();
        let generation = live.generation();
        let model = generation.model();
        let version = model.map(|model| ([], model.version.0 as f64));
        page.gauges(&MODEL_VERSION, version)?;
        let age = live.model_written().and_then(|written| written.elapsed().ok());
        page.gauges(&MODEL_AGE, age.map(|age| ([], age.as_secs_f64())))?;
        let learnt = model.into_iter().flat_map(|model| {
            let summary = model.model.summary();
            let simulated = summary.simulated_interactions;
            let real = summary.interactions.saturating_sub(simulated);
            [(["real"], real as f64), (["simulated"], simulated as f64)]
        });
        page.gauges(&MODEL_INTERACTIONS, learnt)?;
        let simulated = model.map(|model| ([], f64::from(u8::from(model.model.is_simulated()))));
        page.gauges(&MODEL_SIMULATED, simulated)?;
        page.gauge(&BOOKS, generation.book_count() as f64)?;
        page.gauge(&RULES, live.serving().rules().in_force() as f64)
    }
}

fn flag(is_so: bool) -> f64 {
    f64::from(u8::from(is_so))
}

fn seconds_since_1970(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
