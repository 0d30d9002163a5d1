//! A lane: one queue, first in, first out, and the workers that serve it.
//!
//! There are no local queues and no slot for the job woken last, because a worker that blocks
//! would strand what lies there. Everything is behind one short lock: the jobs, who is parked,
//! who is on the way, how many there are. A lane knows nothing of what a job is, so that loom
//! can check it with plain numbers (`tests/loom.rs`).
//!
//! Invariants:
//! - While there are jobs and a parked worker, somebody is on the way ([`State::coming`]); so
//!   no job waits beside an idle worker. A loop may put the wake of the worker it calls off until
//!   its other tasks have run (`loops.rs`). The lane remembers whom ([`State::called`]): whoever
//!   else brings or takes a job meanwhile wakes him, and the watchdog at each look
//!   ([`Lane::remind`]), so that a loop that blocks strands nothing.
//! - One worker is called at a time; when it comes for its job it calls the next. A burst then
//!   costs the one who pushes it one wake, not one a job.
//! - The worker parked last is called first, so that the others can be let go.

use std::collections::VecDeque;
use std::time::Duration;

use crate::sync::{Arc, AtomicBool, Condvar, Mutex, MutexGuard, Ordering, lock, wait};

/// What a lane is held to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// How many new jobs may wait.
    pub(crate) queue_len_max: usize,
    /// Workers that stay when there is nothing to do.
    pub(crate) workers_base: usize,
    /// Up to so many workers are started when a job finds nobody free.
    pub(crate) workers_on_demand: usize,
    /// How long a worker beyond the base waits for a job before it leaves.
    pub(crate) keep_alive: Duration,
}

/// A queue and its workers.
#[derive(Debug)]
pub(crate) struct Lane<J> {
    limits: Limits,
    state: Mutex<State<J>>,
    emptied: Condvar,
}

#[derive(Debug)]
struct State<J> {
    jobs: VecDeque<J>,
    parked: Vec<Arc<Parking>>,
    /// The parked worker that was called last, until it comes.
    called: Option<Arc<Parking>>,
    /// Workers that were called or started and have not come for a job yet.
    coming: usize,
    /// Workers of the lane: parked, coming or at work.
    workers: usize,
    /// A worker beyond these leaves as soon as it is free.
    workers_allowed: usize,
    closed: bool,
}

/// Where one worker waits.
#[derive(Debug, Default)]
pub(crate) struct Parking {
    called: AtomicBool,
    /// Whether anybody has woken the worker since it was called.
    woken: AtomicBool,
    condvar: Condvar,
}

/// Why a job was not taken.
#[derive(Debug)]
pub(crate) enum Refused<J> {
    /// Too many are waiting.
    Full(J),
    /// No more jobs are taken.
    Closed(J),
}

/// Whether a job may be refused because the queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    /// It has not begun: there is no harm in refusing it.
    New,
    /// It has begun and goes on: losing it would lose a task.
    Begun,
}

/// What a worker does next.
#[derive(Debug)]
pub(crate) enum Next<J> {
    /// Follow the summons, and run this.
    Job(J, Summons),
    /// Run this; no other waits.
    Last(J),
    /// Nothing waits: do what is owed to others, and ask again.
    Owing,
    /// Leave: there are enough others, or no more jobs.
    Leave(Summons),
    /// Ask the lane that the worker belongs to now.
    Moved,
}

/// Who has to be fetched so that a waiting job is served; to be done without the lock.
#[derive(Debug)]
#[must_use]
pub(crate) enum Summons {
    /// Nobody: no job waits, or somebody is on the way.
    Nobody,
    /// This parked worker, who was called. Several may be told to wake him.
    Parked(Arc<Parking>),
    /// A thread to be started. It counts as a worker already.
    Thread,
    /// Everybody is at work, and the lane starts no more by itself.
    AllAtWork,
}

/// A look at a lane from outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Backlog {
    /// Jobs that wait.
    pub(crate) jobs: usize,
    /// Workers that are parked or on their way to a job.
    pub(crate) free: usize,
    /// All workers.
    pub(crate) workers: usize,
}

impl Backlog {
    /// Whether nothing waits and nobody is at work.
    pub(crate) fn is_quiet(self) -> bool {
        self.jobs == 0 && self.free == self.workers
    }
}

impl<J> Lane<J> {
    pub(crate) fn new(limits: Limits, workers_allowed: usize) -> Self {
        let state = State {
            jobs: VecDeque::new(),
            parked: Vec::new(),
            called: None,
            coming: 0,
            workers: 0,
            workers_allowed,
            closed: false,
        };
        Self { limits, state: Mutex::new(state), emptied: Condvar::new() }
    }

    /// Takes a job.
    pub(crate) fn push(&self, job: J, age: Age) -> Result<Summons, Refused<J>> {
        let mut state = self.lock();
        if state.closed {
            return Err(Refused::Closed(job));
        }
        if age == Age::New && state.jobs.len() >= self.limits.queue_len_max {
            return Err(Refused::Full(job));
        }
        state.jobs.push_back(job);
        Ok(state.summon(&self.limits))
    }

    /// Waits for something to do. `arriving` says that the worker has just been started;
    /// `belongs`, asked under the lane's lock, whether it is still of this lane; `owes` whether
    /// it may not park yet.
    pub(crate) fn next(
        &self,
        parking: &Arc<Parking>,
        arriving: bool,
        belongs: impl Fn() -> bool,
        owes: impl Fn() -> bool,
    ) -> Next<J> {
        let mut state = self.lock();
        if arriving {
            state.coming -= 1;
        }
        loop {
            if !belongs() {
                return Next::Moved;
            }
            if state.closed || state.workers > state.workers_allowed {
                return self.leave(&mut state);
            }
            if let Some(job) = state.jobs.pop_front() {
                if state.jobs.is_empty() {
                    return Next::Last(job);
                }
                return Next::Job(job, state.summon(&self.limits));
            }
            if owes() {
                return Next::Owing;
            }
            parking.called.store(false, Ordering::Relaxed);
            state.parked.push(Arc::clone(parking));
            let timed_out;
            (state, timed_out) = self.park(state, parking);
            if timed_out {
                return self.leave(&mut state);
            }
        }
    }

    /// Waits until the worker is called, or may leave.
    fn park<'a>(
        &'a self,
        mut state: MutexGuard<'a, State<J>>,
        parking: &Arc<Parking>,
    ) -> (MutexGuard<'a, State<J>>, bool) {
        loop {
            let surplus = state.workers > self.limits.workers_base;
            let patience = surplus.then_some(self.limits.keep_alive);
            let timed_out;
            (state, timed_out) = wait(&parking.condvar, state, patience);
            if parking.called.load(Ordering::Relaxed) {
                state.coming -= 1;
                state.called.take_if(|called| Arc::ptr_eq(called, parking));
                return (state, false);
            }
            if timed_out && state.workers > self.limits.workers_base {
                state.parked.retain(|parked| !Arc::ptr_eq(parked, parking));
                return (state, true);
            }
        }
    }

    fn leave(&self, state: &mut State<J>) -> Next<J> {
        self.count_out(state);
        Next::Leave(state.summon(&self.limits))
    }

    /// Counts a worker out, and tells whoever waits for the last one.
    fn count_out(&self, state: &mut State<J>) {
        state.workers -= 1;
        if state.workers == 0 {
            self.emptied.notify_all();
        }
    }

    /// Makes room for up to `wanted` workers more, but no more than `workers_max` in all.
    /// Returns how many threads to start; each counts as a worker already.
    pub(crate) fn grow(&self, wanted: usize, workers_max: usize) -> usize {
        let mut state = self.lock();
        if state.closed {
            return 0;
        }
        let added = wanted.min(workers_max.saturating_sub(state.workers));
        state.workers += added;
        state.coming += added;
        added
    }

    /// Takes note that a thread could not be started.
    pub(crate) fn not_started(&self) -> Summons {
        let mut state = self.lock();
        state.coming -= 1;
        self.count_out(&mut state);
        // A parked worker may do it instead; another thread would fail as well.
        state.call().map_or(Summons::Nobody, Summons::Parked)
    }

    /// Wakes the worker who was called and whose wake was put off, if a job waits for him.
    pub(crate) fn remind(&self) {
        let state = self.lock();
        let called = if state.jobs.is_empty() { None } else { state.called.clone() };
        drop(state);
        if let Some(parking) = called {
            parking.wake();
        }
    }

    /// Lets a worker at work belong to another lane, if `at_work`, asked under the lock of
    /// the lane that it leaves, still says so.
    pub(crate) fn hand_over(&self, to: &Self, at_work: impl FnOnce() -> bool) -> bool {
        // First in, then out: the worker may come to its new lane at once.
        to.lock().workers += 1;
        let mut state = self.lock();
        let moved = at_work();
        if moved {
            self.count_out(&mut state);
        }
        drop(state);
        if !moved {
            to.count_out(&mut to.lock());
        }
        moved
    }

    /// Sets how many workers may stay at all. Free ones beyond leave when they next come by.
    pub(crate) fn allow(&self, workers: usize) {
        self.lock().workers_allowed = workers;
    }

    pub(crate) fn backlog(&self) -> Backlog {
        let state = self.lock();
        Backlog {
            jobs: state.jobs.len(),
            free: state.parked.len() + state.coming,
            workers: state.workers,
        }
    }

    /// Takes the jobs out of the queue that `which` is true of.
    pub(crate) fn extract(&self, which: impl Fn(&J) -> bool) -> Vec<J> {
        let mut state = self.lock();
        let mut out = Vec::new();
        for job in std::mem::take(&mut state.jobs) {
            if which(&job) {
                out.push(job);
            } else {
                state.jobs.push_back(job);
            }
        }
        out
    }

    /// Takes no more jobs, returns those that wait, and lets all workers leave.
    pub(crate) fn close(&self) -> Vec<J> {
        let mut state = self.lock();
        state.closed = true;
        let parked = std::mem::take(&mut state.parked);
        for parking in &parked {
            parking.called.store(true, Ordering::Relaxed);
        }
        state.coming += parked.len();
        let jobs = state.jobs.drain(..).collect();
        let called = state.called.clone();
        drop(state);
        for parking in parked {
            parking.condvar.notify_one();
        }
        // No push will come that reminds him.
        if let Some(parking) = called {
            parking.wake();
        }
        jobs
    }

    /// Waits until all workers have left, for at most `patience`; returns how many have not.
    pub(crate) fn wait_until_left(&self, patience: Option<Duration>) -> usize {
        let mut state = self.lock();
        while state.workers > 0 {
            let timed_out;
            (state, timed_out) = wait(&self.emptied, state, patience);
            if timed_out {
                break;
            }
        }
        state.workers
    }

    fn lock(&self) -> MutexGuard<'_, State<J>> {
        lock(&self.state)
    }
}

impl<J> State<J> {
    /// Decides who serves the first waiting job.
    fn summon(&mut self, limits: &Limits) -> Summons {
        if self.jobs.is_empty() {
            return Summons::Nobody;
        }
        if self.coming > 0 {
            let put_off = self.called.as_ref().filter(|called| !called.is_woken());
            return put_off.map_or(Summons::Nobody, |called| Summons::Parked(Arc::clone(called)));
        }
        if let Some(parking) = self.call() {
            return Summons::Parked(parking);
        }
        if self.workers < limits.workers_on_demand {
            self.workers += 1;
            self.coming += 1;
            return Summons::Thread;
        }
        Summons::AllAtWork
    }

    /// Calls the worker that parked last, if a job waits and nobody is on the way.
    fn call(&mut self) -> Option<Arc<Parking>> {
        if self.jobs.is_empty() || self.coming > 0 {
            return None;
        }
        let parking = self.parked.pop()?;
        parking.called.store(true, Ordering::Relaxed);
        // A swap: it comes after any wake for the call before, even in loom's eyes.
        parking.woken.swap(false, Ordering::AcqRel);
        self.called = Some(Arc::clone(&parking));
        self.coming += 1;
        Some(parking)
    }
}

impl Parking {
    /// Wakes the worker that was called, unless somebody has.
    pub(crate) fn wake(&self) {
        if !self.woken.swap(true, Ordering::AcqRel) {
            self.condvar.notify_one();
        }
    }

    fn is_woken(&self) -> bool {
        self.woken.load(Ordering::Relaxed)
    }
}
