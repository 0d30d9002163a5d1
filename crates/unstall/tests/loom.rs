//! Every interleaving of the users of a lane and of a mailbox, within bounds: no job lost, none
//! run twice, no worker asleep beside a job, no letter left beside a loop that sleeps, everybody
//! gone at the end.
//!
//! Both are compiled a second time with loom's locks in place of std's.
#![allow(dead_code, reason = "the lane's figures are not asked for here")]

#[path = "../src/executor/lane.rs"]
mod lane;
#[path = "loom/letters.rs"]
mod letters;
#[path = "../src/mailbox.rs"]
mod mailbox;

mod sync {
    use std::time::Duration;

    pub(crate) use loom::sync::atomic::{AtomicBool, Ordering};
    pub(crate) use loom::sync::{Arc, Condvar, Mutex, MutexGuard};

    pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().expect("a model that panics has failed already")
    }

    /// Patience is endless here: loom knows no time.
    pub(crate) fn wait<'a, T>(
        condvar: &Condvar,
        guard: MutexGuard<'a, T>,
        _patience: Option<Duration>,
    ) -> (MutexGuard<'a, T>, bool) {
        (condvar.wait(guard).expect("a model that panics has failed already"), false)
    }
}

use std::time::Duration;

use lane::{Age, Lane, Limits, Next, Parking, Summons};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread::{self, JoinHandle};

/// What a worker of the model is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// Count it.
    Work,
    /// Count it and go home, so that the model ends only if every order finds a worker.
    GoHome,
}

/// A lane whose workers count their work.
#[derive(Clone)]
struct Crew(Arc<Inner>);

struct Inner {
    lane: Lane<Order>,
    worked: AtomicUsize,
}

impl Crew {
    fn new(base: usize, on_demand: usize) -> Self {
        let limits = Limits {
            queue_len_max: 8,
            workers_base: base,
            workers_on_demand: on_demand,
            keep_alive: Duration::ZERO,
        };
        Self(Arc::new(Inner { lane: Lane::new(limits, usize::MAX), worked: AtomicUsize::new(0) }))
    }

    fn push(&self, order: Order) {
        let summons = self.0.lane.push(order, Age::New).expect("it is open and has room");
        self.follow(summons);
    }

    fn follow(&self, summons: Summons) {
        match summons {
            Summons::Parked(parking) => parking.wake(),
            Summons::Thread => drop(self.start()),
            Summons::Nobody | Summons::AllAtWork => {}
        }
    }

    fn start(&self) -> JoinHandle<()> {
        let crew = self.clone();
        thread::spawn(move || crew.work())
    }

    fn work(&self) {
        let parking = Arc::new(Parking::default());
        let mut arriving = true;
        loop {
            let arrived = std::mem::take(&mut arriving);
            let order = match self.0.lane.next(&parking, arrived, || true, || false) {
                Next::Job(order, summons) => {
                    self.follow(summons);
                    order
                }
                Next::Last(order) => order,
                Next::Leave(summons) => return self.follow(summons),
                Next::Moved => unreachable!("nobody is moved in this model"),
                Next::Owing => unreachable!("nothing is owed in this model"),
            };
            self.0.worked.fetch_add(1, Ordering::Relaxed);
            if order == Order::GoHome {
                return;
            }
        }
    }

    fn worked(&self) -> usize {
        self.0.worked.load(Ordering::Relaxed)
    }
}

fn model(run: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(4);
    model.check(run);
}

#[test]
fn every_job_finds_a_worker_even_if_all_are_about_to_park() {
    model(|| {
        let crew = Crew::new(2, 2);
        assert_eq!(crew.0.lane.grow(2, 2), 2);
        let workers = [crew.start(), crew.start()];
        crew.push(Order::GoHome);
        crew.push(Order::GoHome);
        for worker in workers {
            worker.join().expect("it does not panic");
        }
        assert_eq!(crew.worked(), 2);
    });
}

#[test]
fn jobs_pushed_from_two_sides_are_each_run_once() {
    model(|| {
        let crew = Crew::new(1, 1);
        assert_eq!(crew.0.lane.grow(1, 1), 1);
        let worker = crew.start();
        let other = crew.clone();
        let pushing = thread::spawn(move || other.push(Order::Work));
        crew.push(Order::Work);
        pushing.join().expect("it does not panic");
        crew.push(Order::GoHome);
        worker.join().expect("it does not panic");
        assert_eq!(crew.worked(), 3);
    });
}

#[test]
fn a_job_that_finds_nobody_starts_a_worker() {
    model(|| {
        let crew = Crew::new(0, 1);
        crew.push(Order::Work);
        crew.push(Order::Work);
        let left = crew.0.lane.close().len();
        assert_eq!(crew.0.lane.wait_until_left(None), 0);
        assert_eq!(crew.worked() + left, 2);
    });
}

#[test]
fn closing_lets_everybody_go_and_gives_back_what_was_not_run() {
    model(|| {
        let crew = Crew::new(2, 2);
        assert_eq!(crew.0.lane.grow(2, 2), 2);
        let workers = [crew.start(), crew.start()];
        crew.push(Order::Work);
        let left = crew.0.lane.close().len();
        assert_eq!(crew.0.lane.wait_until_left(None), 0);
        for worker in workers {
            worker.join().expect("it does not panic");
        }
        assert_eq!(crew.worked() + left, 1);
    });
}

#[test]
fn an_added_worker_serves_what_waits_behind_a_stuck_one() {
    model(|| {
        let crew = Crew::new(1, 1);
        assert_eq!(crew.0.lane.grow(1, 1), 1);
        // This worker never comes: it is stuck before its first job.
        crew.push(Order::GoHome);
        assert_eq!(crew.0.lane.grow(1, 2), 1);
        let added = crew.start();
        added.join().expect("it does not panic");
        assert_eq!(crew.worked(), 1);
    });
}

#[test]
fn a_thread_that_cannot_be_had_strands_no_job() {
    model(|| {
        let crew = Crew::new(1, 1);
        assert_eq!(crew.0.lane.grow(1, 1), 1);
        let worker = crew.start();
        // A second one is counted, and cannot be started.
        assert_eq!(crew.0.lane.grow(1, 2), 1);
        let other = crew.clone();
        let failing = thread::spawn(move || {
            let summons = other.0.lane.not_started();
            other.follow(summons);
        });
        crew.push(Order::GoHome);
        failing.join().expect("it does not panic");
        worker.join().expect("it does not panic");
        assert_eq!(crew.worked(), 1);
    });
}

#[test]
fn a_wake_that_was_put_off_keeps_nobody_elses_job() {
    model(|| {
        let crew = Crew::new(1, 1);
        assert_eq!(crew.0.lane.grow(1, 1), 1);
        let worker = crew.start();
        // Whoever pushes this one calls a worker that has parked, and never wakes it.
        let _put_off = crew.0.lane.push(Order::Work, Age::New).expect("it is open");
        let other = crew.clone();
        let pushing = thread::spawn(move || other.push(Order::GoHome));
        pushing.join().expect("it does not panic");
        worker.join().expect("it does not panic");
        assert_eq!(crew.worked(), 2);
    });
}

#[test]
fn a_wake_that_was_put_off_for_good_is_made_up_for() {
    model(|| {
        let crew = Crew::new(1, 1);
        assert_eq!(crew.0.lane.grow(1, 1), 1);
        let worker = crew.start();
        let _put_off = crew.0.lane.push(Order::GoHome, Age::New).expect("it is open");
        crew.0.lane.remind();
        worker.join().expect("it does not panic");
        assert_eq!(crew.worked(), 1);
    });
}

#[test]
fn a_wake_that_comes_late_does_no_harm() {
    model(|| {
        let crew = Crew::new(1, 1);
        assert_eq!(crew.0.lane.grow(1, 1), 1);
        let worker = crew.start();
        let put_off = crew.0.lane.push(Order::Work, Age::New).expect("it is open");
        let other = crew.clone();
        let late = thread::spawn(move || other.follow(put_off));
        crew.push(Order::Work);
        crew.push(Order::GoHome);
        late.join().expect("it does not panic");
        worker.join().expect("it does not panic");
        assert_eq!(crew.worked(), 3);
    });
}

#[test]
fn closing_wakes_a_worker_whose_wake_was_put_off() {
    model(|| {
        let crew = Crew::new(1, 1);
        assert_eq!(crew.0.lane.grow(1, 1), 1);
        let worker = crew.start();
        let _put_off = crew.0.lane.push(Order::Work, Age::New).expect("it is open");
        let left = crew.0.lane.close().len();
        assert_eq!(crew.0.lane.wait_until_left(None), 0);
        worker.join().expect("it does not panic");
        assert_eq!(crew.worked() + left, 1);
    });
}

#[test]
fn a_worker_handed_over_serves_its_new_lane_or_stays() {
    model(|| {
        let (old, new) = (Crew::new(1, 1), Crew::new(0, 1));
        assert_eq!(old.0.lane.grow(1, 1), 1);
        old.push(Order::Work);
        let moved = Arc::new(AtomicBool::new(false));
        let at_work = Arc::new(AtomicBool::new(false));
        let worker = {
            let (old, new) = (old.clone(), new.clone());
            let (moved, at_work) = (Arc::clone(&moved), Arc::clone(&at_work));
            thread::spawn(move || {
                let parking = Arc::new(Parking::default());
                let Next::Last(_) = old.0.lane.next(&parking, true, || true, || false) else {
                    // The lane was closed first.
                    return;
                };
                at_work.store(true, Ordering::SeqCst);
                at_work.store(false, Ordering::SeqCst);
                let is_of_old = || !moved.load(Ordering::SeqCst);
                match old.0.lane.next(&parking, false, is_of_old, || false) {
                    Next::Moved => {
                        let next = new.0.lane.next(&parking, false, || true, || false);
                        assert!(matches!(next, Next::Leave(_)));
                    }
                    Next::Leave(_) => {}
                    Next::Job(..) | Next::Last(_) => unreachable!("there is one job only"),
                    Next::Owing => unreachable!("nothing is owed in this model"),
                }
            })
        };
        let handed_over = old.0.lane.hand_over(&new.0.lane, || {
            let handed_over = at_work.load(Ordering::SeqCst);
            if handed_over {
                moved.store(true, Ordering::SeqCst);
            }
            handed_over
        });
        assert_eq!(handed_over, moved.load(Ordering::SeqCst));
        assert!(old.0.lane.close().len() <= 1);
        new.0.lane.close();
        worker.join().expect("it does not panic");
        assert_eq!(old.0.lane.wait_until_left(None), 0);
        assert_eq!(new.0.lane.wait_until_left(None), 0);
    });
}

#[test]
fn who_waits_for_a_lane_to_empty_is_woken_when_its_last_worker_is_handed_over() {
    model(|| {
        let (old, new) = (Crew::new(1, 1), Crew::new(0, 1));
        assert_eq!(old.0.lane.grow(1, 1), 1);
        old.push(Order::Work);
        // The worker is this thread, and stays in its job.
        let parking = Arc::new(Parking::default());
        assert!(matches!(old.0.lane.next(&parking, true, || true, || false), Next::Last(_)));
        let stopping = {
            let old = old.clone();
            thread::spawn(move || {
                assert!(old.0.lane.close().is_empty());
                assert_eq!(old.0.lane.wait_until_left(None), 0);
            })
        };
        assert!(old.0.lane.hand_over(&new.0.lane, || true));
        stopping.join().expect("it does not panic");
        new.0.lane.close();
        assert!(matches!(new.0.lane.next(&parking, false, || true, || false), Next::Leave(_)));
        assert_eq!(new.0.lane.wait_until_left(None), 0);
    });
}
