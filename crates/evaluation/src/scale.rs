//! Scale: how the time and the memory of a fit grow with the catalogue, on synthetic shops.
//!
//! Every size is to be measured in a process of its own: the peak counts all memory of a
//! process, and an allocator keeps what another fit left.

mod plot;

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use recommender::learn::{LearnSettings, learn};
use recommender::watch::{Cancelled, Stage, Watch};
use recommender::{Interactions, ItemNumber, Model};
use serde::{Deserialize, Serialize};

use crate::load::Process;
use crate::memory::Peak;
use crate::synthetic::Synthetic;

pub use plot::svg;

/// One catalogue's fit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleRow {
    /// Items of the catalogue.
    pub items: usize,
    /// Users.
    pub users: usize,
    /// Interactions that were learnt from.
    pub interactions: usize,
    /// Threads of the rayon pool.
    pub threads: usize,
    /// Wall-clock time to make the shop; no part of the fit.
    pub generate_seconds: f64,
    /// Wall-clock time of the fit, from interactions in memory to a model.
    pub fit_seconds: f64,
    /// CPU time of the fit, on all threads: it tells on a busy machine what the fit costs on an
    /// idle one. `None` where the system does not tell.
    pub fit_cpu_seconds: Option<f64>,
    /// What the fit's wall-clock time went into, in order.
    pub stages: Vec<StageTime>,
    /// Time of the fit / items.
    pub microseconds_per_item: f64,
    /// Memory of the interactions alone, before anything is learnt.
    pub interactions_bytes: u64,
    /// The most memory that was resident at once during the fit: of the whole process, so with
    /// its code and the interactions. `None` where the system does not tell.
    pub peak_bytes: Option<u64>,
    /// The model as a file holds it, headers aside.
    pub snapshot_bytes: u64,
}

/// A part of a fit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageTime {
    /// What was done.
    pub stage: String,
    /// Wall-clock time.
    pub seconds: f64,
}

/// Makes a shop and fits the engine's model to it, on the current rayon pool. The model comes
/// back beside the row, for whoever measures it further.
///
/// `watch` is told a stage, how much of it is done, and how much there is; from any thread.
///
/// # Errors
///
/// [`Cancelled`] soon after `cancelled` becomes true.
pub fn measure(
    synthetic: &Synthetic,
    settings: &LearnSettings,
    watch: &(dyn Fn(&str, usize, usize) + Sync),
    cancelled: &AtomicBool,
) -> Result<(ScaleRow, Model), Cancelled> {
    let began = Instant::now();
    let interactions =
        synthetic.generate(&|done, total| watch("making a shop", done, total), cancelled)?;
    let generate_seconds = began.elapsed().as_secs_f64();
    let peak = Peak::start();
    let times = Times::start();
    let progress = |stage: Stage, done: usize, total: usize| {
        let name = format!("{stage:?}").to_lowercase();
        if done == 0 || done == total {
            times.turn_to(if done == 0 { &name } else { OTHER });
        }
        watch(&format!("fitting: {name}"), done, total);
    };
    let (began, cpu_before) = (Instant::now(), cpu_seconds());
    let model = fit(&interactions, settings, &Watch { cancelled, progress: &progress })?;
    let fit_seconds = began.elapsed().as_secs_f64();
    let fit_cpu_seconds = cpu_seconds().zip(cpu_before).map(|(after, before)| after - before);
    let peak_bytes = peak.bytes();
    let stages = times.end();
    let summary = model.summary().to_bytes();
    let snapshot_bytes: usize =
        model.sections(&summary).iter().map(|section| section.bytes.len()).sum();
    let entry_bytes = size_of::<u32>() + size_of::<f32>();
    let offset_bytes = size_of::<usize>() * (interactions.user_count() + 1);
    let row = ScaleRow {
        items: interactions.item_count(),
        users: interactions.user_count(),
        interactions: interactions.len(),
        threads: rayon::current_num_threads(),
        generate_seconds,
        fit_seconds,
        fit_cpu_seconds,
        stages,
        microseconds_per_item: fit_seconds * 1e6 / interactions.item_count().max(1) as f64,
        interactions_bytes: (interactions.len() * entry_bytes + offset_bytes) as u64,
        peak_bytes,
        snapshot_bytes: snapshot_bytes as u64,
    };
    Ok((row, model))
}

fn cpu_seconds() -> Option<f64> {
    Some(Process(std::process::id()).usage().ok()?.cpu.as_secs_f64())
}

/// What training does with a store's interactions.
fn fit(
    interactions: &Interactions,
    settings: &LearnSettings,
    watch: &Watch<'_>,
) -> Result<Model, Cancelled> {
    let learnt = learn(interactions, settings, watch)?;
    let numbers: Vec<ItemNumber> = (1..=interactions.item_count() as u32).map(ItemNumber).collect();
    Ok(Model::new(&numbers, interactions, learnt, vec![0.0; numbers.len()], 0))
}

/// What is done between the stages that a fit tells of.
const OTHER: &str = "other";

/// How long each stage took so far; one at a time.
struct Times(Mutex<Clock>);

struct Clock {
    stages: Vec<StageTime>,
    current: String,
    since: Instant,
}

impl Times {
    fn start() -> Self {
        let clock = Clock { stages: Vec::new(), current: OTHER.to_owned(), since: Instant::now() };
        Self(Mutex::new(clock))
    }

    /// The current stage ends here, and this one begins or goes on.
    fn turn_to(&self, stage: &str) {
        let mut clock = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let seconds = now.duration_since(clock.since).as_secs_f64();
        let Clock { stages, current, since } = &mut *clock;
        match stages.iter_mut().find(|known| known.stage == *current) {
            Some(known) => known.seconds += seconds,
            None => stages.push(StageTime { stage: current.clone(), seconds }),
        }
        *since = now;
        stage.clone_into(current);
    }

    fn end(self) -> Vec<StageTime> {
        self.turn_to(OTHER);
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).stages
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::small;

    #[test]
    fn a_small_shop_is_made_fitted_and_accounted_for() {
        let synthetic = Synthetic { items: 600, interactions: 20_000, seed: 7 };
        let measured = measure(&synthetic, &small(), &|_, _, _| {}, &AtomicBool::new(false));
        let (row, model) = measured.unwrap();
        assert_eq!(model.item_count(), 600);
        assert_eq!((row.items, row.users), (600, 400));
        assert_eq!(row.interactions_bytes, (row.interactions * 8 + 401 * 8) as u64);
        assert_eq!(row.microseconds_per_item, row.fit_seconds * 1e6 / 600.0);
        // 20 neighbours an item at most, of 8 bytes each, 32 factors of one, and 32 bytes an item.
        let most = 600 * (32 + 32 + 20 * 8) + 100;
        assert!(row.snapshot_bytes > 600 * 64 && row.snapshot_bytes <= most, "{row:?}");
        let seconds: f64 = row.stages.iter().map(|stage| stage.seconds).sum();
        assert!((seconds - row.fit_seconds).abs() < 0.1 * row.fit_seconds + 0.01, "{row:?}");
        let stages: Vec<&str> = row.stages.iter().map(|stage| stage.stage.as_str()).collect();
        assert_eq!(stages, ["other", "lowpass", "gram", "solve"]);
    }

    #[test]
    fn a_cancelled_measurement_stops() {
        let synthetic = Synthetic { items: 500, interactions: 20_000, seed: 7 };
        let cancelled = AtomicBool::new(true);
        let measured = measure(&synthetic, &small(), &|_, _, _| {}, &cancelled);
        assert_eq!(measured.err(), Some(Cancelled));
    }
}
