//! Figures for the owner's metrics.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use unstall::{Executor, JobError, Lane, Observer, Settings, Shed, StallKind, WorkerState};

use crate::support::wall;
use crate::{compute_while, eventually, wait_for};

/// What an observer was shown.
#[derive(Default)]
struct Shown {
    stalls: HashMap<(String, StallKind), usize>,
    stalled_now: Vec<usize>,
    queue_delays: HashMap<Lane, usize>,
    workers: HashMap<(Lane, WorkerState), usize>,
    workers_added: usize,
    suppressed: u64,
    looks: usize,
    saturated: Duration,
    shed: Vec<(String, Shed)>,
    lanes: Vec<(String, Lane)>,
}

#[derive(Clone, Default)]
struct Figures(Arc<Mutex<Shown>>);

impl Figures {
    fn see<T>(&self, see: impl FnOnce(&mut Shown) -> T) -> T {
        see(&mut self.0.lock().unwrap())
    }

    fn workers(&self, state: WorkerState) -> usize {
        self.see(|shown| shown.workers.get(&(Lane::Express, state)).copied().unwrap_or_default())
    }
}

impl Observer for Figures {
    fn stall(&self, method: &str, kind: StallKind) {
        self.see(|shown| *shown.stalls.entry((method.to_owned(), kind)).or_default() += 1);
    }

    fn stalled_now(&self, polls: usize) {
        self.see(|shown| shown.stalled_now.push(polls));
    }

    fn queue_delay(&self, lane: Lane, _: Duration) {
        self.see(|shown| *shown.queue_delays.entry(lane).or_default() += 1);
    }

    fn workers(&self, lane: Lane, state: WorkerState, workers: usize) {
        self.see(|shown| shown.workers.insert((lane, state), workers));
    }

    fn workers_added(&self, lane: Lane, workers: usize) {
        self.see(|shown| shown.workers_added += usize::from(lane == Lane::Express) * workers);
    }

    fn suppressed(&self, reports: u64) {
        self.see(|shown| shown.suppressed += reports);
    }

    fn watchdog_lag(&self, _: Duration) {
        self.see(|shown| shown.looks += 1);
    }

    fn saturated(&self, time: Duration) {
        self.see(|shown| shown.saturated += time);
    }

    fn shed(&self, method: &str, reason: Shed) {
        self.see(|shown| shown.shed.push((method.to_owned(), reason)));
    }

    fn lane_changed(&self, method: &str, lane: Lane) {
        self.see(|shown| shown.lanes.push((method.to_owned(), lane)));
    }
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "stuck workers are not seen here")]
fn every_figure_is_shown_and_gauges_go_back() {
    let figures = Figures::default();
    let mut settings = Settings::for_cores(NonZeroUsize::new(2).unwrap());
    settings.workers_max = NonZeroUsize::new(16).unwrap();
    let executor = Executor::start(settings, figures.clone()).unwrap();
    let (held, wall) = wall();
    let wall = Arc::new(wall);
    let jobs: Vec<_> = (0..13)
        .map(|job| {
            let wall = Arc::clone(&wall);
            executor.spawn(["one", "two"][job % 2], async move { wall.block() })
        })
        .collect();
    wait_for(executor.block(|| {})).unwrap();
    // All workers but the reserve of three.
    eventually("all are stuck", || figures.workers(WorkerState::Stuck) == 13);
    eventually("all are stalls", || figures.see(|shown| shown.stalled_now.contains(&13)));
    eventually("that is saturation", || figures.see(|shown| !shown.saturated.is_zero()));
    eventually("others are free", || {
        wait_for(executor.spawn("other", async {})).unwrap();
        figures.workers(WorkerState::Free) > 0
    });
    assert_eq!(
        wait_for(executor.spawn("one", async {})),
        Err(JobError::Shed(Shed::Saturated)),
        "it is stuck already"
    );
    figures.see(|shown| {
        assert_eq!(shown.shed, [("one".to_owned(), Shed::Saturated)]);
        let of = |method: &str| shown.stalls.get(&(method.to_owned(), StallKind::Blocked));
        assert_eq!((of("one"), of("two")), (Some(&7), Some(&6)));
        assert!(shown.queue_delays[&Lane::Express] >= 14);
        assert_eq!(shown.queue_delays[&Lane::Blocking], 1);
        // Three were there; a fourteenth served the others.
        assert!((11..=13).contains(&shown.workers_added), "{}", shown.workers_added);
        assert!(shown.suppressed > 0);
        assert!(shown.looks > 0);
    });
    drop(held);
    for job in jobs {
        wait_for(job).unwrap();
    }
    eventually("none is stuck", || figures.workers(WorkerState::Stuck) == 0);
    eventually("none is stalled", || figures.see(|shown| shown.stalled_now.last() == Some(&0)));
    eventually("none is at work", || figures.workers(WorkerState::Working) == 0);
}

#[test]
fn a_method_is_shown_to_leave_its_lane_and_to_come_back() {
    let figures = Figures::default();
    let executor =
        Executor::start(Settings::for_cores(NonZeroUsize::new(2).unwrap()), figures.clone());
    let executor = executor.unwrap();
    let shown = || figures.see(|shown| shown.lanes.clone());
    let method = executor.method("Computes");
    eventually("it is caught", || {
        let watched = method.clone();
        let began = std::time::Instant::now();
        let job = executor.spawn_method(&method, async move {
            compute_while(|| {
                watched.lane() == Lane::Express && began.elapsed() < Duration::from_secs(1)
            });
        });
        wait_for(job).unwrap();
        !shown().is_empty()
    });
    eventually("it is sent back", || {
        wait_for(executor.spawn("keeps the watchdog awake", async {})).unwrap();
        shown().len() == 2
    });
    let name = || "Computes".to_owned();
    assert_eq!(shown(), [(name(), Lane::Slow), (name(), Lane::Express)]);
}
