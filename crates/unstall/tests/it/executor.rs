//! Jobs on an executor: results, panics, refusals, the end.

use std::future::{Future, pending, poll_fn};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::time::{Duration, Instant};

use unstall::{Executor, Job, JobError, Settings, Shed};

use crate::support::wall;
use crate::{PATIENCE, block_for, compute_while, eventually, wait_for};

fn start(change: impl FnOnce(&mut Settings)) -> Executor {
    let mut settings = Settings::for_cores(NonZeroUsize::new(2).unwrap());
    change(&mut settings);
    Executor::start(settings, ()).unwrap()
}

#[test]
fn a_job_gives_its_result() {
    let executor = start(|_| {});
    assert_eq!(wait_for(executor.spawn("add", async { 40 + 2 })), Ok(42));
    assert_eq!(wait_for(executor.block(|| "done")), Ok("done"));
}

#[test]
fn tokio_works_inside_jobs() {
    let executor = start(|_| {});
    let job = executor.spawn("tokio", async {
        tokio::time::sleep(Duration::from_millis(2)).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connecting = tokio::spawn(tokio::net::TcpStream::connect(address));
        let (accepted, _) = listener.accept().await.unwrap();
        let connected = connecting.await.unwrap().unwrap();
        let inner = tokio::task::spawn_blocking(|| 7).await.unwrap();
        drop((accepted, connected));
        inner
    });
    assert_eq!(wait_for(job), Ok(7));
}

#[test]
fn nested_runtimes_work_inside_jobs() {
    let executor = start(|_| {});
    let job = executor.spawn("nested", async {
        let handle = tokio::runtime::Handle::current();
        let first = tokio::task::block_in_place(|| handle.block_on(async { 1 }));
        first + futures_executor(async { 2 })
    });
    assert_eq!(wait_for(job), Ok(3));
}

fn futures_executor<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    std::thread::scope(|scope| {
        let _ = scope;
        tokio::task::block_in_place(|| runtime.block_on(future))
    })
}

#[test]
fn a_panic_is_an_error_of_its_job_alone() {
    let executor = start(|_| {});
    let job = executor.spawn("panics", async { panic!("no such book: {}", 5) });
    let message = "no such book: 5".to_owned();
    assert_eq!(wait_for(job), Err::<(), _>(JobError::Panicked { message }));
    assert_eq!(wait_for(executor.spawn("next", async { 1 })), Ok(1));
}

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("dropped");
        }
    }
}

#[test]
fn a_panic_in_a_drop_harms_nobody() {
    let executor = start(|_| {});
    let job = executor.spawn("future", async {
        let held = PanicsWhenDropped;
        pending::<()>().await;
        drop(held);
    });
    drop(job);
    let output = executor.spawn("output", async { PanicsWhenDropped });
    while !output.is_finished() {
        block_for(Duration::from_millis(1));
    }
    drop(output);
    assert_eq!(wait_for(executor.spawn("next", async { 1 })), Ok(1));
}

#[test]
fn a_dropped_job_is_cancelled_and_a_detached_one_is_not() {
    let executor = start(|_| {});
    let (told, tells) = mpsc::channel();
    struct Tell(mpsc::Sender<&'static str>);
    impl Drop for Tell {
        fn drop(&mut self) {
            self.0.send("dropped").unwrap();
        }
    }
    let tell = Tell(told.clone());
    let job = executor.spawn("cancelled", async move {
        let _tell = tell;
        pending::<()>().await;
    });
    drop(job);
    assert_eq!(tells.recv().unwrap(), "dropped");
    executor.spawn("detached", async move { told.send("ran").unwrap() }).detach();
    assert_eq!(tells.recv().unwrap(), "ran");
}

#[test]
fn a_full_queue_refuses_new_jobs_and_loses_no_begun_one() {
    const BEGUN: usize = 10;
    let executor = start(|settings| {
        settings.queue_len_max = NonZeroUsize::new(2).unwrap();
        settings.workers = NonZeroUsize::new(2).unwrap();
        settings.workers_max = NonZeroUsize::new(2).unwrap();
    });
    let count = Arc::new(AtomicUsize::new(0));
    let counted = |expected| count.load(Ordering::SeqCst) == expected;
    let (go, gone) = tokio::sync::watch::channel(false);
    let begun: Vec<_> = (1..=BEGUN)
        .map(|number| {
            let (count, mut gone) = (Arc::clone(&count), gone.clone());
            let job = executor.spawn("begun", async move {
                count.fetch_add(1, Ordering::SeqCst);
                gone.wait_for(|gone| *gone).await.unwrap();
                for _ in 0..10 {
                    yield_once().await;
                }
            });
            eventually("it has begun", || counted(number));
            job
        })
        .collect();
    let (held, wall) = wall();
    let wall = Arc::new(wall);
    let stuck = [1, 2].map(|number| {
        let (count, wall) = (Arc::clone(&count), Arc::clone(&wall));
        let job = executor.spawn("stuck", async move {
            count.fetch_add(1, Ordering::SeqCst);
            wall.block();
        });
        eventually("it is at the wall", || counted(BEGUN + number));
        job
    });
    let new = || executor.spawn("new", async {});
    let mut waiting: Vec<_> = (0..5).map(|_| new()).collect();
    for refused in waiting.split_off(2) {
        assert_eq!(wait_for(refused), Err(JobError::Shed(Shed::QueueFull)));
    }
    assert!(!waiting.iter().any(Job::is_finished));
    go.send(true).unwrap();
    assert_eq!(wait_for(new()), Err(JobError::Shed(Shed::QueueFull)));
    drop(held);
    for job in begun.into_iter().chain(stuck).chain(waiting) {
        assert_eq!(wait_for(job), Ok(()));
    }
}

fn yield_once() -> impl Future<Output = ()> {
    let mut yielded = false;
    poll_fn(move |cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}

#[test]
fn too_many_jobs_alive_are_refused() {
    let executor = start(|settings| settings.jobs_max = NonZeroUsize::new(3).unwrap());
    let waiting: Vec<_> = (0..3).map(|_| executor.spawn("waits", pending::<()>())).collect();
    let one_more = executor.spawn("waits", pending::<()>());
    assert_eq!(wait_for(one_more), Err(JobError::Shed(Shed::JobsFull)));
    drop(waiting);
    let deadline = Instant::now() + Duration::from_secs(10);
    while wait_for(executor.spawn("runs", async {})).is_err() {
        assert!(Instant::now() < deadline, "dropped jobs still count");
        block_for(Duration::from_millis(1));
    }
}

#[test]
fn stopping_ends_waiting_jobs_and_leaves_stuck_threads_alone() {
    let executor = start(|settings| {
        settings.workers = NonZeroUsize::MIN;
        settings.workers_max = NonZeroUsize::MIN;
    });
    let (told, tells) = mpsc::channel();
    let (held, wall) = wall();
    let stuck = executor.spawn("stuck", async move {
        told.send(()).unwrap();
        wall.block();
        5
    });
    tells.recv().unwrap();
    let queued: Vec<_> = (0..3).map(|_| executor.spawn("queued", async {})).collect();
    let stopped = executor.stop(Duration::from_millis(50));
    assert_eq!((stopped.stuck, stopped.methods), (1, vec!["stuck".to_owned()]));
    for job in queued {
        assert_eq!(wait_for(job), Err(JobError::Stopping));
    }
    assert_eq!(wait_for(executor.spawn("late", async {})), Err(JobError::Stopping));
    drop(held);
    assert_eq!(wait_for(stuck), Ok(5));
    assert_eq!(executor.stop(PATIENCE).stuck, 0);
}

#[test]
fn a_job_that_is_woken_after_the_stop_ends_with_stopping() {
    let executor = start(|_| {});
    let (told, tells) = mpsc::channel();
    let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
    let waiting = executor.spawn("waits", async move {
        told.send(()).unwrap();
        receiver.await
    });
    tells.recv().unwrap();
    assert_eq!(executor.stop(PATIENCE).stuck, 0);
    assert!(!waiting.is_finished());
    // Nobody receives it if the job is gone by then.
    let _ = sender.send(());
    assert_eq!(wait_for(waiting), Err(JobError::Stopping));
}

#[test]
fn a_stop_ends_when_the_last_job_does_though_that_one_changes_lanes() {
    let executor = start(|_| {});
    let (told, tells) = mpsc::channel();
    let computing = executor.spawn("computes", async move {
        told.send(()).unwrap();
        let began = Instant::now();
        compute_while(|| began.elapsed() < Duration::from_millis(100));
    });
    tells.recv().unwrap();
    let began = Instant::now();
    assert_eq!(executor.stop(PATIENCE).stuck, 0);
    assert!(began.elapsed() < PATIENCE / 2, "{:?}", began.elapsed());
    assert_eq!(wait_for(computing), Ok(()));
}

#[test]
fn timers_go_on_while_a_stop_waits() {
    let executor = start(|_| {});
    let (told, tells) = mpsc::channel();
    let job = executor.spawn("nested", async move {
        told.send(()).unwrap();
        let handle = tokio::runtime::Handle::current();
        tokio::task::block_in_place(|| {
            handle.block_on(tokio::time::sleep(Duration::from_millis(100)));
        });
    });
    tells.recv().unwrap();
    assert_eq!(executor.stop(PATIENCE).stuck, 0);
    assert_eq!(wait_for(job), Ok(()));
}

#[test]
fn jobs_that_are_held_back_end_when_the_executor_stops() {
    let executor = start(|settings| {
        settings.workers = NonZeroUsize::new(4).unwrap();
        settings.workers_max = NonZeroUsize::new(10).unwrap();
    });
    let count = Arc::new(AtomicUsize::new(0));
    let (go, gone) = tokio::sync::watch::channel(false);
    let (held, wall) = wall();
    let wall = Arc::new(wall);
    let jobs: Vec<_> = (0..20)
        .map(|_| {
            let (count, wall, mut gone) = (Arc::clone(&count), Arc::clone(&wall), gone.clone());
            executor.spawn("greedy", async move {
                count.fetch_add(1, Ordering::SeqCst);
                gone.wait_for(|gone| *gone).await.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                wall.block();
            })
        })
        .collect();
    eventually("all have begun", || count.load(Ordering::SeqCst) == 20);
    go.send(true).unwrap();
    // Half of the workers it may have; at least four are there from the start.
    eventually("some are stuck", || count.load(Ordering::SeqCst) >= 24);
    let stopped = executor.stop(Duration::from_millis(50));
    assert!(stopped.stuck <= 5, "{stopped:?}");
    drop(held);
    let results: Vec<_> = jobs.into_iter().map(wait_for).collect();
    let stopping = results.iter().filter(|result| **result == Err(JobError::Stopping)).count();
    let done = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!((done + stopping, (4..=5).contains(&done)), (20, true), "{results:?}");
}

#[test]
fn blocking_work_gets_a_thread_at_once() {
    let executor = start(|_| {});
    let inside = Arc::new(AtomicUsize::new(0));
    let (held, wall) = wall();
    let wall = Arc::new(wall);
    let jobs: Vec<_> = (0..20)
        .map(|_| {
            let (inside, wall) = (Arc::clone(&inside), Arc::clone(&wall));
            executor.block(move || {
                inside.fetch_add(1, Ordering::SeqCst);
                wall.block();
            })
        })
        .collect();
    eventually("all are inside", || inside.load(Ordering::SeqCst) == 20);
    drop(held);
    for job in jobs {
        wait_for(job).unwrap();
    }
}
