//! Schedules and plans.

use std::time::Duration;

use evaluation::load::{Arrivals, Plan, PlanError};
use proptest::prelude::*;

use crate::shop::{plan, some};

fn due(arrivals: Arrivals, count: usize) -> Vec<Duration> {
    arrivals.schedule().unwrap().take(count).collect()
}

#[test]
fn constant_arrivals_have_equal_distances_however_long_it_takes() {
    let constant = due(Arrivals::Constant { per_second: 1000.0 }, 1_000_001);
    for (number, due) in (0..).zip(&constant) {
        assert_eq!(*due, Duration::from_millis(number));
    }
    assert_eq!(
        due(Arrivals::Constant { per_second: 0.5 }, 3),
        [Duration::ZERO, Duration::from_secs(2), Duration::from_secs(4)]
    );
}

#[test]
fn poisson_arrivals_have_the_mean_and_the_spread_of_exponential_distances() {
    let due = due(Arrivals::Poisson { per_second: 200.0, seed: 5 }, 100_000);
    let before = std::iter::once(&Duration::ZERO).chain(&due);
    let gaps: Vec<f64> = due.iter().zip(before).map(|(b, a)| (*b - *a).as_secs_f64()).collect();
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
    assert!((mean * 200.0 - 1.0).abs() < 0.01, "{mean}");
    // The standard deviation of an exponential distribution is its mean.
    assert!((variance.sqrt() / mean - 1.0).abs() < 0.02, "{variance}");
}

#[test]
fn a_seed_decides_a_poisson_schedule() {
    let of = |seed| due(Arrivals::Poisson { per_second: 100.0, seed }, 1000);
    assert_eq!(of(3), of(3));
    assert_ne!(of(3), of(4));
}

#[test]
fn a_closed_loop_has_no_schedule() {
    assert!(Arrivals::Closed { in_flight: some(3) }.schedule().is_none());
}

proptest! {
    #[test]
    fn a_schedule_never_goes_back(per_second in 1e-6..1e6_f64, seed: u64) {
        for arrivals in [Arrivals::Constant { per_second }, Arrivals::Poisson { per_second, seed }] {
            let due = due(arrivals, 1000);
            prop_assert!(due.is_sorted());
        }
    }
}

#[test]
fn a_plan_that_cannot_be_run_says_why() {
    let of = |change: fn(&mut Plan)| {
        let mut plan = plan(Arrivals::Constant { per_second: 10.0 }, 1000);
        change(&mut plan);
        plan.check()
    };
    assert_eq!(of(|_| {}), Ok(()));
    for rate in [0.0, -1.0, 2e6, f64::INFINITY] {
        let mut plan = plan(Arrivals::Constant { per_second: rate }, 1000);
        assert_eq!(plan.check(), Err(PlanError::Rate(rate)));
        plan.arrivals = Arrivals::Poisson { per_second: f64::NAN, seed: 1 };
        assert!(matches!(plan.check(), Err(PlanError::Rate(_))));
    }
    assert_eq!(of(|plan| plan.duration = Duration::ZERO), Err(PlanError::Length(Duration::ZERO)));
    assert_eq!(of(|plan| plan.warm_up = Duration::MAX), Err(PlanError::Length(Duration::MAX)));
    assert_eq!(of(|plan| plan.deadline = Duration::ZERO), Err(PlanError::Deadline(Duration::ZERO)));
    let narrow = of(|plan| {
        plan.arrivals = Arrivals::Closed { in_flight: some(7) };
        (plan.connections, plan.streams_per_connection) = (some(2), some(3));
    });
    assert_eq!(narrow, Err(PlanError::Room { in_flight: 7, connections: 2, streams: 3 }));
    assert_eq!(of(|plan| plan.threads = some(1_001)), Err(PlanError::Threads(1_001)));
    let vast = of(|plan| plan.connections = some(10_001));
    assert_eq!(vast, Err(PlanError::Size { connections: 10_001, streams: 100 }));
}
