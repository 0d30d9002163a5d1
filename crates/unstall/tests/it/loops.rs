//! Runtimes whose tasks are told of their jobs in batches.

use std::future::{Future, poll_fn};
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use unstall::{Executor, JobError, Postman, Settings};

use crate::support::{executor, executor_with, soon, wall};
use crate::{PATIENCE, eventually, wait_for};

/// One worker, so that whoever calls it is the only one who can.
fn one_worker() -> Executor {
    let mut settings = Settings::for_cores(NonZeroUsize::MIN);
    settings.workers = NonZeroUsize::MIN;
    executor_with(settings, ())
}

fn runtime(executor: &Executor) -> (Runtime, Postman) {
    let mut builder = Builder::new_current_thread();
    let postman = executor.serve_runtime("loop", builder.enable_all());
    (builder.build().unwrap(), postman)
}

/// Runs a future in a loop of its own, beside its postman.
fn in_loop<F: Future>(executor: &Executor, future: F) -> F::Output {
    let (runtime, postman) = runtime(executor);
    runtime.block_on(async {
        tokio::spawn(postman);
        soon(future).await
    })
}

/// Comes back at once, and so keeps a loop from ever going to sleep.
async fn spin_until(is_so: impl Fn() -> bool) {
    poll_fn(|cx| {
        if is_so() {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Blocks the thread until a future is ready, without tokio.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unparks(Thread);
    impl Wake for Unparks {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unparks(thread::current())));
    let mut future = pin!(future);
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        assert!(Instant::now() < deadline, "it is never woken");
        thread::park_timeout(PATIENCE);
    }
}

async fn thousand_jobs(executor: &Executor) -> usize {
    let mut tasks = JoinSet::new();
    for number in 0..1_000 {
        let executor = executor.clone();
        tasks.spawn(async move {
            let job = executor.spawn("job", async move {
                if number % 3 == 0 {
                    tokio::task::yield_now().await;
                }
                number
            });
            job.await == Ok(number)
        });
    }
    tasks.join_all().await.into_iter().filter(|answered| *answered).count()
}

#[test]
fn all_jobs_of_all_loops_are_answered() {
    let executor = executor();
    let answered: usize = thread::scope(|scope| {
        let run = || in_loop(&executor, thousand_jobs(&executor));
        let loops = [(); 4].map(|()| scope.spawn(run));
        loops.into_iter().map(|each| each.join().unwrap()).sum()
    });
    assert_eq!(answered, 4_000);
}

#[test]
fn a_loop_that_never_sleeps_gets_its_answers() {
    let executor = executor();
    let answered = in_loop(&executor, async {
        let done = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&done);
        tokio::spawn(spin_until(move || seen.load(Ordering::Relaxed)));
        let answered = thousand_jobs(&executor).await;
        // One by one, too: nothing else of the loop brings the postman along.
        for _ in 0..20 {
            assert_eq!(executor.spawn("alone", async {}).await, Ok(()));
        }
        done.store(true, Ordering::Relaxed);
        answered
    });
    assert_eq!(answered, 1_000);
}

#[test]
fn a_loop_that_blocks_strands_neither_its_own_jobs_nor_those_of_others() {
    let executor = one_worker();
    in_loop(&executor, async {
        for _ in 0..20 {
            let (ran, runs) = mpsc::channel();
            let (told, also) = (ran.clone(), ran.clone());
            let own = executor.spawn("own", async move { told.send(()).unwrap() });
            let other = executor.clone();
            let others = thread::spawn(move || {
                wait_for(other.spawn("other's", async move { also.send(()).unwrap() }))
            });
            // Blocks the loop, whose summons may not have been sent.
            runs.recv_timeout(PATIENCE).unwrap();
            runs.recv_timeout(PATIENCE).unwrap();
            assert_eq!(others.join().unwrap(), Ok(()));
            let alone = executor.spawn("alone", async move { ran.send(()).unwrap() });
            runs.recv_timeout(PATIENCE).unwrap();
            assert_eq!((own.await, alone.await), (Ok(()), Ok(())));
        }
    });
}

#[test]
fn who_blocks_a_loop_until_a_job_ends_is_woken() {
    let executor = executor();
    in_loop(&executor, async {
        assert_eq!(executor.spawn("awaited", async { 1 }).await, Ok(1));
        assert_eq!(block_on(executor.spawn("blocked for", async { 2 })), Ok(2));
        let blocking = executor.block(|| 3);
        assert_eq!(block_on(blocking), Ok(3));
    });
}

#[test]
fn a_thread_that_has_left_a_loop_is_no_loop() {
    let executor = executor();
    let (runtime, postman) = runtime(&executor);
    let mut unfinished = None;
    runtime.block_on(async {
        tokio::spawn(postman);
        executor.spawn("first", async {}).await.unwrap();
        unfinished = Some(executor.spawn("second", async { 2 }));
    });
    assert_eq!(wait_for(unfinished.unwrap()), Ok(2));
    assert_eq!(block_on(executor.spawn("third", async { 3 })), Ok(3));
    assert_eq!(runtime.block_on(executor.spawn("fourth", async { 4 })), Ok(4));
}

#[test]
fn a_runtime_may_end_while_letters_wait() {
    let executor = executor();
    let alive = Arc::new(());
    let (held, wall) = wall();
    let wall = Arc::new(wall);
    let (runtime, postman) = runtime(&executor);
    let ended = Arc::new(AtomicUsize::new(0));
    runtime.block_on(async {
        tokio::spawn(postman);
        for _ in 0..3 {
            let (wall, ended) = (Arc::clone(&wall), Arc::clone(&ended));
            let job = executor.block(move || {
                wall.block();
                ended.fetch_add(1, Ordering::SeqCst);
            });
            let alive = Arc::clone(&alive);
            tokio::spawn(async move {
                let _alive = alive;
                job.await
            });
        }
        tokio::task::yield_now().await;
    });
    drop(held);
    // Nobody runs the loop: what these leave stays in its mailbox.
    eventually("all have ended", || ended.load(Ordering::SeqCst) == 3);
    drop(runtime);
    assert_eq!(Arc::strong_count(&alive), 1);
    assert_eq!(in_loop(&executor, executor.spawn("next", async { 1 })), Ok(1));
}

#[test]
fn a_task_may_be_woken_after_its_runtime_has_ended() {
    let executor = executor();
    let (held, wall) = wall();
    let (runtime, postman) = runtime(&executor);
    let mut job = executor.spawn("held", async move {
        wall.block();
        5
    });
    let (out, outside) = mpsc::channel();
    runtime.block_on(async {
        tokio::spawn(postman);
        tokio::task::yield_now().await;
        let polling = tokio::spawn(async move {
            let first = poll_fn(|cx| Poll::Ready(pin!(&mut job).poll(cx))).await;
            assert!(first.is_pending());
            out.send(job).unwrap();
        });
        polling.await.unwrap();
    });
    drop(runtime);
    let job = outside.recv().unwrap();
    drop(held);
    eventually("it has ended", || job.is_finished());
    assert_eq!(wait_for(job), Ok(5));
}

#[test]
fn a_runtime_whose_postman_is_gone_is_told_of_each_job() {
    let executor = executor();
    let (runtime, postman) = runtime(&executor);
    drop(postman);
    assert_eq!(runtime.block_on(soon(thousand_jobs(&executor))), 1_000);
    let (runtime, postman) = self::runtime(&executor);
    let answered = runtime.block_on(soon(async {
        let running = tokio::spawn(postman);
        assert_eq!(executor.spawn("by mail", async { 1 }).await, Ok(1));
        running.abort();
        assert!(running.await.unwrap_err().is_cancelled());
        thousand_jobs(&executor).await
    }));
    assert_eq!(answered, 1_000);
}

#[test]
fn a_loop_may_stop_the_executor_it_has_just_given_a_job() {
    let executor = one_worker();
    in_loop(&executor, async {
        for _ in 0..20 {
            assert_eq!(executor.spawn("before", async {}).await, Ok(()));
        }
        let job = executor.spawn("last", async {});
        let began = Instant::now();
        assert_eq!(executor.stop(PATIENCE).stuck, 0);
        assert!(began.elapsed() < PATIENCE / 2, "{:?}", began.elapsed());
        assert!(matches!(job.await, Ok(()) | Err(JobError::Stopping)));
        assert_eq!(executor.spawn("late", async {}).await, Err(JobError::Stopping));
    });
}
