//! Jobs: futures that run on the executor, and what comes of them.
//!
//! A job is an `async-task` task. Panics end here: one in a poll becomes
//! [`JobError::Panicked`], one in a drop is logged. Neither takes a worker along.

use std::any::Any;
use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use crate::loops::Sender;
use crate::method::{Lane, Method};

/// A job that is ready to be polled.
pub(crate) type Runnable = async_task::Runnable<Facts>;

/// What is known of a job.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) method: Method,
    pub(crate) spawned: Instant,
    /// The work is known to block and has a lane of its own.
    blocking: bool,
    begun: AtomicBool,
}

impl Facts {
    pub(crate) fn new(method: Method, blocking: bool) -> Self {
        Self { method, spawned: Instant::now(), blocking, begun: AtomicBool::new(false) }
    }

    pub(crate) fn lane(&self) -> Lane {
        if self.blocking { Lane::Blocking } else { self.method.lane() }
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }

    pub(crate) fn begin(&self) {
        self.begun.store(true, Ordering::Relaxed);
    }
}

/// Why a job was not run, or not to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Stopping,
    Shed(Shed),
}

impl Refusal {
    fn error(self) -> JobError {
        match self {
            Self::Stopping => JobError::Stopping,
            Self::Shed(shed) => JobError::Shed(shed),
        }
    }
}

thread_local! {
    /// Why the job that this thread polls next is to end at once.
    static REFUSAL: Cell<Option<Refusal>> = const { Cell::new(None) };
}

/// Ends a job with a refusal instead of polling it.
pub(crate) fn refuse(runnable: Runnable, refusal: Refusal) {
    // By a poll, because a job that is merely dropped leaves no reason behind.
    let before = REFUSAL.replace(Some(refusal));
    runnable.run();
    REFUSAL.set(before);
}

/// Why a job has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// It was refused so that others can be served; trying again later may succeed.
    #[error("shed: {0}")]
    Shed(Shed),
    /// It panicked.
    #[error("panicked: {message}")]
    Panicked {
        /// What the panic said.
        message: String,
    },
    /// The executor is stopping; do not try again here.
    #[error("the executor is stopping")]
    Stopping,
}

/// Why a job was shed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Shed {
    /// [`Settings::queue_len_max`](crate::Settings::queue_len_max) jobs wait already.
    #[error("the queue is full")]
    QueueFull,
    /// [`Settings::jobs_max`](crate::Settings::jobs_max) jobs are alive already.
    #[error("too many jobs are alive")]
    JobsFull,
    /// The method holds half of all workers, and they are not coming back.
    #[error("the method holds half of the workers")]
    MethodStuck,
    /// All workers but the reserve are stuck, some of them in this method.
    #[error("all workers but the reserve are stuck, some of them in this method")]
    Saturated,
    /// The system gives no thread for work that is known to block.
    #[error("there is no thread to be had")]
    NoThread,
}

/// A job on its way. Awaiting it gives its result; dropping it cancels the job at its next
/// await; [`Job::detach`] lets it go on alone.
#[must_use = "dropping a job cancels it"]
#[derive(Debug)]
pub struct Job<T>(State<T>);

#[derive(Debug)]
enum State<T> {
    Accepted(Task<T>, Sender),
    Refused(Refusal),
}

type Outcome<T> = Result<T, JobError>;

type Task<T> = async_task::FallibleTask<Harmless<Outcome<T>>, Facts>;

impl<T> Job<T> {
    /// A job that was refused at once.
    pub(crate) fn refused(refusal: Refusal) -> Self {
        Self(State::Refused(refusal))
    }

    /// Lets the job go on without anybody waiting for it.
    pub fn detach(self) {
        if let State::Accepted(task, _) = self.0 {
            task.detach();
        }
    }

    /// Whether a result, or an error, is there.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        match &self.0 {
            State::Accepted(task, _) => task.is_finished(),
            State::Refused(_) => true,
        }
    }
}

impl<T> Future for Job<T> {
    type Output = Result<T, JobError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Refused(refusal) => Poll::Ready(Err(refusal.error())),
            State::Accepted(task, sender) => {
                let by_mail = if task.is_finished() { None } else { sender.waker(cx.waker()) };
                let outcome = match &by_mail {
                    Some(waker) => Pin::new(task).poll(&mut Context::from_waker(waker)),
                    None => Pin::new(task).poll(cx),
                };
                outcome.map(|outcome| {
                    // Without an outcome it was dropped unpolled, which only the end does.
                    outcome.map_or(Err(JobError::Stopping), Harmless::into_inner)
                })
            }
        }
    }
}

/// Makes a job of a future. `schedule` is called whenever it is ready to be polled, and first
/// by whoever runs what is returned.
pub(crate) fn job<F>(
    future: F,
    facts: Facts,
    alive: Alive,
    schedule: impl Fn(Runnable) + Send + Sync + 'static,
) -> (Runnable, Job<F::Output>)
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let guarded = Guarded { future: Some(Harmless::new(Box::pin(future))), _alive: alive };
    let (runnable, task) =
        async_task::Builder::new().metadata(facts).spawn(move |_| guarded, schedule);
    (runnable, Job(State::Accepted(task.fallible(), Sender::default())))
}

/// Counts a job as alive for as long as it is held.
#[derive(Debug)]
pub(crate) struct Alive(Arc<AtomicUsize>);

impl Alive {
    /// Counts one more, unless there are `max` already.
    pub(crate) fn count(alive: &Arc<AtomicUsize>, max: usize) -> Option<Self> {
        let counted = Self(Arc::clone(alive));
        (alive.fetch_add(1, Ordering::Relaxed) < max).then_some(counted)
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A future whose panics become its outcome.
struct Guarded<F> {
    future: Option<Harmless<Pin<Box<F>>>>,
    _alive: Alive,
}

impl<F: Future> Future for Guarded<F> {
    type Output = Harmless<Outcome<F::Output>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = match REFUSAL.take() {
            Some(refusal) => Err(refusal.error()),
            None => {
                let future =
                    self.future.as_mut().expect("it is polled until it is ready, not after");
                match catch_unwind(AssertUnwindSafe(|| future.get_mut().as_mut().poll(cx))) {
                    Ok(Poll::Pending) => return Poll::Pending,
                    Ok(Poll::Ready(output)) => Ok(output),
                    Err(payload) => Err(JobError::Panicked { message: message(payload.as_ref()) }),
                }
            }
        };
        // Dropped here rather than by the task, so that the drop counts as part of the poll.
        self.future = None;
        Poll::Ready(Harmless::new(outcome))
    }
}

/// A value whose drop may panic without harm: `async-task` would end the process.
#[derive(Debug)]
struct Harmless<T>(Option<T>);

impl<T> Harmless<T> {
    fn new(value: T) -> Self {
        Self(Some(value))
    }

    fn get_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("it is there until it is taken or dropped")
    }

    fn into_inner(mut self) -> T {
        self.0.take().expect("it is there until it is taken or dropped")
    }
}

impl<T> Drop for Harmless<T> {
    fn drop(&mut self) {
        let value = self.0.take();
        if let Err(payload) = catch_unwind(AssertUnwindSafe(move || drop(value))) {
            let message = message(payload.as_ref());
            tracing::error!(message, "a job panicked while it was dropped");
        }
    }
}

/// What a panic said.
fn message(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a value that is no text".to_owned()
    }
}

#[cfg(test)]
mod tests {
    //! Without threads of our own making where possible, so that miri can run them.

    use std::future::{pending, poll_fn, ready};
    use std::pin::pin;
    use std::task::Waker;
    use std::time::Duration;

    use super::*;
    use crate::executor::lane::{Age, Lane as Queue, Limits, Next, Parking, Refused};
    use crate::method::Methods;

    /// A lane with one worker: the test itself.
    struct Bench {
        lane: Arc<Queue<Runnable>>,
        alive: Arc<AtomicUsize>,
        parking: Arc<Parking>,
    }

    impl Bench {
        fn new() -> Self {
            let limits = Limits {
                queue_len_max: 2,
                workers_base: 1,
                workers_on_demand: 1,
                keep_alive: Duration::ZERO,
            };
            let lane = Arc::new(Queue::new(limits, 1));
            assert_eq!(lane.grow(1, 1), 1);
            Self { lane, alive: Arc::default(), parking: Arc::default() }
        }

        fn spawn<F>(&self, future: F) -> Job<F::Output>
        where
            F: Future + Send + 'static,
            F::Output: Send + 'static,
        {
            let facts = Facts::new(Methods::new().get("test"), false);
            let alive = Alive::count(&self.alive, 10).expect("there is room");
            let lane = Arc::clone(&self.lane);
            let (runnable, job) = job(future, facts, alive, move |runnable| {
                let age = if runnable.metadata().has_begun() { Age::Begun } else { Age::New };
                match lane.push(runnable, age) {
                    Ok(_) => {}
                    Err(Refused::Full(runnable)) => {
                        refuse(runnable, Refusal::Shed(Shed::QueueFull));
                    }
                    Err(Refused::Closed(runnable)) => refuse(runnable, Refusal::Stopping),
                }
            });
            runnable.schedule();
            job
        }

        /// Runs what waits, until nothing does.
        fn run(&self) {
            while self.lane.backlog().jobs > 0 {
                match self.lane.next(&self.parking, false, || true, || false) {
                    Next::Job(runnable, _) | Next::Last(runnable) => {
                        runnable.metadata().begin();
                        runnable.run();
                    }
                    Next::Owing | Next::Leave(_) | Next::Moved => return,
                }
            }
        }

        fn alive(&self) -> usize {
            self.alive.load(Ordering::Relaxed)
        }
    }

    fn outcome<T>(job: Job<T>) -> Poll<Result<T, JobError>> {
        pin!(job).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_job_runs_to_its_end() {
        let bench = Bench::new();
        let mut polls = 0;
        let job = bench.spawn(poll_fn(move |cx| {
            polls += 1;
            cx.waker().wake_by_ref();
            if polls < 3 { Poll::Pending } else { Poll::Ready(polls) }
        }));
        bench.run();
        assert_eq!(outcome(job), Poll::Ready(Ok(3)));
        assert_eq!(bench.alive(), 0);
    }

    #[test]
    fn a_dropped_job_is_dropped_by_a_worker() {
        let bench = Bench::new();
        let job = bench.spawn(pending::<()>());
        bench.run();
        assert_eq!(bench.alive(), 1);
        drop(job);
        bench.run();
        assert_eq!(bench.alive(), 0);
    }

    #[test]
    fn a_full_queue_and_a_closed_one_say_so() {
        let bench = Bench::new();
        let waiting = [bench.spawn(ready(1)), bench.spawn(ready(2))];
        let refused = bench.spawn(ready(3));
        assert_eq!(outcome(refused), Poll::Ready(Err(JobError::Shed(Shed::QueueFull))));
        for runnable in bench.lane.close() {
            refuse(runnable, Refusal::Stopping);
        }
        for job in waiting {
            assert_eq!(outcome(job), Poll::Ready(Err(JobError::Stopping)));
        }
        assert_eq!(outcome(bench.spawn(ready(4))), Poll::Ready(Err(JobError::Stopping)));
        assert_eq!(bench.alive(), 0);
    }

    #[test]
    fn panics_stay_within_their_job() {
        struct Panics;
        impl Drop for Panics {
            fn drop(&mut self) {
                panic!("in a drop");
            }
        }
        let bench = Bench::new();
        let in_poll = bench.spawn(poll_fn(|_| -> Poll<()> { panic!("in a poll") }));
        bench.run();
        let message = "in a poll".to_owned();
        assert_eq!(outcome(in_poll), Poll::Ready(Err(JobError::Panicked { message })));
        let panics = Panics;
        let in_drop = bench.spawn(async move {
            let _panics = panics;
            pending::<()>().await;
        });
        bench.run();
        drop(in_drop);
        bench.run();
        let unread = bench.spawn(async { Panics });
        bench.run();
        drop(unread);
        assert_eq!(bench.alive(), 0);
    }

    #[test]
    fn a_job_may_be_woken_from_another_thread() {
        let bench = Bench::new();
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let job = bench.spawn(receiver);
        bench.run();
        let sending = std::thread::spawn(move || sender.send(5));
        assert_eq!(sending.join().expect("it does not panic"), Ok(()));
        bench.run();
        assert_eq!(outcome(job), Poll::Ready(Ok(Ok(5))));
    }
}
