//! One run: the connections, the requests, and everything that is noted beside them.
//!
//! Two clocks matter. A request's latency begins when it was *due*; its service time when it
//! was really sent. In a closed loop both are the same.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tonic::transport::Channel;

use crate::load::client::ConnectError;
use crate::load::course::Course;
use crate::load::plan::PlanError;
use crate::load::{
    Arrivals, Latencies, Outcome, Outcomes, Plan, Probe, Process, Target, closed, open,
};

/// How often the run looks up: for a cancellation, and to tell how far it is.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What was measured.
#[derive(Clone, Debug)]
pub struct Measured {
    /// How long was measured: the plan's duration, unless it was cancelled.
    pub duration: Duration,
    /// All requests that were due in that time, by how they ended. Their latency counts from
    /// the moment at which they were due.
    pub outcomes: Outcomes,
    /// From the moment at which a request was really sent.
    pub service_time: Latencies,
    /// How late the client itself was: from the moment at which a request was due and had a
    /// free stream, to the moment at which it was sent. Empty for a closed loop.
    pub send_lateness: Latencies,
    /// Requests that had to wait for a free stream and were sent then.
    pub waited: u64,
    /// Calls that ended during that time, and good ones among them.
    pub finished: Finished,
    /// How late a thread beside the run was woken.
    pub probe: Latencies,
    /// What the server's process took, if it is watched and lived to the end.
    pub server: Option<ServerUse>,
    /// CPU time of this whole process meanwhile, where the system tells.
    pub client_cpu: Option<Duration>,
    /// Whether it was cancelled before its end.
    pub stopped_early: bool,
}

/// Calls that ended while it was measured, whenever they began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Finished {
    /// All of them.
    pub all: u64,
    /// Those with a good answer.
    pub good: u64,
}

/// What a server's process took while it was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerUse {
    /// CPU time of all threads.
    pub cpu: Duration,
    /// Memory resident at the end.
    pub resident_bytes: u64,
    /// The most memory resident at once, since the process began.
    pub resident_peak_bytes: u64,
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The plan cannot be run.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The server cannot be reached.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The server's process cannot be watched.
    #[error("cannot watch process {process}: {source}")]
    Process {
        /// Its number.
        process: u32,
        /// What the system says.
        source: io::Error,
    },
    /// The client's threads cannot be started.
    #[error("cannot start the client's threads: {0}")]
    Threads(io::Error),
}

/// Runs a plan against a target and waits for its end; `call` makes the call of a number.
///
/// It blocks the thread that it is called on, and uses a runtime of its own. `watch` is told
/// now and then how much time has passed, warm-up included. Once `cancelled` is true, no
/// more requests are sent; what was measured up to then comes back. A call must not panic: it
/// would be missing from the figures.
///
/// # Errors
///
/// [`LoadError`], always before the first request.
///
/// ```no_run
/// use std::sync::Arc;
/// use evaluation::load::{Arrivals, Outcome, Plan, Target, run};
/// use tonic::transport::Channel;
///
/// let plan = Plan::new(Arrivals::Constant { per_second: 500.0 });
/// let call = move |channel: Channel, number: u64| async move {
///     let mut client = tonic::client::Grpc::new(channel);
///     match client.ready().await {
///         Ok(()) => Outcome::Good, // and here the call
///         Err(error) => Outcome::NoConnection(format!("request {number}: {error}")),
///     }
/// };
/// let measured =
///     run(&plan, &Target::plaintext("localhost:50051"), call, &|_| {}, &Arc::default())?;
/// assert_eq!(measured.outcomes.wrong(), 0);
/// # Ok::<(), evaluation::load::LoadError>(())
/// ```
pub fn run<C, A>(
    plan: &Plan,
    target: &Target,
    call: C,
    watch: &dyn Fn(Duration),
    cancelled: &Arc<AtomicBool>,
) -> Result<Measured, LoadError>
where
    C: Fn(Channel, u64) -> A + Send + Sync + 'static,
    A: Future<Output = Outcome> + Send + 'static,
{
    plan.check()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(plan.threads.get())
        .thread_name("load")
        // Requests come from the pacer's thread, from outside: they are looked for at every
        // turn rather than at every 61st, or they would be sent milliseconds late under load.
        .global_queue_interval(1)
        .enable_all()
        .build()
        .map_err(LoadError::Threads)?;
    let channels = runtime.block_on(target.connect(plan))?;
    let usage = |process: Process| {
        process.usage().map_err(|source| LoadError::Process { process: process.0, source })
    };
    target.process.map(usage).transpose()?;
    let course = Arc::new(Course::new(plan, channels, call, Arc::clone(cancelled)));
    let sending = Sending::start(&runtime, plan, &course).map_err(LoadError::Threads)?;
    let seen = look_on(&course, target.process, watch);
    let waited = sending.finish(&runtime);
    runtime.shutdown_background();
    let tally = course.tally();
    Ok(Measured {
        duration: seen.duration,
        outcomes: tally.outcomes,
        service_time: tally.service_time,
        send_lateness: tally.send_lateness,
        waited,
        finished: seen.finished,
        probe: seen.probe,
        server: seen.server,
        client_cpu: seen.client_cpu,
        stopped_early: seen.duration < plan.duration,
    })
}

/// Whoever sends the requests.
enum Sending {
    Open(JoinHandle<u64>),
    Closed(Vec<tokio::task::JoinHandle<()>>),
}

impl Sending {
    fn start<C, A>(runtime: &Runtime, plan: &Plan, course: &Arc<Course<C>>) -> io::Result<Self>
    where
        C: Fn(Channel, u64) -> A + Send + Sync + 'static,
        A: Future<Output = Outcome> + Send + 'static,
    {
        match plan.arrivals {
            Arrivals::Closed { in_flight } => {
                Ok(Self::Closed(closed::start(runtime, course, in_flight.get())))
            }
            Arrivals::Constant { .. } | Arrivals::Poisson { .. } => {
                open::start(runtime, course, plan).map(Self::Open)
            }
        }
    }

    /// Waits for the last answer; how many requests had to wait for a stream.
    fn finish(self, runtime: &Runtime) -> u64 {
        match self {
            Self::Open(thread) => thread.join().unwrap_or_default(),
            Self::Closed(clients) => {
                for client in clients {
                    // Fails only if the call panicked, and the panic was shown.
                    let _ = runtime.block_on(client);
                }
                0
            }
        }
    }
}

/// What is seen from beside.
struct Seen {
    duration: Duration,
    finished: Finished,
    probe: Latencies,
    server: Option<ServerUse>,
    client_cpu: Option<Duration>,
}

/// Waits for the end of the window and notes what the machine does within it.
fn look_on<C>(course: &Course<C>, process: Option<Process>, watch: &dyn Fn(Duration)) -> Seen {
    let window = course.window;
    wait_until(window.from, course, watch);
    let probe = Probe::start();
    let before = course.finished();
    let client = Process(std::process::id());
    let usage = || (process.and_then(|process| process.usage().ok()), client.usage().ok());
    let (server_before, client_before) = usage();
    wait_until(window.to, course, watch);
    let (after, to) = (course.finished(), Instant::now());
    let (server_after, client_after) = usage();
    // Nothing, if it was cancelled during the warm-up.
    let duration = to.min(window.to).saturating_duration_since(window.from);
    let client_cpu = client_before.zip(client_after);
    let client_cpu = client_cpu.map(|(before, after)| after.cpu.saturating_sub(before.cpu));
    let server = server_before.zip(server_after).map(|(before, after)| ServerUse {
        cpu: after.cpu.saturating_sub(before.cpu),
        resident_bytes: after.resident_bytes,
        resident_peak_bytes: after.resident_peak_bytes,
    });
    let finished = Finished { all: after.all - before.all, good: after.good - before.good };
    Seen { duration, finished, probe: probe.stop(), server, client_cpu }
}

/// Waits; a cancellation ends it.
fn wait_until<C>(moment: Instant, course: &Course<C>, watch: &dyn Fn(Duration)) {
    while !course.is_cancelled() {
        let now = Instant::now();
        watch(now - course.window.start);
        let left = moment.saturating_duration_since(now);
        if left.is_zero() {
            return;
        }
        #[expect(clippy::disallowed_methods, reason = "this thread is there to wait")]
        std::thread::sleep(left.min(LOOK_EVERY));
    }
}
