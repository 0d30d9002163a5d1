//! Targets in turn.

use std::sync::{Arc, Mutex};

use evaluation::load::paired::{order, run_paired};
use evaluation::load::{Arrivals, Target};

use crate::shop::{Shop, ask, plan};

#[test]
fn every_second_round_goes_backwards() {
    let of = |targets, rounds| order(targets, rounds).collect::<Vec<_>>();
    assert_eq!(of(2, 3), [(0, 0), (0, 1), (1, 1), (1, 0), (2, 0), (2, 1)]);
    assert_eq!(of(3, 2), [(0, 0), (0, 1), (0, 2), (1, 2), (1, 1), (1, 0)]);
    assert_eq!(of(1, 2), [(0, 0), (1, 0)]);
    assert_eq!(of(0, 2), []);
}

#[test]
fn servers_are_asked_in_turn_and_each_round_has_a_ratio() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let start = |name: &'static str| {
        let log = Arc::clone(&log);
        Shop::start(move |_| {
            log.lock().unwrap().push(name);
            Box::pin(async { Ok(vec![1]) })
        })
    };
    let shops = [start("A"), start("B")];
    let targets: Vec<Target> = shops.iter().map(Shop::target).collect();
    let plan = plan(Arrivals::Constant { per_second: 200.0 }, 100);
    let places = Mutex::new(Vec::new());
    let watch = |place: evaluation::load::paired::Place| {
        places.lock().unwrap().push((place.runs_done, place.round, place.target));
    };
    let paired = run_paired(&plan, &targets, 3, &ask(), &watch, &Arc::default()).unwrap();
    let mut log = log.lock().unwrap().clone();
    log.dedup();
    assert_eq!(log, ["A", "B", "A", "B"]);
    let mut places = places.lock().unwrap().clone();
    places.dedup();
    assert_eq!(places, [(0, 0, 0), (1, 0, 1), (2, 1, 1), (3, 1, 0), (4, 2, 0), (5, 2, 1)]);
    for (target, shop) in paired.targets.iter().zip(&shops) {
        assert_eq!(target.address, shop.address.to_string());
        assert_eq!(target.rounds.len(), 3);
        assert!(target.rounds.iter().all(|report| report.requests == 20));
        let mut medians: Vec<f64> =
            target.rounds.iter().map(|report| report.latency.p50_us).collect();
        medians.sort_by(f64::total_cmp);
        assert_eq!(target.median.p50_us, medians[1]);
    }
    let [ratios] = &paired.ratios[..] else { panic!("one pair") };
    assert_eq!((&ratios.address, &ratios.to), (&targets[1].address, &targets[0].address));
    let p50 = ratios.p50.as_ref().unwrap();
    let of = |target: usize, round: usize| paired.targets[target].rounds[round].latency.p50_us;
    let expected: Vec<f64> = (0..3).map(|round| of(1, round) / of(0, round)).collect();
    assert_eq!(p50.rounds, expected);
    assert!(p50.min <= p50.median && p50.median <= p50.max);
    assert_eq!(paired.wrong_and_unsent().0, 0);
}
