//! What is reported of stalls: each once while it lasts, with its name and cause, and its end.

use std::io::Read;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use unstall::{Executor, Observer, Settings, Stage, StallKind, StallReport};

use crate::support::{Reports, Wall, wall};
use crate::{SEES, block_for, compute_while, eventually, wait_for};

fn start() -> (Executor, Reports) {
    let reports = Reports::default();
    (Executor::start(settings(3), reports.clone()).unwrap(), reports)
}

fn settings(workers: usize) -> Settings {
    let mut settings = Settings::for_cores(NonZeroUsize::new(2).unwrap());
    settings.workers = NonZeroUsize::new(workers).unwrap();
    settings
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
    // A thread that computes is looked at while it has a CPU: maybe only at a later report.
    let shows =
        |report: &StallReport| report.frames.iter().any(|frame| frame.function.contains(culprit));
    eventually(culprit, || !SEES || reports.of("Stuck").iter().any(shows));
    let released = release();
    wait_for(job).unwrap();
    drop(released);
    let ended = reports.wait("Stuck", Stage::Ended);
    assert!(ended.elapsed >= begun.elapsed, "{:?} after {:?}", ended.elapsed, begun.elapsed);
    let begun_count =
        reports.of("Stuck").iter().filter(|report| report.stage == Stage::Begun).count();
    assert_eq!(begun_count, 1);
    assert_eq!(begun.kind, if SEES { kind } else { StallKind::Unknown }, "{begun}");
    if SEES {
        let syscall = begun.syscall.clone().unwrap_or_default();
        assert!(
            syscalls.is_empty() && syscall.is_empty() || syscalls.contains(&&*syscall),
            "{begun}"
        );
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
    if SEES {
        assert!(report.to_string().starts_with("Stuck blocked "), "{report}");
        assert!(report.to_string().contains("in clock_nanosleep"), "{report}");
    }
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
    assert!(!SEES || report.target.unwrap().contains("pipe"));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    let calls = ["read", "recvfrom", "recv"];
    let report = check(StallKind::Blocked, &calls, "reads", move || reads(client), || drop(server));
    let peer = listener.local_addr().unwrap().to_string();
    assert!(!SEES || report.target.unwrap().contains(&peer));
}

#[test]
fn waiting_for_a_datagram_is_named() {
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
    fn computes(receiver: &mpsc::Receiver<()>) {
        compute_while(|| receiver.try_recv() == Err(mpsc::TryRecvError::Empty));
        stays_on_the_stack();
    }
    let work = move || computes(&receiver);
    check(StallKind::Busy, &[], "computes", work, || drop(sender));
}

#[test]
fn a_stall_is_reported_again_whenever_it_has_doubled_and_when_it_ends() {
    let (executor, reports) = start();
    wait_for(executor.spawn("Long", async { block_for(Duration::from_millis(900)) })).unwrap();
    let ended = reports.wait("Long", Stage::Ended);
    assert!(ended.elapsed >= Duration::from_millis(850), "{:?}", ended.elapsed);
    let lasting: Vec<_> = reports.of("Long").into_iter().map(|it| (it.stage, it.elapsed)).collect();
    // On a busy machine it may last longer: from 50 ms on, once more for each doubling.
    let doublings = (ended.elapsed.as_millis() / 50).ilog2() as usize;
    assert!((3..=doublings + 3).contains(&lasting.len()), "{lasting:?}");
    assert!(lasting.is_sorted_by_key(|(_, elapsed)| *elapsed), "{lasting:?}");
    if SEES {
        assert!(ended.to_string().starts_with("Long was blocked "), "{ended}");
        assert!(ended.syscall.is_some(), "the end says what it was");
    }
}

/// Counts how often the machine paused, and what was left out.
#[derive(Clone, Default)]
struct Counted(Reports, Arc<AtomicUsize>, Arc<AtomicU64>);

impl Observer for Counted {
    fn report(&self, report: &StallReport) {
        self.0.report(report);
        self.2.fetch_add(report.suppressed, Ordering::SeqCst);
    }

    fn stall(&self, _: &str, kind: StallKind) {
        self.1.fetch_add(usize::from(kind == StallKind::HostStarved), Ordering::SeqCst);
    }
}

#[test]
fn many_stalls_of_one_method_are_one_report_and_a_count() {
    let Counted(reports, pauses, suppressed) = Counted::default();
    let counted = Counted(reports.clone(), Arc::clone(&pauses), Arc::clone(&suppressed));
    let executor = Executor::start(settings(20), counted).unwrap();
    let jobs: Vec<_> = (0..20)
        .map(|_| executor.spawn("Many", async { block_for(Duration::from_millis(300)) }))
        .collect();
    for job in jobs {
        wait_for(job).unwrap();
    }
    reports.wait("Many", Stage::Ended);
    block_for(Settings::for_this_machine().report_interval);
    wait_for(executor.spawn("Next", async { block_for(Duration::from_millis(200)) })).unwrap();
    reports.wait("Next", Stage::Ended);
    let begun = reports.begun().into_iter().filter(|report| report.method == "Many").count();
    assert_eq!(begun, 1);
    // Pauses of the machine are reports as well, and may be left out.
    let pauses = pauses.load(Ordering::SeqCst) as u64;
    let suppressed = suppressed.load(Ordering::SeqCst);
    assert!((19..=19 + pauses).contains(&suppressed), "{suppressed}, {pauses} pauses");
}

#[inline(never)]
fn the_first_culprit(wall: &Wall) {
    wall.block();
    stays_on_the_stack();
}

#[inline(never)]
fn the_second_culprit(wall: &Wall) {
    wall.block();
    stays_on_the_stack();
}

#[test]
fn a_second_culprit_of_a_method_is_named_once_the_interval_has_passed() {
    let (executor, reports) = start();
    let (first_held, first_wall) = wall();
    let first = executor.spawn("Two", async move { the_first_culprit(&first_wall) });
    reports.wait("Two", Stage::Begun);
    let (second_held, second_wall) = wall();
    let second = executor.spawn("Two", async move { the_second_culprit(&second_wall) });
    block_for(Duration::from_millis(200));
    drop(first_held);
    wait_for(first).unwrap();
    eventually("both are told", || reports.begun().len() == 2);
    drop(second_held);
    wait_for(second).unwrap();
    if SEES {
        for (report, culprit) in reports.begun().iter().zip(["first", "second"]) {
            let mut names = report.frames.iter().map(|frame| &frame.function);
            assert!(names.any(|name| name.contains(culprit)), "{culprit} in {report:?}");
        }
    }
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "what a thread waits for is not known here")]
fn those_that_wait_for_one_lock_are_one_convoy() {
    let reports = Reports::default();
    let mut settings = settings(6);
    // All are inside long before it is told.
    settings.report_after = Duration::from_millis(500);
    let executor = Executor::start(settings, reports.clone()).unwrap();
    let lock = Arc::new(Mutex::new(()));
    let guard = lock.lock().unwrap();
    let (go, gone) = tokio::sync::watch::channel(false);
    let inside = Arc::new(AtomicUsize::new(0));
    let jobs: Vec<_> = ["A", "B", "C", "D"]
        .map(|method| {
            let (lock, inside) = (Arc::clone(&lock), Arc::clone(&inside));
            let mut gone = gone.clone();
            executor.spawn(method, async move {
                inside.fetch_add(1, Ordering::SeqCst);
                gone.wait_for(|gone| *gone).await.unwrap();
                drop(lock.lock().unwrap());
            })
        })
        .into();
    eventually("all are inside", || inside.load(Ordering::SeqCst) == 4);
    go.send(true).unwrap();
    eventually("one is told", || !reports.begun().is_empty());
    block_for(Duration::from_millis(200));
    drop(guard);
    for job in jobs {
        wait_for(job).unwrap();
    }
    let begun = reports.begun();
    assert_eq!(begun.len(), 1, "{begun:?}");
    assert_eq!(begun[0].convoy, 3);
    assert!(begun[0].to_string().ends_with("3 more wait for the same lock"), "{}", begun[0]);
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "threads of runtimes are not seen here")]
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
    assert!(reports.all().is_empty(), "{:?}", reports.all());
}

#[test]
fn a_task_that_blocks_in_place_leaves_no_false_report() {
    let (executor, reports) = start();
    for _ in 0..3 {
        let job = executor.spawn("Spawns", async {
            let blocks = || block_for(Duration::from_millis(10));
            tokio::spawn(async move { tokio::task::block_in_place(blocks) }).await.unwrap();
        });
        wait_for(job).unwrap();
    }
    block_for(Duration::from_millis(1_500));
    assert!(reports.all().is_empty(), "{:?}", reports.all());
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "threads of runtimes are not seen here")]
fn one_thread_that_serves_two_executors_in_turn_is_told_of_to_the_right_one() {
    let (first, firsts) = start();
    let (second, seconds) = start();
    std::thread::spawn(move || {
        for (executor, name) in [(&first, "First"), (&second, "Second")] {
            let mut builder = Builder::new_current_thread();
            executor.watch_runtime(name, builder.enable_all());
            builder.build().unwrap().block_on(async {
                tokio::time::sleep(Duration::from_millis(10)).await;
                block_for(Duration::from_millis(1_500));
                tokio::time::sleep(Duration::from_millis(10)).await;
            });
        }
    })
    .join()
    .unwrap();
    for (reports, name) in [(firsts, "First"), (seconds, "Second")] {
        reports.wait(name, Stage::Ended);
        let begun: Vec<_> = reports.begun().into_iter().map(|report| report.method).collect();
        assert_eq!(begun, [name]);
    }
}
