//! The good client: what an attack must not be felt by.
//!
//! Two connections that were open before are asked at a modest rate in an open loop, with
//! a [`Pulse`] beside them; and every half second a new connection is opened for one call.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::JoinHandle;
use std::time::Duration;

use evaluation::load::{
    Arrivals, Draw, Latencies, Measured, Outcome, Plan, Question, Questions, Target, run,
};
use serde::Serialize;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::Failure;
use crate::pulse::Pulse;

/// Calls per second on the two connections.
const PER_SECOND: f64 = 100.0;

/// A new connection is opened so often.
const NEWCOMER_EVERY: Duration = Duration::from_millis(500);

/// How long a call may take before it counts as failed.
const DEADLINE: Duration = Duration::from_secs(5);

/// Before the first call that counts, in which the attack begins.
pub(crate) const WARM_UP: Duration = Duration::from_millis(500);

/// How the good client fared.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Fared {
    pub(crate) ok: u64,
    pub(crate) failed: u64,
    /// New connections whose one call was answered.
    pub(crate) newcomers_ok: u64,
    pub(crate) newcomers_failed: u64,
    pub(crate) p99_ms: f64,
    /// The pulse's: how late the machine itself was.
    pub(crate) pulse_p99_ms: f64,
    /// The longest that a new connection and its call took.
    pub(crate) newcomer_max_ms: f64,
    /// The first few failures.
    pub(crate) examples: Vec<String>,
}

impl Fared {
    /// What the machine itself did not add.
    pub(crate) fn net_p99_ms(&self) -> f64 {
        (self.p99_ms - self.pulse_p99_ms).max(0.0)
    }
}

/// Makes a few calls, so that what is allocated once is allocated. Calls that the client could
/// not send in time do not matter here.
pub(crate) fn warm(target: &Target) -> Result<(), Failure> {
    let measured = call_for(target, Duration::from_millis(500))?;
    let wrong = measured.outcomes.wrong();
    if wrong > 0 { Err(format!("{wrong} calls failed before the attack").into()) } else { Ok(()) }
}

/// Calls for so long, after [`WARM_UP`].
pub(crate) fn fare(target: &Target, duration: Duration) -> Result<Fared, Failure> {
    let newcomers = newcomers(target.clone(), duration);
    let pulse = Pulse::start_after(WARM_UP);
    let measured = call_for(target, duration);
    let pulse = pulse.stop();
    let newcomers = newcomers.join().map_err(|_| "the thread of new connections panicked")??;
    let measured = measured?;
    let ms = |latencies: &Latencies, percent| latencies.percentile(percent).as_secs_f64() * 1e3;
    let mut examples = newcomers.examples;
    for (name, tally) in &measured.outcomes.0 {
        examples.extend(tally.examples.iter().map(|example| format!("{name}: {example}")));
    }
    Ok(Fared {
        ok: measured.outcomes.good(),
        failed: measured.outcomes.wrong() + measured.outcomes.unsent(),
        newcomers_ok: newcomers.latencies.count() - newcomers.failed,
        newcomers_failed: newcomers.failed,
        p99_ms: ms(&measured.outcomes.latency(), 99.0),
        pulse_p99_ms: ms(&pulse, 99.0),
        newcomer_max_ms: ms(&newcomers.latencies, 100.0),
        examples,
    })
}

fn call_for(target: &Target, duration: Duration) -> Result<Measured, Failure> {
    let mut plan = Plan::new(Arrivals::Constant { per_second: PER_SECOND });
    plan.connections = NonZeroUsize::MIN.saturating_add(1);
    plan.warm_up = WARM_UP;
    plan.duration = duration;
    plan.deadline = DEADLINE;
    let questions = Arc::new(questions());
    let ask = move |channel, number| {
        let questions = Arc::clone(&questions);
        async move { questions.ask(channel, number).await }
    };
    Ok(run(&plan, target, ask, &|_| {}, &Arc::new(AtomicBool::new(false)))?)
}

fn questions() -> Questions {
    Questions {
        question: Question::Tutorial,
        ids: 1..=1000,
        draw: Draw::Evenly,
        results_max: 10,
        seed: 4,
        deadline: DEADLINE,
        authorization: None,
        fallbacks: 0.into(),
    }
}

#[derive(Default)]
struct Newcomers {
    latencies: Latencies,
    failed: u64,
    examples: Vec<String>,
}

fn newcomers(target: Target, duration: Duration) -> JoinHandle<Result<Newcomers, String>> {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        Ok(runtime.block_on(come(&target, WARM_UP + duration)))
    })
}

/// One new connection after the other. One that has to wait does not keep the next from coming.
async fn come(target: &Target, duration: Duration) -> Newcomers {
    let end = Instant::now() + duration;
    let mut ticks = interval(NEWCOMER_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut under_way = tokio::task::JoinSet::new();
    while Instant::now() < end {
        ticks.tick().await;
        let target = target.clone();
        under_way.spawn(async move {
            let began = Instant::now();
            let outcome = ask_once(&target).await;
            (began.elapsed(), outcome)
        });
    }
    let mut newcomers = Newcomers::default();
    while let Some(ended) = under_way.join_next().await {
        let Ok((latency, outcome)) = ended else { continue };
        newcomers.latencies.record(latency);
        if let Err(why) = outcome {
            newcomers.failed += 1;
            newcomers.examples.push(format!("newcomer: {why}"));
        }
    }
    newcomers.examples.truncate(3);
    newcomers
}

async fn ask_once(target: &Target) -> Result<(), String> {
    let endpoint = crate::keys::endpoint(target).map_err(|error| error.to_string())?;
    let one = async {
        let channel = endpoint.connect_timeout(DEADLINE).connect().await;
        let channel = channel.map_err(|error| format!("{error:?}"))?;
        match questions().ask(channel, 0).await {
            Outcome::Good => Ok(()),
            other => Err(format!("{other:?}")),
        }
    };
    match tokio::time::timeout(DEADLINE, one).await {
        Ok(done) => done,
        Err(_) => Err("no answer in time".to_owned()),
    }
}
