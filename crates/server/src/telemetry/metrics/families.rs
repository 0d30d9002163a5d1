//! Every family of metrics: its name, its kind, its labels, and what an operator makes of it.

use std::fmt::Write as _;

/// What a metric counts or measures, with its labels.
#[derive(Debug, PartialEq, Eq)]
pub struct Family {
    /// Its name with the unit; a counter's without `_total`.
    pub name: &'static str,
    /// How it behaves.
    pub kind: Kind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it says.
    pub meaning: &'static str,
    /// What to do when it rises; empty if that says nothing by itself.
    pub rises: &'static str,
}

/// How a metric behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows, from 0 at the start.
    Counter,
    /// It goes up and down.
    Gauge,
    /// How often a time was within each bound.
    Histogram,
    /// Always 1; the labels say it.
    Info,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Info => "info",
        }
    }
}

impl Family {
    /// Its name as it is queried.
    #[must_use]
    pub fn queried_name(&self) -> String {
        match self.kind {
            Kind::Counter => format!("{}_total", self.name),
            Kind::Info => format!("{}_info", self.name),
            Kind::Gauge | Kind::Histogram => self.name.to_owned(),
        }
    }
}

macro_rules! families {
    ($($constant:ident: $kind:ident $name:literal [$($label:literal),*] $meaning:literal $(=> $rises:literal)?;)*) => {
        $(pub(super) const $constant: Family = Family {
            name: $name,
            kind: Kind::$kind,
            labels: &[$($label),*],
            meaning: $meaning,
            rises: concat!($($rises)?),
        };)*

        /// All of them, in the order of the page.
        const FAMILIES: &[&Family] = &[$(&$constant),*];
    };
}

/// All of them, in the order of the page.
#[must_use]
pub fn families() -> &'static [&'static Family] {
    FAMILIES
}

families! {
    CALLS: Histogram "rpc_server_call_duration_seconds"
        ["rpc_system_name", "rpc_method", "rpc_response_status_code", "error_type"]
        "Calls by method and status, and how long each took until its last message"
        => "The p99 of one method: look at /debug/stalls for it, then at foreword_executor_queue_delay_seconds. \
            With an error_type: the log of the same time has the cause.";
    CALLS_OPEN: Gauge "foreword_calls_open" ["rpc_method"]
        "Calls that have come and are not over"
        => "Towards limits.open_calls_max: handlers wait for something; /debug/stalls says what blocks.";
    REFUSALS: Counter "foreword_calls_refused" ["layer", "reason"]
        "Calls that were refused before they reached a handler"
        => "authentication: somebody tries credentials, or a client has old ones. rate_limit: a client calls more than \
            limits.calls_per_second. load_shed: the service is full.";
    STALLS: Counter "foreword_stalls" ["rpc_method", "kind"]
        "Handlers that held their thread for longer than executor.report_after_ms"
        => "blocked: the handler waits without awaiting. busy: it computes. /debug/stalls has the stacks.";
    STALLED: Gauge "foreword_stalled" []
        "Handlers that hold their thread just now for longer than executor.report_after_ms"
        => "Staying above 0: a dependency hangs; /debug/stalls names it. Other calls go on meanwhile.";
    STALL_REPORTS_SUPPRESSED: Counter "foreword_stall_reports_suppressed" []
        "Reports of stalls that were left out, since there were too many";
    QUEUE_DELAY: Histogram "foreword_executor_queue_delay_seconds" ["lane"]
        "How long new calls waited for a worker"
        => "Of the express lane above a millisecond: too little CPU, or workers stuck faster than they are added.";
    WORKERS: Gauge "foreword_executor_workers" ["lane", "state"]
        "Workers by what they are doing"
        => "stuck towards executor.workers_max: see foreword_stalled.";
    WORKERS_ADDED: Counter "foreword_executor_workers_added" ["lane"]
        "Workers that were added because others were stuck or slow";
    SHED: Counter "foreword_executor_shed" ["rpc_method", "reason"]
        "Calls that the executor refused so that others can be served"
        => "method_stuck or saturated: a dependency of that method hangs. queue_full or jobs_full: too little CPU for \
            the load, or executor.queue_len_max and executor.jobs_max are too low.";
    WATCHDOG_LAG: Histogram "foreword_executor_watchdog_lag_seconds" []
        "How much later than planned the watchdog woke"
        => "The machine, or the container's CPU quota, has no CPU to give.";
    SATURATED: Counter "foreword_executor_saturated_seconds" []
        "Time in which all workers but the reserve were stuck"
        => "Calls of the stuck methods are refused meanwhile: mend what they wait for.";
    CONNECTIONS: Gauge "foreword_connections_open" []
        "Open connections"
        => "Towards transport.connections_max: then idle ones have to make room.";
    CONNECTIONS_ACCEPTED: Counter "foreword_connections_accepted" []
        "Connections that were accepted";
    CONNECTIONS_ENDED: Counter "foreword_connections_ended" ["reason"]
        "Connections that ended, by reason"
        => "flood, header_timeout, preface_timeout, reader_timeout: a bad client or an attack. displaced, no_room: \
            transport.connections_max is reached. handshake_failed: a client does not trust the certificate, or has none.";
    STREAMS: Gauge "foreword_streams_open" [] "Open streams of all connections";
    UNFINISHED: Gauge "foreword_unfinished_messages_bytes" []
        "Bytes of messages that have begun and not ended"
        => "Towards transport.unfinished_bytes_max: clients send slowly, or somebody holds messages back on purpose.";
    CERTIFICATE_EXPIRES: Gauge "foreword_certificate_expires_seconds" []
        "When the certificate ceases to be valid, in seconds since 1970; absent without TLS"
        => "It should rise well before that time: alert if it does not, as the rules in `deploy/` do.";
    MODEL_VERSION: Gauge "foreword_model_version" [] "Version of the model being served; absent without one";
    MODEL_AGE: Gauge "foreword_model_age_seconds" []
        "Time since the model being served was trained; absent without one"
        => "Nothing has changed since, trainings fail (foreword_trainings_total), or their models are refused \
            (foreword_renewals_failed_total).";
    MODEL_INTERACTIONS: Gauge "foreword_model_interactions" ["origin"]
        "Pairs of a reader and a book they like that the model was learnt from";
    MODEL_SIMULATED: Gauge "foreword_model_simulated" []
        "1 if the model was learnt from simulated readers, else 0";
    TRAININGS: Counter "foreword_trainings" ["outcome"]
        "Trainings by this service while it serves, by how they ended"
        => "failed: the log says why. The model before goes on serving, and it is tried again. busy: another process \
            was training, so that this one was left for later.";
    TRAINING: Gauge "foreword_training_under_way" [] "1 while this service trains, else 0";
    TRAINING_SECONDS: Gauge "foreword_training_seconds" []
        "How long the last training by this service took; absent before the first"
        => "A training gets only what nobody else wants of the CPU: the more is asked, the longer it takes.";
    TRAINING_PEAK: Gauge "foreword_training_peak_bytes" []
        "The most memory that the process of the last training had at once; absent before the first"
        => "foreword serve trains in a process of its own: this comes on top of process_resident_memory_bytes while \
            foreword_training_under_way is 1, and a limit on memory has to have room for both.";
    CHANGES_NOT_LEARNT: Gauge "foreword_changes_not_learnt" ["kind"]
        "What the latest model was not trained on: events stored, retracted or deleted since, and books that the \
            active one does not know"
        => "Growing while foreword_trainings_total does not: retrain.on is false, another process trains and does not \
            come to an end, or trainings fail.";
    BOOKS: Gauge "foreword_books" [] "Books being served";
    RULES: Gauge "foreword_rules" [] "Rules of the shop that hold now";
    FALLBACKS: Counter "foreword_fallbacks" ["reason"]
        "Answers with popular books instead of what was asked for"
        => "store_unavailable: the database cannot be read. no_model: train one. unknown_user: new readers, or a shop \
            that sends other ids than it imports.";
    EVENTS: Counter "foreword_events" ["kind", "result"]
        "Events, impressions and retractions that clients told, by what became of each"
        => "refused: the store cannot be written to, or events come faster than it writes. invalid or conflicting: a \
            client has a defect.";
    EVENTS_WAITING: Gauge "foreword_events_waiting" []
        "Events that wait in the queue to be written"
        => "Towards events.queue_entries_max: they come faster than the store writes. Streams wait then, and calls \
            are refused.";
    EVENTS_WAITING_FOR_ROOM: Gauge "foreword_events_waiting_for_room" []
        "Events of streams that wait for room in the queue"
        => "Towards events.waiting_entries_max: streams that tell more are refused (EVENTS_WAITING_LIMIT). The store \
            is too slow for what comes, or stands still: see foreword_event_commit_seconds.";
    EVENT_GROUPS: Counter "foreword_event_groups" []
        "Groups of events that were written, each with one commit";
    EVENT_GROUP_ENTRIES: Counter "foreword_event_group_entries" []
        "Events in these groups";
    EVENT_GROUPS_FAILED: Counter "foreword_event_groups_failed" []
        "Groups of events that could not be written"
        => "The disk is full or fails, the database is away, or another process writes for long; the log says which.";
    EVENT_COMMITS: Histogram "foreword_event_commit_seconds" []
        "How long writing a group took, its commit included"
        => "The disk syncs slowly, or others write as well.";
    STORE_WRITABLE: Gauge "foreword_store_writable" []
        "1 if the store could be written to when it was last tried, else 0"
        => "At 0 events are refused: see foreword_event_groups_failed_total.";
    HISTORIES: Counter "foreword_histories" ["from"]
        "Histories of readers, by where they came from"
        => "store in proportion to memory: store.history_cache_mib is small for the readers who come. old_memory, \
            nowhere: the store cannot be read.";
    HISTORY_BYTES: Gauge "foreword_history_cache_bytes" [] "Memory of histories, up to store.history_cache_mib";
    STORE_REACHABLE: Gauge "foreword_store_reachable" []
        "1 if the store could be read at the last look, else 0"
        => "At 0 answers come from memory, and are marked stale: the database is away.";
    STORE_LAG: Gauge "foreword_store_lag_seconds" []
        "Time since the last look at what other processes stored"
        => "Above a second answers are marked stale: the database is away or slow.";
    RENEWALS_FAILED: Counter "foreword_renewals_failed" []
        "Times that a new model, changed books or changed rules could not be brought in"
        => "The log says why. What was before goes on serving. A model that is refused counts at every look as \
            long as it is active: train, or activate another.";
    LOG_LINES_LOST: Counter "foreword_log_lines_lost" []
        "Lines of the log that were left out because standard error takes no more"
        => "What reads the log is too slow, or log.levels says too much.";
    LOG_CALLS_LEFT_OUT: Counter "foreword_log_calls_left_out" []
        "Failed calls without a line in the log, since there were more than 100 in a second"
        => "Many calls fail: rpc_server_call_duration_seconds has an error_type for all of them.";
    TRACE_EXPORTS_FAILED: Counter "foreword_trace_exports_failed" []
        "Batches of spans that the collector did not take"
        => "The collector at traces.otlp_endpoint is away or refuses; the log says why.";
    TRACE_SPANS_REFUSED: Counter "foreword_trace_spans_refused" []
        "Calls that were not recorded although their callers recorded theirs, since there were more than 100 in a second"
        => "Callers send a traceparent that says sampled with nearly every call: they should sample fewer, or \
            somebody does it on purpose.";
    CPU: Counter "process_cpu_seconds" [] "CPU time of the process, by user and system";
    RESIDENT: Gauge "process_resident_memory_bytes" [] "Memory of the process that is in RAM";
    DESCRIPTORS: Gauge "process_open_fds" []
        "Open file descriptors"
        => "Towards process_max_fds: raise ulimit -n or LimitNOFILE=.";
    DESCRIPTORS_MAX: Gauge "process_max_fds" [] "The most file descriptors that may be open";
    STARTED: Gauge "process_start_time_seconds" [] "When the process started, in seconds since 1970";
    BUILD: Info "foreword_build" ["version", "target"] "What is running";
}

/// The page for people: `docs/metrics.md`.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::from(INTRODUCTION);
    for family in FAMILIES {
        let labels = family.labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>();
        let (name, kind) = (family.queried_name(), family.kind.name());
        let (labels, meaning) = (labels.join(", "), family.meaning);
        let _ = writeln!(text, "| `{name}` | {kind} | {labels} | {meaning}. |");
    }
    text.push_str("\n## What to do when they rise\n\n| name | what it tells |\n| --- | --- |\n");
    for family in FAMILIES.iter().filter(|family| !family.rises.is_empty()) {
        let _ = writeln!(text, "| `{}` | {} |", family.queried_name(), family.rises);
    }
    text
}

const INTRODUCTION: &str = "\
<!-- Made from the code: UPDATE_DOCS=1 cargo test -p server --test it metrics:: -->

# Metrics

Served at `/metrics` of the admin port (`admin.listen`), as OpenMetrics where `Accept` asks for
it, else in Prometheus' text format. Calls are named by OpenTelemetry's semantic conventions for
RPC. Labels take values of fixed lists only: methods that are not served are `_OTHER`, and no user,
request, address or credential is ever a label.

| name | type | labels | meaning |
| --- | --- | --- | --- |
";
