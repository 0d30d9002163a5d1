//! What is reported of stalls: each once while it lasts, with its name and cause, and its end.

use std::io::Read;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::num::NonZeroUsize;
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::time::{Duration, Instant};

use unstall::{Executor, Observer, Settings, Stage, StallKind, StallReport};

use crate::{block_for, wait_for};

/// Keeps all reports.
#[derive(Clone, Debug, Default)]
struct Reports(Arc<Mutex<Vec<StallReport>>>);

impl Observer for Reports {
    fn report(&self, report: &StallReport) {
        self.0.lock().unwrap().push(report.clone());
    }
}

impl Reports {
    fn of(&self, method: &str) -> Vec<StallReport> {
        let reports = self.0.lock().unwrap();
        reports.iter().filter(|report| report.method == method).cloned().collect()
    }

    /// Waits for the report of a method at a stage.
    fn wait(&self, method: &str, stage: Stage) -> StallReport {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let found = self.of(method).into_iter().find(|report| report.stage == stage);
            if let Some(report) = found {
                return report;
            }
            assert!(Instant::now() < deadline, "no report of {method}: {:?}", self.0.lock());
            block_for(Duration::from_millis(2));
        }
    }
}

fn start() -> (Executor, Reports) {
    let reports = Reports::default();
    let settings = Settings::for_cores(NonZeroUsize::new(2).unwrap());
    (Executor::start(settings, reports.clone()).unwrap(), reports)
}

/// Runs work that lasts until it is released, and checks what is reported meanwhile.
fn check<R: Send + 'static>(
    kind: StallKind,
    syscalls: &[&str],
    culprit: &str,
    work: impl FnOnce() + Send + 'static,
    release: impl FnOnce() -> R,
) -> StallReport {
    let (executor, reports) = start();
    let job = executor.spawn("Stuck", async move { work() });
    let begun = reports.wait("Stuck", Stage::Begun);
    assert!(!job.is_finished(), "it was to be reported while it is stuck");
    let released = release();
    wait_for(job).unwrap();
    drop(released);
    let ended = reports.wait("Stuck", Stage::Ended);
    assert!(ended.elapsed >= begun.elapsed, "{:?} after {:?}", ended.elapsed, begun.elapsed);
    let begun_count =
        reports.of("Stuck").iter().filter(|report| report.stage == Stage::Begun).count();
    assert_eq!(begun_count, 1);
    assert_eq!(begun.kind, kind, "{begun}");
    if cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))) {
        let syscall = begun.syscall.clone().unwrap_or_default();
        assert!(
            syscalls.is_empty() && syscall.is_empty() || syscalls.contains(&&*syscall),
            "{begun}"
        );
        let names: Vec<_> = begun.frames.iter().map(|frame| frame.function.clone()).collect();
        assert!(names.iter().any(|name| name.contains(culprit)), "{culprit} in {names:?}");
    }
    begun
}

#[inline(never)]
fn sleeps() {
    block_for(Duration::from_millis(600));
    stays_on_the_stack();
}

/// Called last, it keeps its caller's last call from taking the caller's place on the stack.
fn stays_on_the_stack() {
    std::hint::black_box(());
}

#[test]
fn a_sleep_is_named() {
    let report = check(StallKind::Blocked, &["clock_nanosleep"], "stalls::sleeps", sleeps, || ());
    assert!(report.to_string().starts_with("Stuck blocked "), "{report}");
    assert!(report.to_string().contains("in clock_nanosleep"), "{report}");
}

#[test]
fn a_lock_is_named() {
    let lock = Arc::new(Mutex::new(()));
    let held = Arc::clone(&lock);
    let (hold, holds) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let holder = std::thread::spawn(move || {
        let _guard = held.lock().unwrap();
        hold.send(()).unwrap();
        // An error is the sign to go on as well.
        let _ = released.recv();
    });
    holds.recv().unwrap();
    #[inline(never)]
    fn locks(lock: &Mutex<()>) {
        drop(lock.lock().unwrap());
    }
    check(StallKind::Blocked, &["futex"], "locks", move || locks(&lock), || drop(release));
    holder.join().unwrap();
}

#[test]
fn a_condition_and_a_channel_are_named() {
    let pair = Arc::new((Mutex::new(false), Condvar::new()));
    let waiting = Arc::clone(&pair);
    #[inline(never)]
    fn waits(pair: &(Mutex<bool>, Condvar)) {
        drop(pair.1.wait_while(pair.0.lock().unwrap(), |ready| !*ready).unwrap());
    }
    check(
        StallKind::Blocked,
        &["futex"],
        "waits",
        move || waits(&waiting),
        || {
            *pair.0.lock().unwrap() = true;
            pair.1.notify_all();
        },
    );
    let (sender, receiver) = mpsc::channel::<()>();
    #[inline(never)]
    fn receives(receiver: &mpsc::Receiver<()>) {
        // An error is the sign to go on as well.
        let _ = receiver.recv();
        stays_on_the_stack();
    }
    let work = move || receives(&receiver);
    check(StallKind::Blocked, &["futex"], "receives", work, || drop(sender));
}

#[test]
fn reading_from_a_pipe_and_from_a_peer_is_named() {
    #[inline(never)]
    fn reads(mut from: impl Read) {
        assert_eq!(from.read(&mut [0; 8]).unwrap(), 0);
    }
    let (reader, writer) = std::io::pipe().unwrap();
    let report =
        check(StallKind::Blocked, &["read"], "reads", move || reads(reader), || drop(writer));
    assert!(report.target.unwrap().contains("pipe"));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    let calls = ["read", "recvfrom", "recv"];
    let report = check(StallKind::Blocked, &calls, "reads", move || reads(client), || drop(server));
    let peer = listener.local_addr().unwrap().to_string();
    assert!(report.target.unwrap().contains(&peer));
}

#[test]
fn a_question_to_a_silent_name_server_is_named() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let asking = UdpSocket::bind("127.0.0.1:0").unwrap();
    asking.connect(silent.local_addr().unwrap()).unwrap();
    let asker = asking.local_addr().unwrap();
    #[inline(never)]
    fn asks(socket: &UdpSocket) {
        socket.send(b"where is example.org?").unwrap();
        socket.recv(&mut [0; 64]).unwrap();
    }
    let calls = ["recvfrom", "recv", "read"];
    let work = move || asks(&asking);
    check(StallKind::Blocked, &calls, "asks", work, || silent.send_to(b"here", asker).unwrap());
}

#[test]
fn waiting_for_another_future_within_a_handler_is_named() {
    let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
    #[inline(never)]
    fn blocks_on(receiver: tokio::sync::oneshot::Receiver<()>) {
        let handle = tokio::runtime::Handle::current();
        tokio::task::block_in_place(|| handle.block_on(receiver)).unwrap();
    }
    let calls = ["futex", "epoll_wait", "epoll_pwait"];
    let work = move || blocks_on(receiver);
    check(StallKind::Blocked, &calls, "blocks_on", work, || sender.send(()).unwrap());
}

#[test]
fn a_hot_loop_is_named_as_busy() {
    let (sender, receiver) = mpsc::channel::<()>();
    #[inline(never)]
    fn computes(receiver: &mpsc::Receiver<()>) -> u64 {
        let mut sum = 0_u64;
        while receiver.try_recv() == Err(mpsc::TryRecvError::Empty) {
            for number in 0..100_000 {
                sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(number));
            }
        }
        sum
    }
    let work = move || {
        computes(&receiver);
    };
    check(StallKind::Busy, &[], "computes", work, || drop(sender));
}

#[test]
fn a_stall_is_reported_again_whenever_it_has_doubled_and_when_it_ends() {
    let (executor, reports) = start();
    wait_for(executor.spawn("Long", async { block_for(Duration::from_millis(900)) })).unwrap();
    let ended = reports.wait("Long", Stage::Ended);
    assert!(ended.elapsed >= Duration::from_millis(850), "{:?}", ended.elapsed);
    let lasting: Vec<_> = reports.of("Long").into_iter().map(|it| (it.stage, it.elapsed)).collect();
    assert!((3..=6).contains(&lasting.len()), "{lasting:?}");
    assert!(lasting.is_sorted_by_key(|(_, elapsed)| *elapsed), "{lasting:?}");
    assert!(ended.to_string().starts_with("Long was blocked "), "{ended}");
    assert!(ended.syscall.is_some(), "the end says what it was");
}

#[test]
fn many_stalls_of_one_method_are_one_report_and_a_count() {
    let (executor, reports) = start();
    let jobs: Vec<_> = (0..20)
        .map(|_| executor.spawn("Many", async { block_for(Duration::from_millis(300)) }))
        .collect();
    for job in jobs {
        wait_for(job).unwrap();
    }
    reports.wait("Many", Stage::Ended);
    block_for(Settings::for_this_machine().report_interval);
    wait_for(executor.spawn("Next", async { block_for(Duration::from_millis(200)) })).unwrap();
    let begun =
        reports.of("Many").into_iter().filter(|report| report.stage == Stage::Begun).count();
    assert_eq!(begun, 1);
    let suppressed: u64 = reports.0.lock().unwrap().iter().map(|report| report.suppressed).sum();
    assert_eq!(suppressed, 19);
}

#[test]
fn those_that_wait_for_one_lock_are_one_convoy() {
    let (executor, reports) = start();
    let lock = Arc::new(Mutex::new(()));
    let guard = lock.lock().unwrap();
    let jobs: Vec<_> = ["A", "B", "C", "D"]
        .map(|method| {
            let lock = Arc::clone(&lock);
            executor.spawn(method, async move { drop(lock.lock().unwrap()) })
        })
        .into();
    let deadline = Instant::now() + Duration::from_secs(20);
    let begun = || {
        let reports = reports.0.lock().unwrap();
        reports.iter().filter(|report| report.stage == Stage::Begun).cloned().collect::<Vec<_>>()
    };
    while begun().is_empty() {
        assert!(Instant::now() < deadline, "not reported in time");
        block_for(Duration::from_millis(5));
    }
    block_for(Duration::from_millis(200));
    drop(guard);
    for job in jobs {
        wait_for(job).unwrap();
    }
    let begun = begun();
    assert_eq!(begun.len(), 1, "{begun:?}");
    assert_eq!(begun[0].convoy, 3);
    assert!(begun[0].to_string().ends_with("3 more wait for the same lock"), "{}", begun[0]);
}

#[test]
fn a_task_that_blocks_the_auxiliary_runtime_is_reported() {
    let (executor, reports) = start();
    let job = executor.spawn("Spawns", async {
        tokio::spawn(async { block_for(Duration::from_millis(400)) }).await.unwrap();
    });
    let report = reports.wait("(tokio::spawn)", Stage::Begun);
    assert_eq!(report.kind, StallKind::Blocked);
    wait_for(job).unwrap();
    reports.wait("(tokio::spawn)", Stage::Ended);
    assert!(reports.of("Spawns").is_empty(), "it awaits, and does not stall");
}

#[test]
fn a_busy_auxiliary_runtime_is_no_stall() {
    let (executor, reports) = start();
    let job = executor.spawn("Busy", async {
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                tokio::spawn(async {
                    let began = Instant::now();
                    while began.elapsed() < Duration::from_millis(400) {
                        tokio::task::yield_now().await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    wait_for(job).unwrap();
    assert!(reports.of("(tokio::spawn)").is_empty(), "{:?}", reports.of("(tokio::spawn)"));
}

#[test]
fn work_that_is_known_to_block_is_not_reported() {
    let (executor, reports) = start();
    wait_for(executor.block(|| block_for(Duration::from_millis(300)))).unwrap();
    assert!(reports.0.lock().unwrap().is_empty());
}

#[test]
fn a_method_that_computes_is_moved_to_the_slow_lane_and_later_sent_back() {
    let (executor, _) = start();
    let method = executor.method("Computes");
    let compute = |length| {
        wait_for(executor.spawn_method(&method, async move {
            let began = Instant::now();
            while began.elapsed() < length {
                std::hint::black_box(began);
            }
        }))
        .unwrap();
    };
    let deadline = Instant::now() + Duration::from_secs(20);
    while method.lane() == unstall::Lane::Express {
        assert!(Instant::now() < deadline, "not moved in time");
        compute(Duration::from_millis(50));
    }
    while method.lane() == unstall::Lane::Slow {
        assert!(Instant::now() < deadline, "not sent back in time");
        compute(Duration::ZERO);
        block_for(Duration::from_millis(10));
    }
}
