//! What trainings cost callers: a service that trains again and again, and in turn has nothing to
//! learn, is asked the same.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use anyhow::Result;
use evaluation::load::paired::{Paired, Place, run_prepared};
use evaluation::load::{Arrivals, Draw, Plan, Question, Questions};
use evaluation::synthetic::Synthetic;
use serde::Serialize;
use server::progress::Stages;

use super::writer::Writer;
use super::{Bench, PATIENCE};
use crate::command::bench::serving::{Serving, Training};

/// Trains whenever there is the least news.
const AGAIN_AND_AGAIN: [&str; 6] = [
    "retrain.on=true",
    "retrain.quiet_ms=1",
    "retrain.soon_ms=1",
    "retrain.events_share=0.0",
    "retrain.pause_ms=1",
    "retrain.pause_ratio=0.0",
];

/// Events a second that give it the reason.
const REASONS_PER_SECOND: u32 = 10;

/// How long it may take until a training has begun.
const BEGINS_WITHIN: Duration = Duration::from_secs(3);

/// The names of the two that are compared.
const NAMES: [&str; 2] = ["without trainings", "with trainings"];

const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Both in turn.
#[derive(Serialize)]
pub(super) struct Beside {
    /// As much as it can answer.
    pub(super) all: Paired,
    /// Half as much.
    pub(super) half: Paired,
    /// How much that is.
    pub(super) half_per_second: f64,
    /// Trainings meanwhile that came to their end.
    pub(super) trainings: Vec<Training>,
}

impl Bench {
    /// Asks with and without trainings: all that it can answer, then half of that.
    pub(super) fn beside(&self, writer: &Writer) -> Result<Option<Beside>> {
        let again = AGAIN_AND_AGAIN.iter().flat_map(|one| ["--set".into(), OsString::from(one)]);
        let flags: Vec<OsString> = self.flags.iter().cloned().chain(again).collect();
        let serving = Serving::start(&self.data, &flags)?;
        let all = Arrivals::Closed { in_flight: self.arguments.in_flight };
        let Some(all) = self.paired(all, &serving, writer)? else { return Ok(None) };
        let per_second = (all.targets[0].median.good_per_second / 2.0).max(1.0);
        let half = Arrivals::Poisson { per_second, seed: self.arguments.seed };
        let Some(half) = self.paired(half, &serving, writer)? else { return Ok(None) };
        writer.events(0);
        let trainings = serving.trainings();
        Ok(Some(Beside { all, half, half_per_second: per_second, trainings }))
    }

    /// One plan with and without trainings, round by round.
    fn paired(
        &self,
        arrivals: Arrivals,
        serving: &Serving,
        writer: &Writer,
    ) -> Result<Option<Paired>> {
        let plan = Plan {
            connections: NonZeroUsize::MIN.saturating_add(3),
            duration: self.arguments.duration,
            ..Plan::new(arrivals)
        };
        plan.check()?;
        let target = serving.target();
        let targets = [target.clone(), target];
        let questions = Arc::new(self.questions(&plan));
        let ask = move |channel, number| {
            let questions = Arc::clone(&questions);
            async move { questions.ask(channel, number).await }
        };
        let rounds = self.arguments.rounds.get();
        let stages = Stages::new(&*self.progress);
        let watch = |place: Place| {
            let stage = format!("round {} of {rounds}: {}", place.round + 1, NAMES[place.target]);
            stages.at(&stage, place.runs_done, 2 * rounds);
        };
        let prepare = |target: usize| self.prepare(target, writer);
        let mut paired =
            run_prepared(&plan, &targets, rounds, &ask, &prepare, &watch, &self.cancelled)?;
        for (target, name) in paired.targets.iter_mut().zip(NAMES) {
            name.clone_into(&mut target.address);
        }
        for ratios in &mut paired.ratios {
            NAMES[0].clone_into(&mut ratios.to);
            NAMES[1].clone_into(&mut ratios.address);
        }
        Ok((!self.is_cancelled()).then_some(paired))
    }

    fn questions(&self, plan: &Plan) -> Questions {
        let synthetic = Synthetic {
            items: self.arguments.items,
            interactions: self.arguments.items * self.arguments.interactions_per_item,
            seed: self.arguments.seed,
        };
        Questions {
            question: Question::Recommend,
            ids: 1..=u32::try_from(synthetic.users()).unwrap_or(u32::MAX).max(1),
            draw: Draw::Evenly,
            results_max: 10,
            seed: self.arguments.seed,
            deadline: plan.deadline,
            authorization: None,
            fallbacks: AtomicU64::new(0),
        }
    }

    /// Lets the service train again and again, or learn what there is and rest.
    #[expect(clippy::disallowed_methods, reason = "this thread is there to wait")]
    fn prepare(&self, target: usize, writer: &Writer) {
        let began = Instant::now();
        writer.events(if target == 0 { 0 } else { REASONS_PER_SECOND });
        loop {
            let is_ready = match target {
                // A failure shows where the writer ends.
                0 => writer.is_learnt().unwrap_or(true) || began.elapsed() > PATIENCE,
                _ => began.elapsed() > BEGINS_WITHIN,
            };
            if is_ready || self.is_cancelled() {
                return;
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }
}
