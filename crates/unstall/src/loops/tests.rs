//! A loop whose bell and tasks are counters.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use super::*;

/// Counts how often it is woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Count {
    fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// A loop that only counts; the test is a worker.
struct Bench {
    loops: Arc<Loops>,
    place: Arc<Place>,
    rung: Arc<Count>,
    woken: Arc<Count>,
}

impl Bench {
    fn new() -> Self {
        let loops = Loops::new(&Arc::default());
        let (place, rung) = (Place::open(&loops), Arc::<Count>::default());
        place.mailbox.attend(Waker::from(Arc::clone(&rung)));
        loops.employ();
        Self { loops, place, rung, woken: Arc::default() }
    }

    fn send(&self) {
        self.send_to(Waker::from(Arc::clone(&self.woken)));
    }

    fn send_to(&self, waker: Waker) {
        Waker::from(Arc::new(Letter { place: Arc::clone(&self.place), waker })).wake();
    }

    fn rung_and_woken(&self) -> (usize, usize) {
        (self.rung.get(), self.woken.get())
    }
}

#[test]
fn a_loop_is_rung_for_once_a_batch() {
    let bench = Bench::new();
    for _ in 0..3 {
        bench.send();
    }
    assert!(bench.loops.are_owed());
    assert_eq!(bench.rung_and_woken(), (0, 0));
    bench.loops.tell();
    bench.send();
    bench.loops.tell();
    assert_eq!(bench.rung_and_woken(), (1, 0));
    bench.place.come_by();
    assert_eq!(bench.rung_and_woken(), (1, 4));
    bench.send();
    bench.loops.tell();
    assert_eq!(bench.rung_and_woken(), (2, 4));
    assert!(!bench.loops.are_quiet());
    bench.place.come_by();
    assert!(bench.loops.are_quiet());
}

#[test]
fn who_does_not_come_by_again_rings_at_once() {
    let bench = Bench::new();
    bench.send();
    bench.loops.dismiss();
    assert_eq!(bench.rung_and_woken(), (1, 0));
    bench.place.come_by();
    bench.send();
    assert_eq!(bench.rung_and_woken(), (2, 1));
}

#[test]
fn a_loop_that_does_not_come_is_not_waited_for() {
    let bench = Bench::new();
    bench.send();
    for _ in 1..LOOKS_MAX {
        bench.loops.look();
    }
    assert_eq!(bench.rung_and_woken(), (1, 0));
    bench.loops.look();
    assert_eq!(bench.rung_and_woken(), (1, 1));
    assert!(bench.loops.are_quiet());
}

#[test]
fn what_has_ended_takes_no_letters_and_loses_none() {
    let bench = Bench::new();
    bench.send();
    drop(Postman::new(Arc::clone(&bench.place)));
    assert_eq!(bench.rung_and_woken(), (0, 1));
    bench.send();
    assert_eq!(bench.rung_and_woken(), (0, 2));

    let bench = Bench::new();
    bench.send();
    bench.loops.end();
    bench.place.mailbox.attend(Waker::noop().clone());
    bench.send();
    assert_eq!(bench.rung_and_woken(), (0, 2));
    let late = Place::open(&bench.loops);
    late.mailbox.attend(Waker::noop().clone());
    let bench = Bench { place: late, ..bench };
    bench.send();
    assert_eq!(bench.rung_and_woken(), (0, 3));
}

#[test]
fn a_waker_that_panics_keeps_no_other_from_its_letter() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("in a waker");
        }
    }
    let bench = Bench::new();
    bench.send();
    bench.send_to(Waker::from(Arc::new(Panics)));
    bench.send();
    bench.place.come_by();
    assert_eq!(bench.woken.get(), 2);
}

#[test]
fn a_job_keeps_its_letter_as_long_as_the_same_task_awaits_it() {
    let loops = Loops::new(&Arc::default());
    let postman = Postman::new(Place::open(&loops));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("it starts");
    let (one, other) = (Waker::from(Arc::<Count>::default()), Waker::from(Arc::<Count>::default()));
    let mut sender = Sender::default();
    assert!(sender.waker(&one).is_none());
    runtime.block_on(async {
        tokio::spawn(postman);
        tokio::task::yield_now().await;
        let first = sender.waker(&one).expect("it is in a loop");
        assert!(sender.waker(&one).is_some_and(|again| again.will_wake(&first)));
        assert!(sender.waker(&other).is_some_and(|again| !again.will_wake(&first)));
    });
    assert!(sender.waker(&one).is_none());
    drop(runtime);
}
