//! The executor: lanes of jobs, workers that serve them, and a watchdog over the workers.

mod auxiliary;
pub(crate) mod lane;
mod worker;

use std::fmt;
use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use self::auxiliary::Auxiliary;
use self::lane::{Age, Limits, Refused, Summons};
use crate::job::{Alive, Facts, Job, Refusal, Runnable, Shed, job, refuse};
use crate::kernel;
use crate::loops::{self, Loops, Place, Postman};
use crate::method::{Lane, Method, Methods};
use crate::observer::{Careful, Observer};
use crate::settings::Settings;
use crate::watchdog::{self, Pace, Watch};

/// Runs jobs so that one that blocks does not hold up the others.
///
/// Cheap to clone. Workers end when the last clone is dropped, or at [`Executor::stop`].
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let executor = unstall::Executor::start(unstall::Settings::for_this_machine(), ())?;
/// let sum = executor.spawn("sum", async {
///     tokio::time::sleep(Duration::from_millis(1)).await; // tokio works inside
///     40 + 2
/// });
/// let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// assert_eq!(runtime.block_on(sum), Ok(42));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Executor(Arc<Owner>);

/// Ends the workers when the last handle goes.
#[derive(Debug)]
struct Owner {
    shared: Arc<Shared>,
    auxiliary: Mutex<Option<Auxiliary>>,
}

/// What workers, jobs and the watchdog have in common.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) methods: Methods,
    pub(crate) watch: Arc<Watch>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) loops: Arc<Loops>,
    /// All workers but the reserve are stuck.
    pub(crate) full: AtomicBool,
    /// They have been for so long that new calls of stuck methods are shed.
    pub(crate) saturated: AtomicBool,
    /// Jobs that are held back, of all methods.
    pub(crate) held: AtomicUsize,
    /// Jobs shed since the watchdog last said so.
    pub(crate) shed_count: AtomicUsize,
    closed: AtomicBool,
    lanes: [lane::Lane<Runnable>; 3],
    alive: Arc<AtomicUsize>,
    threads_started: AtomicUsize,
    tokio: tokio::runtime::Handle,
}

/// Why an executor could not start.
#[derive(Debug, thiserror::Error)]
#[error("cannot start the thread {thread}: {source}")]
pub struct StartError {
    /// Which thread.
    pub thread: String,
    /// What the system says.
    pub source: io::Error,
}

/// How an executor stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stopped {
    /// Threads that were still in a job. They are left alone: a thread cannot be ended.
    pub stuck: usize,
    /// The methods that they were in.
    pub methods: Vec<String>,
}

impl Executor {
    /// Starts workers, the auxiliary runtime and the watchdog.
    ///
    /// # Errors
    ///
    /// [`StartError`] if a thread cannot be had that nothing works without. Workers beyond
    /// the first may be missing; that is logged.
    pub fn start(settings: Settings, observer: impl Observer) -> Result<Self, StartError> {
        watchdog::say_what_is_seen(kernel::probe());
        let methods = Methods::new();
        let watch = Arc::new(Watch::default());
        let auxiliary = Auxiliary::start(&settings, &watch, methods.auxiliary())?;
        let shared = Arc::new(Shared {
            lanes: Lane::ALL.map(|lane| new_lane(lane, &settings)),
            methods,
            loops: Loops::new(&watch),
            watch,
            observer: Arc::new(Careful(observer)),
            full: AtomicBool::new(false),
            saturated: AtomicBool::new(false),
            held: AtomicUsize::new(0),
            shed_count: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            alive: Arc::default(),
            threads_started: AtomicUsize::new(0),
            tokio: auxiliary.handle(),
            settings,
        });
        let owner = Owner { shared, auxiliary: Mutex::new(Some(auxiliary)) };
        watchdog::start(&owner.shared)
            .map_err(|source| StartError { thread: "unstall-watchdog".to_owned(), source })?;
        owner.shared.start_base()?;
        Ok(Self(Arc::new(owner)))
    }

    /// The method of a name.
    #[must_use]
    pub fn method(&self, name: &str) -> Method {
        self.0.shared.methods.get(name)
    }

    /// The method of a name that came from the network. It may be forgotten as soon as nobody
    /// holds it, unless [`Method::vouch`] is called.
    pub(crate) fn tentative_method(&self, name: &str) -> Method {
        self.0.shared.methods.get_tentative(name)
    }

    /// The method for names that nobody vouches for.
    pub(crate) fn other_method(&self) -> &Method {
        self.0.shared.methods.other()
    }

    /// Runs a future under a name. What it may await: anything, tokio's sockets and timers
    /// included.
    ///
    /// A refusal is the job's result; nothing here waits or panics.
    pub fn spawn<F>(&self, name: &str, future: F) -> Job<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.spawn_method(&self.method(name), future)
    }

    /// [`Executor::spawn`] for a method that is known beforehand: nothing is looked up.
    pub fn spawn_method<F>(&self, method: &Method, future: F) -> Job<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let shared = &self.0.shared;
        match shared.admit(method) {
            Ok(()) => shared.spawn(Facts::new(method.clone(), false), future),
            Err(shed) => shared.turn_away(method, shed),
        }
    }

    /// Goes on with what another job of the method has begun: it is not refused for want of
    /// room in the queue, or because the method is stuck.
    pub(crate) fn go_on<F>(&self, method: &Method, future: F) -> Job<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let facts = Facts::new(method.clone(), false);
        facts.begin();
        self.0.shared.spawn(facts, future)
    }

    /// Does work that is known to block on a thread of its own kind. It is never reported
    /// and takes no worker from anybody.
    pub fn block<T, W>(&self, work: W) -> Job<T>
    where
        T: Send + 'static,
        W: FnOnce() -> T + Send + 'static,
    {
        let shared = &self.0.shared;
        let facts = Facts::new(shared.methods.blocking().clone(), true);
        shared.spawn(facts, async move { work() })
    }

    /// Lets the watchdog watch the threads of a runtime that is not the executor's, such as a
    /// transport's, under a name. They are reported when they block; nothing is added for them.
    ///
    /// A thread is watched from the first time that it has nothing to do until it ends. So what
    /// it does outside the runtime is taken for the runtime's, and threads of
    /// `spawn_blocking` are left alone.
    pub fn watch_runtime(&self, name: &str, builder: &mut tokio::runtime::Builder) {
        auxiliary::watch_threads(builder, &self.0.shared.watch, &self.method(name), 0);
    }

    /// [`Executor::watch_runtime`] for a `current_thread` runtime whose tasks await many jobs.
    ///
    /// They are told of the jobs' ends in batches, and workers are woken for several of their
    /// jobs at once: what is returned does that, and has to be spawned on the runtime before
    /// anything else. Runtimes of another kind are watched, and get nothing more.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let executor = unstall::Executor::start(unstall::Settings::for_this_machine(), ())?;
    /// let mut builder = tokio::runtime::Builder::new_current_thread();
    /// let postman = executor.serve_runtime("connections", &mut builder);
    /// let sum = builder.build()?.block_on(async {
    ///     tokio::spawn(postman);
    ///     executor.spawn("sum", async { 40 + 2 }).await
    /// });
    /// assert_eq!(sum, Ok(42));
    /// # Ok(())
    /// # }
    /// ```
    pub fn serve_runtime(&self, name: &str, builder: &mut tokio::runtime::Builder) -> Postman {
        let shared = &self.0.shared;
        let place = Place::open(&shared.loops);
        auxiliary::serve_loop(builder, &shared.watch, &self.method(name), &place);
        Postman::new(place)
    }

    /// Takes no more jobs and waits for workers to come out of theirs, for at most `patience`.
    /// Blocks the calling thread.
    ///
    /// Jobs that wait in a queue end with [`JobError::Stopping`](crate::JobError::Stopping), and
    /// so do jobs that await something as soon as they are woken. One that is never woken never
    /// ends: let what should finish do so first, and drop the [`Job`]s of the rest.
    #[must_use = "threads may be stuck"]
    pub fn stop(&self, patience: Duration) -> Stopped {
        self.0.close();
        let deadline = Instant::now() + patience;
        let stuck = self.0.shared.lanes.iter().map(|lane| {
            lane.wait_until_left(Some(deadline.saturating_duration_since(Instant::now())))
        });
        let stuck = stuck.sum();
        let mut methods = Vec::new();
        self.0.shared.methods.each(|method| {
            methods.extend((method.running() > 0).then(|| method.name().to_owned()));
        });
        self.0.end();
        Stopped { stuck, methods }
    }
}

impl Owner {
    fn close(&self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        for lane in &self.shared.lanes {
            // Their futures' drops may do anything: that happens without a lock.
            for runnable in lane.close() {
                refuse(runnable, Refusal::Stopping);
            }
        }
        self.shared.let_go_of_all();
    }

    /// Ends the auxiliary runtime and the watchdog.
    fn end(&self) {
        drop(self.auxiliary.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.shared.watch.end();
        self.shared.loops.end();
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.close();
        self.end();
    }
}

fn new_lane(lane: Lane, settings: &Settings) -> lane::Lane<Runnable> {
    let (workers_base, workers_on_demand, workers_allowed) = match lane {
        Lane::Express => (settings.workers.get(), settings.workers.get(), usize::MAX),
        Lane::Slow => (0, settings.slow_workers.get(), settings.slow_workers.get()),
        Lane::Blocking => (0, settings.blocking_workers_max.get(), usize::MAX),
    };
    let limits = Limits {
        queue_len_max: settings.queue_len_max.get(),
        workers_base,
        workers_on_demand,
        keep_alive: settings.keep_alive,
    };
    lane::Lane::new(limits, workers_allowed)
}

impl Shared {
    pub(crate) fn lane(&self, lane: Lane) -> &lane::Lane<Runnable> {
        &self.lanes[lane as usize]
    }

    /// Starts the workers that stay. One is enough to go on with.
    fn start_base(self: &Arc<Self>) -> Result<(), StartError> {
        let base = self.settings.workers.get();
        for started in 0..self.lane(Lane::Express).grow(base, base) {
            if let Err(source) = worker::start(self, Lane::Express) {
                let _ = self.lane(Lane::Express).not_started();
                if started == 0 {
                    return Err(StartError { thread: "unstall-0".to_owned(), source });
                }
                tracing::warn!(%source, "starting with fewer workers than asked for");
            }
        }
        Ok(())
    }

    fn spawn<F>(self: &Arc<Self>, facts: Facts, future: F) -> Job<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        // What has begun was counted when it did.
        let max = if facts.has_begun() { usize::MAX } else { self.settings.jobs_max.get() };
        let Some(alive) = Alive::count(&self.alive, max) else {
            return self.turn_away(&facts.method, Shed::JobsFull);
        };
        let shared = Arc::clone(self);
        let (runnable, job) = job(future, facts, alive, move |runnable| shared.push(runnable));
        runnable.schedule();
        job
    }

    /// Puts a job into the lane where it belongs.
    fn push(self: &Arc<Self>, runnable: Runnable) {
        let age = if runnable.metadata().has_begun() { Age::Begun } else { Age::New };
        self.push_aged(runnable, age);
    }

    /// Puts a job into the lane where it belongs. One that has been in a queue before counts as
    /// begun: it has had its turn to be refused.
    fn push_aged(self: &Arc<Self>, runnable: Runnable, age: Age) {
        let lane = runnable.metadata().lane();
        match self.lane(lane).push(runnable, age) {
            Ok(summons) => {
                self.follow(lane, summons);
                if lane != Lane::Blocking {
                    self.watch.rouse(Pace::Steady);
                }
            }
            Err(Refused::Full(runnable)) => self.shed(runnable, Shed::QueueFull),
            Err(Refused::Closed(runnable)) => refuse(runnable, Refusal::Stopping),
        }
    }

    /// Whether new jobs of a method are taken at all.
    fn admit(&self, method: &Method) -> Result<(), Shed> {
        if method.sheds() {
            return Err(Shed::MethodStuck);
        }
        if self.saturated.load(Ordering::Relaxed) && method.stuck() > 0 {
            return Err(Shed::Saturated);
        }
        Ok(())
    }

    /// Refuses a job that has not begun.
    fn shed(&self, runnable: Runnable, shed: Shed) {
        self.note_shed(&runnable.metadata().method, shed);
        refuse(runnable, Refusal::Shed(shed));
    }

    /// Refuses a job before there is one.
    fn turn_away<T>(&self, method: &Method, shed: Shed) -> Job<T> {
        self.note_shed(method, shed);
        Job::refused(Refusal::Shed(shed))
    }

    fn note_shed(&self, method: &Method, shed: Shed) {
        self.observer.shed(method.name(), shed);
        self.shed_count.fetch_add(1, Ordering::Relaxed);
        // It tells the operator.
        self.watch.rouse(Pace::Steady);
    }

    /// How many more workers a method may take beside the `others` that it has.
    pub(crate) fn room(&self, method: &Method, others: usize) -> usize {
        if self.full.load(Ordering::Relaxed) {
            // The reserve is for methods of which nothing is stuck: one worker each.
            return usize::from(others == 0 && method.stuck() == 0);
        }
        self.settings.method_workers_max().saturating_sub(others)
    }

    /// Keeps a job until its method holds fewer workers. The watchdog lets go of it, or a
    /// worker that comes out of the method.
    fn hold(self: &Arc<Self>, runnable: Runnable) {
        let method = runnable.metadata().method.clone();
        self.held.fetch_add(1, Ordering::SeqCst);
        method.hold(runnable);
        if self.closed.load(Ordering::SeqCst) {
            self.let_go_of_all();
        }
        self.watch.rouse(Pace::Steady);
    }

    /// Puts up to `max` jobs back that were held, of those that `which` is true of.
    pub(crate) fn let_go(
        self: &Arc<Self>,
        method: &Method,
        max: usize,
        which: impl Fn(&Runnable) -> bool,
    ) {
        for runnable in method.release(max, which) {
            self.held.fetch_sub(1, Ordering::SeqCst);
            self.push_aged(runnable, Age::Begun);
        }
    }

    fn let_go_of_all(self: &Arc<Self>) {
        let mut holding = Vec::new();
        self.methods.each(|method| holding.extend((method.held() > 0).then(|| method.clone())));
        for method in holding {
            self.let_go(&method, usize::MAX, |_| true);
        }
    }

    /// Moves jobs out of a lane that their methods have left.
    pub(crate) fn sort_out(self: &Arc<Self>, lane: Lane) {
        for runnable in self.lane(lane).extract(|runnable| runnable.metadata().lane() != lane) {
            self.push_aged(runnable, Age::Begun);
        }
    }

    /// Fetches whom a lane wants fetched.
    fn follow(self: &Arc<Self>, lane: Lane, summons: Summons) {
        match summons {
            Summons::Nobody => {}
            // The watchdog does not look there, to make up for a loop that blocks.
            Summons::Parked(parking) if lane == Lane::Blocking => parking.wake(),
            Summons::Parked(parking) => loops::wake(parking),
            Summons::Thread => self.start_workers(lane, 1),
            Summons::AllAtWork if lane == Lane::Blocking => {}
            Summons::AllAtWork => self.watch.rouse(Pace::Quick),
        }
    }

    /// Adds workers to a lane whose workers are stuck or slow; returns how many there was room
    /// for.
    pub(crate) fn add_workers(self: &Arc<Self>, lane: Lane, wanted: usize, max: usize) -> usize {
        let added = self.lane(lane).grow(wanted, max);
        self.start_workers(lane, added);
        added
    }

    /// Starts the threads of workers that are counted already. Without a thread the service
    /// goes on with those it has.
    fn start_workers(self: &Arc<Self>, lane: Lane, workers: usize) {
        for _ in 0..workers {
            let Err(error) = worker::start(self, lane) else { continue };
            self.watch.thread_failed(&error);
            self.follow(lane, self.lane(lane).not_started());
            if lane == Lane::Blocking && self.lane(lane).backlog().workers == 0 {
                // Nobody is left to come for these, and the watchdog does not look here.
                for runnable in self.lane(lane).extract(|_| true) {
                    self.shed(runnable, Shed::NoThread);
                }
            }
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("settings", &self.settings).finish_non_exhaustive()
    }
}
