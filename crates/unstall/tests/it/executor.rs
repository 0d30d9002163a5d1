//! Jobs on an executor: results, panics, refusals, growth, the end.

use std::future::{Future, pending, poll_fn};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::Poll;
use std::time::{Duration, Instant};

use unstall::{Executor, JobError, Settings, Shed};

use crate::{block_for, wait_for};

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
fn sleepers_do_not_hold_up_others() {
    let executor = start(|_| {});
    let sleep = || async { block_for(Duration::from_secs(1)) };
    let began = Instant::now();
    let sleepers: Vec<_> = (0..100).map(|_| executor.spawn("sleeper", sleep())).collect();
    assert_eq!(wait_for(executor.spawn("other", async { 1 })), Ok(1));
    assert!(began.elapsed() < Duration::from_millis(900), "{:?}", began.elapsed());
    for sleeper in sleepers {
        wait_for(sleeper).unwrap();
    }
    // One after the other on three workers, it would be 33 s.
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
}

#[test]
fn a_task_woken_by_one_that_then_blocks_runs_at_once() {
    let executor = start(|_| {});
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let woken = executor.spawn("woken", async move {
        let sent: Instant = receiver.await.unwrap();
        sent.elapsed()
    });
    let waker = executor.spawn("waker", async move {
        sender.send(Instant::now()).unwrap();
        block_for(Duration::from_secs(2));
    });
    let waited = wait_for(woken).unwrap();
    assert!(waited < Duration::from_secs(1), "{waited:?}");
    wait_for(waker).unwrap();
}

#[test]
fn a_method_holds_half_of_the_workers_at_most() {
    let executor = start(|settings| settings.workers_max = NonZeroUsize::new(16).unwrap());
    let running = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let jobs: Vec<_> = (0..40)
        .map(|_| {
            let (running, most) = (Arc::clone(&running), Arc::clone(&most));
            executor.spawn("greedy", async move {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                block_for(Duration::from_millis(500));
                running.fetch_sub(1, Ordering::SeqCst);
            })
        })
        .collect();
    let results: Vec<_> = jobs.into_iter().map(wait_for).collect();
    let shed = Err(JobError::Shed(Shed::MethodStuck));
    assert!(results.iter().all(|result| result.is_ok() || *result == shed), "{results:?}");
    assert!(results.contains(&shed));
    assert_eq!(most.load(Ordering::SeqCst), 8);
}

#[test]
fn with_all_workers_stuck_an_innocent_method_is_served_and_the_others_are_shed() {
    let executor = start(|settings| settings.workers_max = NonZeroUsize::new(16).unwrap());
    let (release, gate) = mpsc::channel::<()>();
    let gate = Arc::new(Mutex::new(gate));
    let stuck: Vec<_> = (0..60)
        .map(|job| {
            let gate = Arc::clone(&gate);
            let name = ["one", "two", "three"][job % 3];
            executor.spawn(name, async move {
                // An error is the sign to go on as well.
                let _ = gate.lock().map(|gate| gate.recv());
            })
        })
        .collect();
    let deadline = Instant::now() + Duration::from_secs(10);
    while stuck.iter().filter(|job| job.is_finished()).count() < 60 - 16 {
        assert!(Instant::now() < deadline, "not shed in time");
        block_for(Duration::from_millis(5));
    }
    for _ in 0..20 {
        assert_eq!(wait_for(executor.spawn("health", async { 1 })), Ok(1));
    }
    assert!(matches!(wait_for(executor.spawn("one", async {})), Err(JobError::Shed(_))));
    drop(release);
    let done = stuck.into_iter().map(wait_for).filter(Result::is_ok).count();
    assert!((8..=16).contains(&done), "{done}");
    let deadline = Instant::now() + Duration::from_secs(10);
    while wait_for(executor.spawn("one", async {})).is_err() {
        assert!(Instant::now() < deadline, "not recovered in time");
        block_for(Duration::from_millis(5));
    }
}

#[test]
fn a_full_queue_refuses_new_jobs_and_loses_no_begun_one() {
    let executor = start(|settings| {
        settings.queue_len_max = NonZeroUsize::new(2).unwrap();
        settings.workers = NonZeroUsize::new(1).unwrap();
        settings.workers_max = NonZeroUsize::new(2).unwrap();
    });
    let begun: Vec<_> = (0..50)
        .map(|_| {
            let job = executor.spawn("yields", async {
                for _ in 0..100 {
                    yield_once().await;
                }
            });
            block_for(Duration::from_millis(1));
            job
        })
        .collect();
    let results: Vec<_> = begun.into_iter().map(wait_for).collect();
    assert!(results.iter().all(|result| matches!(result, Ok(()) | Err(JobError::Shed(_)))));
    assert!(results.iter().any(Result::is_ok));
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
    let executor = start(|_| {});
    let waiting = executor.spawn("waits", pending::<()>());
    let (release, gate) = mpsc::channel::<()>();
    let stuck = executor.spawn("stuck", async move {
        // An error is the sign to go on as well.
        let _ = gate.recv();
        5
    });
    block_for(Duration::from_millis(20));
    assert_eq!(executor.stop(Duration::from_millis(50)).stuck, 1);
    assert_eq!(wait_for(executor.spawn("late", async {})), Err(JobError::Stopping));
    drop(release);
    assert_eq!(wait_for(stuck), Ok(5));
    assert_eq!(executor.stop(Duration::from_secs(10)).stuck, 0);
    drop(waiting);
}

#[test]
fn blocking_work_gets_a_thread_at_once() {
    let executor = start(|_| {});
    let began = Instant::now();
    let jobs: Vec<_> =
        (0..20).map(|_| executor.block(|| block_for(Duration::from_millis(500)))).collect();
    for job in jobs {
        wait_for(job).unwrap();
    }
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}
