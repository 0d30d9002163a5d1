//! Users whose history is not in the server's memory, and as many more as it has room for.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use evaluation::load::paired::median;
use evaluation::load::{Arrivals, Draw, Plan, Question, Questions, Report, run};
use serde::Serialize;
use server::progress::Stages;

use super::{Bench, Kept};
use crate::command::bench::serving::Serving;
use crate::figures;

/// Requests before a round that do not count: connections, code and caches of the database.
const WARM_UP: Duration = Duration::from_secs(1);

/// Of a random process, a round can have more requests than its rate says.
const SPARE: u64 = 2;

/// Requests under way while histories are gathered, and for how long at a time.
const IN_FLIGHT: usize = 16;
const GATHERING: Duration = Duration::from_secs(2);

/// The memory of histories is full once such a part of it came to nothing within that time: it is
/// kept in parts, of which some are full before others.
const GROWTH_MIN: f64 = 0.005;

/// What cold users waited.
#[derive(Serialize)]
pub(super) struct Cold {
    pub(super) requests: u64,
    /// Histories that were read from the store, and those that were in memory all the same.
    pub(super) from_store: u64,
    pub(super) from_memory: u64,
    /// Answers without the user's history.
    pub(super) fallbacks: u64,
    /// Medians over the rounds.
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
    pub(super) p99_less_probe_us: f64,
    pub(super) probe_p99_us: f64,
    rounds: Vec<Report>,
}

impl Cold {
    pub(super) fn wrong_and_unsent(&self) -> u64 {
        self.rounds.iter().map(|round| round.wrong + round.unsent).sum()
    }
}

/// What the server holds of histories.
pub(super) fn history_bytes(serving: &Serving) -> Result<u64> {
    Ok(serving.metrics()?.value("foreword_history_cache_bytes") as u64)
}

impl Bench {
    /// So many users have been asked for when the cold rounds are over, at most.
    fn cold_users(&self) -> u64 {
        let seconds = (WARM_UP + self.arguments.duration).as_secs_f64();
        let a_round = (seconds * f64::from(self.arguments.rate)).ceil() as u64 * SPARE;
        a_round * u64::from(self.arguments.rounds)
    }

    fn questions(&self, users: u32, after: u64, plan: &Plan) -> Arc<Questions> {
        Arc::new(Questions {
            question: Question::Recommend,
            ids: 1..=users,
            draw: Draw::EachOnce { after },
            results_max: 10,
            seed: 7,
            deadline: plan.deadline,
            authorization: None,
            fallbacks: AtomicU64::new(0),
        })
    }

    /// Asks for each user once, at a rate that the server has no trouble with.
    pub(super) fn ask_cold(&self, serving: &Serving, kept: &Kept, users: u32) -> Result<Cold> {
        let needed = self.cold_users();
        ensure!(
            needed <= users.into(),
            "{} cannot all be cold in rounds that take up to {}; lower --rate, --for or --rounds",
            figures::counted(users.into(), "user"),
            figures::count(needed)
        );
        let rounds = self.arguments.rounds;
        let before = histories(serving)?;
        let (mut reports, mut fallbacks) = (Vec::new(), 0);
        let stages = Stages::new(&*self.progress);
        for round in 0..rounds {
            stages.at("asking for cold users", round.into(), rounds.into());
            // What was read for the users before may hold these as well.
            kept.put_out_of_memory();
            let arrivals = Arrivals::Poisson {
                per_second: self.arguments.rate.into(),
                seed: u64::from(round),
            };
            let duration = self.arguments.duration;
            let plan = Plan { duration, warm_up: WARM_UP, ..Plan::new(arrivals) };
            let after = needed / u64::from(rounds) * u64::from(round);
            let questions = self.questions(users, after, &plan);
            reports.push(self.ask(serving, &plan, &questions)?);
            fallbacks += questions.fallbacks.load(Ordering::Relaxed);
            if self.is_cancelled() {
                break;
            }
        }
        let after = histories(serving)?;
        let of = |figure: fn(&Report) -> f64| median(reports.iter().map(figure)).unwrap_or(0.0);
        Ok(Cold {
            requests: reports.iter().map(|report| report.requests).sum(),
            from_store: after.0.saturating_sub(before.0),
            from_memory: after.1.saturating_sub(before.1),
            fallbacks,
            p50_us: of(|report| report.latency.p50_us),
            p99_us: of(|report| report.latency.p99_us),
            p99_less_probe_us: of(|report| report.latency_less_probe.p99_us),
            probe_p99_us: of(|report| report.probe.p99_us),
            rounds: reports,
        })
    }

    /// Asks for more users until no more histories are kept, or there are no more users; how many
    /// those were.
    pub(super) fn ask_until_full(&self, serving: &Serving, users: u32) -> Result<u64> {
        let first = self.cold_users().min(users.into());
        let in_flight = NonZeroUsize::MIN.saturating_add(IN_FLIGHT - 1);
        let plan = Plan {
            warm_up: Duration::ZERO,
            duration: GATHERING,
            ..Plan::new(Arrivals::Closed { in_flight })
        };
        let stages = Stages::new(&*self.progress);
        let (mut asked, mut bytes) = (0, history_bytes(serving)?);
        let (room, left) = (self.settings.store.history_cache_bytes(), u64::from(users) - first);
        while asked < left && !self.is_cancelled() {
            stages.at("filling the memory of histories", bytes as usize, room);
            let questions = self.questions(users, first + asked, &plan);
            asked += self.ask(serving, &plan, &questions)?.requests;
            let now = history_bytes(serving)?;
            if now as f64 - (bytes as f64) < GROWTH_MIN * room as f64 {
                break;
            }
            bytes = now;
        }
        Ok(asked.min(left))
    }

    fn ask(&self, serving: &Serving, plan: &Plan, questions: &Arc<Questions>) -> Result<Report> {
        let asking = Arc::clone(questions);
        let ask = move |channel, number| {
            let questions = Arc::clone(&asking);
            async move { questions.ask(channel, number).await }
        };
        let measured = run(plan, &serving.target(), ask, &|_| {}, &self.cancelled)?;
        Ok(Report::from(&measured))
    }
}

/// How many histories came from the store so far, and how many from memory.
fn histories(serving: &Serving) -> Result<(u64, u64)> {
    let metrics = serving.metrics()?;
    let from = |name| metrics.value(&format!("foreword_histories_total{{from=\"{name}\"}}")) as u64;
    Ok((from("store"), from("memory")))
}
