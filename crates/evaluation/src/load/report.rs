//! The figures of one run, as a document for scripts.

use serde::Serialize;

use crate::load::{Latencies, Measured, Summary};

/// The figures of one run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// How long was measured.
    pub seconds: f64,
    /// Whether it was stopped before its end.
    pub stopped_early: bool,
    /// Requests that were due in that time.
    pub requests: u64,
    /// Those of them that were sent and did not end well.
    pub wrong: u64,
    /// Those of them that could not be sent before its end. In `latency` they count with the
    /// time that they had waited then, which is the least that it would have been.
    pub unsent: u64,
    /// Requests that were due while all streams were taken, and were sent later.
    pub waited: u64,
    /// Good answers per second of that time, whenever they were asked for.
    pub good_per_second: f64,
    /// From the moment at which a request was due to its end, however it ended.
    pub latency: Summary,
    /// The latency, less the probe's same figure: what is left without this machine's own
    /// lateness. A comparison of distributions, not of single requests.
    pub latency_less_probe: Summary,
    /// From the moment at which a request was sent to its end; `None` if none was sent.
    pub service_time: Option<Summary>,
    /// How late the client itself sent; `None` for a closed loop, or if none was sent.
    pub send_lateness: Option<Summary>,
    /// How late a thread beside the run was woken.
    pub probe: Summary,
    /// Requests by how they ended, by name.
    pub outcomes: Vec<OutcomeRow>,
    /// What the server's process took, if it is watched.
    pub server: Option<ServerRow>,
    /// Cores that this process itself kept busy, where the system tells. As many as the plan
    /// has threads, and the client is the limit.
    pub client_cpu_cores: Option<f64>,
}

/// Requests that ended in one way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OutcomeRow {
    /// A gRPC status, `wrong content`, `no connection` or `unsent`.
    pub outcome: String,
    /// How many.
    pub count: u64,
    /// Their latency.
    pub latency: Summary,
    /// The first few different messages.
    pub examples: Vec<String>,
}

/// What the server's process took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ServerRow {
    /// CPU time of all threads while it was measured, to one clock tick (10 ms).
    pub cpu_seconds: f64,
    /// The same in cores that were busy all the time.
    pub cpu_cores: f64,
    /// CPU time for each call that ended meanwhile; `None` if none did.
    pub cpu_us_per_request: Option<f64>,
    /// Memory resident at the end.
    pub resident_bytes: u64,
    /// The most memory resident at once, since the process began.
    pub resident_peak_bytes: u64,
}

impl From<&Measured> for Report {
    fn from(measured: &Measured) -> Self {
        let seconds = measured.duration.as_secs_f64();
        let per_second = |amount: f64| if seconds > 0.0 { amount / seconds } else { 0.0 };
        let latency = measured.outcomes.latency().summary();
        let probe = measured.probe.summary();
        let outcomes = measured.outcomes.0.iter().map(|(name, tally)| OutcomeRow {
            outcome: (*name).to_owned(),
            count: tally.latency.count(),
            latency: tally.latency.summary(),
            examples: tally.examples.clone(),
        });
        let all = measured.finished.all;
        let server = measured.server.map(|server| {
            let cpu = server.cpu.as_secs_f64();
            ServerRow {
                cpu_seconds: cpu,
                cpu_cores: per_second(cpu),
                cpu_us_per_request: (all > 0).then(|| cpu * 1e6 / all as f64),
                resident_bytes: server.resident_bytes,
                resident_peak_bytes: server.resident_peak_bytes,
            }
        });
        let known = |latencies: &Latencies| (latencies.count() > 0).then(|| latencies.summary());
        Self {
            seconds,
            stopped_early: measured.stopped_early,
            requests: measured.outcomes.count(),
            wrong: measured.outcomes.wrong(),
            unsent: measured.outcomes.unsent(),
            waited: measured.waited,
            good_per_second: per_second(measured.finished.good as f64),
            latency,
            latency_less_probe: latency.less(&probe),
            service_time: known(&measured.service_time),
            send_lateness: known(&measured.send_lateness),
            probe,
            outcomes: outcomes.collect(),
            server,
            client_cpu_cores: measured.client_cpu.map(|cpu| per_second(cpu.as_secs_f64())),
        }
    }
}
