//! Models of loops: their mailboxes, and the workers that leave letters there.

use std::time::Duration;

use loom::sync::{Arc, Condvar, Mutex};
use loom::thread::{self, JoinHandle};

use crate::lane::{Age, Lane, Limits, Next, Parking, Summons};
use crate::mailbox::{Mailbox, Post};
use crate::model;

type Letters = Mailbox<u32, Bell>;

/// What wakes a loop.
#[derive(Clone)]
struct Bell(Arc<(Mutex<bool>, Condvar)>);

impl Bell {
    fn new() -> Self {
        Self(Arc::new((Mutex::new(false), Condvar::new())))
    }

    fn ring(&self) {
        *self.0.0.lock().expect("a model that panics has failed already") = true;
        self.0.1.notify_one();
    }

    fn wait(&self) {
        let mut rung = self.0.0.lock().expect("a model that panics has failed already");
        while !std::mem::take(&mut *rung) {
            rung = self.0.1.wait(rung).expect("a model that panics has failed already");
        }
    }
}

/// A post with one loop.
#[derive(Clone)]
struct Office {
    post: Arc<Post<u32, Bell>>,
    mailbox: Arc<Letters>,
    bell: Bell,
}

impl Office {
    fn new() -> Self {
        let (post, bell) = (Arc::new(Post::new()), Bell::new());
        let mailbox = post.open();
        mailbox.attend(bell.clone());
        Self { post, mailbox, bell }
    }

    /// Leaves a letter, and rings, as a worker does that finds no other job.
    fn bring(&self, letter: u32) -> Result<(), u32> {
        self.post.leave(&self.mailbox, letter)?;
        self.post.ring(|bell| bell.ring());
        Ok(())
    }

    fn bring_from_elsewhere(&self, letter: u32) -> JoinHandle<Result<(), u32>> {
        let office = self.clone();
        thread::spawn(move || office.bring(letter))
    }

    /// Sleeps whenever there is nothing, until there were letters of this sum.
    fn collect(&self, expected: u32) {
        let mut sum = 0;
        loop {
            let mut letters = Vec::new();
            self.mailbox.collect(&mut letters);
            sum += letters.iter().sum::<u32>();
            if sum == expected {
                return;
            }
            self.bell.wait();
        }
    }
}

#[test]
fn no_letter_is_left_beside_a_loop_that_sleeps() {
    model(|| {
        let office = Office::new();
        let bringing = [office.bring_from_elsewhere(1), office.bring_from_elsewhere(2)];
        office.collect(3);
        for bringing in bringing {
            assert_eq!(bringing.join().expect("it does not panic"), Ok(()));
        }
        assert!(office.post.is_empty());
    });
}

#[test]
fn a_loop_that_ends_leaves_no_letter_behind() {
    model(|| {
        let office = Office::new();
        let bringing = [office.bring_from_elsewhere(1), office.bring_from_elsewhere(2)];
        let mut sum: u32 = office.post.close(&office.mailbox).iter().sum();
        for bringing in bringing {
            sum += bringing.join().expect("it does not panic").err().unwrap_or(0);
        }
        assert_eq!(sum, 3);
        assert!(office.post.is_empty());
    });
}

#[test]
fn what_is_overdue_is_delivered_by_the_loop_or_by_who_looks() {
    model(|| {
        let office = Office::new();
        let bringing = office.bring_from_elsewhere(1);
        let other = office.clone();
        let looking = thread::spawn(move || {
            other.post.ring(|bell| bell.ring());
            other.post.overdue(1).iter().sum::<u32>()
        });
        let mut letters = Vec::new();
        office.mailbox.collect(&mut letters);
        assert_eq!(bringing.join().expect("it does not panic"), Ok(()));
        let taken = looking.join().expect("it does not panic");
        let mut rest = Vec::new();
        office.mailbox.collect(&mut rest);
        assert_eq!(taken + letters.iter().chain(&rest).sum::<u32>(), 1);
    });
}

/// A worker that leaves a letter for each job, and rings when it should. It ends when the lane
/// is closed.
fn work(office: &Office, lane: &Lane<u32>) {
    let parking = Arc::new(Parking::default());
    let mut arriving = true;
    loop {
        let arrived = std::mem::take(&mut arriving);
        let job = match lane.next(&parking, arrived, || true, || office.post.owes()) {
            Next::Job(job, _) => job,
            Next::Last(job) => {
                office.post.ring(|bell| bell.ring());
                job
            }
            Next::Owing => {
                office.post.ring(|bell| bell.ring());
                continue;
            }
            Next::Leave(_) => break,
            Next::Moved => unreachable!("nobody is moved in this model"),
        };
        office.post.leave(&office.mailbox, job).expect("the mailbox is open");
    }
    office.post.ring(|bell| bell.ring());
}

#[test]
fn a_loop_that_puts_wakes_off_until_it_sleeps_gets_all_its_answers() {
    model(|| {
        let office = Office::new();
        let limits = Limits {
            queue_len_max: 8,
            workers_base: 1,
            workers_on_demand: 1,
            keep_alive: Duration::ZERO,
        };
        let lane = Arc::new(Lane::new(limits, usize::MAX));
        assert_eq!(lane.grow(1, 1), 1);
        let worker = {
            let (office, lane) = (office.clone(), Arc::clone(&lane));
            thread::spawn(move || work(&office, &lane))
        };
        let put_off = [1, 2].map(|job| lane.push(job, Age::New).expect("it is open"));
        for summons in put_off {
            if let Summons::Parked(parking) = summons {
                parking.wake();
            }
        }
        office.collect(3);
        assert!(lane.close().is_empty());
        worker.join().expect("it does not panic");
    });
}
