//! Threads that are stuck in every usual way, looked at from outside.

use std::future::Future;
use std::io::Read;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::*;
use crate::kernel::tests::{is_alone, run_alone};
use crate::kernel::{Sight, SystemCall, Thread, View, probe};
use crate::raw;

/// A thread that is about to get stuck.
struct Victim {
    thread: Thread,
    handle: JoinHandle<()>,
}

fn victim(body: impl FnOnce() + Send + 'static) -> Victim {
    let (introduce, meet) = mpsc::channel();
    let handle = std::thread::Builder::new()
        .name("victim".to_owned())
        .spawn(move || {
            introduce.send(Thread::current()).expect("the test waits");
            body();
        })
        .expect("a thread can be had");
    let thread = meet.recv().expect("the thread introduces itself");
    Victim { thread, handle }
}

/// Looks again and again until there is something to see.
#[expect(clippy::disallowed_methods, reason = "waits for another thread")]
fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(begin.elapsed() < Duration::from_secs(20), "never seen");
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Waits until a thread is in this system call and stays there.
fn until_in(thread: &Thread, name: &str) -> SystemCall {
    until(|| match thread.view() {
        View::Blocked(call) if call.name() == name => Some(call),
        _ => None,
    })
}

/// Waits until a thread has ended: that is a little after it was joined.
fn until_gone(thread: &Thread) {
    until(|| (thread.view() == View::Gone).then_some(()));
}

/// What a stuck thread must look like.
struct Expected {
    call: &'static str,
    target: Option<String>,
    function: &'static str,
}

fn check(expected: &Expected, body: impl FnOnce() + Send + 'static, release: impl FnOnce()) {
    let Victim { thread, handle } = victim(body);
    let mut tracer = Tracer::new();
    let (call, stack) = until(|| {
        let call = until_in(&thread, expected.call);
        // It may be on its way to the place where it stays.
        let stack = tracer.blocked(&thread, call.sp, call.pc)?;
        let culprit = culprit(&stack.frames)?;
        culprit.function.contains(expected.function).then_some((call, stack))
    });
    assert_eq!(call.target(), expected.target, "the target of {}", expected.call);
    assert!(stack.exact, "not exact: {stack:#?}");
    let culprit = culprit(&stack.frames).expect("found above");
    assert!(culprit.certain);
    if cfg!(debug_assertions) {
        let place = culprit.location().expect("there is debug information");
        assert!(place.contains("src/stack/tests.rs:"), "{place}");
    }
    release();
    handle.join().expect("the thread ends in peace");
    until_gone(&thread);
}

fn expected(call: &'static str, target: Option<&str>, function: &'static str) -> Expected {
    Expected { call, target: target.map(str::to_owned), function }
}

#[inline(never)]
#[expect(clippy::disallowed_methods, reason = "the very thing to be found")]
fn sleeps() {
    std::thread::sleep(Duration::from_millis(1500));
    std::hint::black_box(());
}

#[test]
fn a_sleeping_thread_is_named_with_its_duration() {
    check(&expected("clock_nanosleep", Some("1.5 s"), "sleeps"), sleeps, || ());
}

#[inline(never)]
fn locks(mutex: &Mutex<()>) {
    drop(std::hint::black_box(mutex.lock()));
}

#[test]
fn a_thread_that_waits_for_a_lock_is_named() {
    let mutex = Arc::new(Mutex::new(()));
    let guard = mutex.lock().expect("nobody panicked");
    let other = Arc::clone(&mutex);
    check(&expected("futex", None, "locks"), move || locks(&other), || drop(guard));
}

#[inline(never)]
fn awaits_news(pair: &(Mutex<bool>, Condvar)) {
    let (mutex, condvar) = pair;
    let guard = mutex.lock().expect("nobody panicked");
    drop(std::hint::black_box(condvar.wait_while(guard, |done| !*done)));
}

#[test]
fn a_thread_that_waits_for_a_condition_is_named() {
    let pair = Arc::new((Mutex::new(false), Condvar::new()));
    let other = Arc::clone(&pair);
    check(
        &expected("futex", None, "awaits_news"),
        move || awaits_news(&other),
        || {
            *pair.0.lock().expect("nobody panicked") = true;
            pair.1.notify_all();
        },
    );
}

#[inline(never)]
fn receives(channel: &mpsc::Receiver<()>) {
    let _ = std::hint::black_box(channel.recv());
}

#[test]
fn a_thread_that_waits_for_a_message_is_named() {
    let (send, receive) = mpsc::channel();
    check(&expected("futex", None, "receives"), move || receives(&receive), || drop(send));
}

#[inline(never)]
fn reads(mut source: impl Read) {
    let _ = std::hint::black_box(source.read(&mut [0; 1]));
}

#[test]
fn a_thread_that_reads_a_pipe_is_named() {
    let (reader, writer) = std::io::pipe().expect("a pipe can be had");
    check(&expected("read", Some("pipe"), "reads"), move || reads(reader), || drop(writer));
}

#[test]
fn a_thread_that_reads_from_a_peer_is_named_with_the_peer() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback is up");
    let address = listener.local_addr().expect("it is bound");
    let client = TcpStream::connect(address).expect("it listens");
    let (server, _) = listener.accept().expect("it connected");
    check(
        &expected("recvfrom", Some(&format!("tcp {address}")), "reads"),
        move || reads(client),
        || drop(server),
    );
}

#[inline(never)]
fn polls(socket: &UdpSocket) {
    let _ = std::hint::black_box(raw::poll_readable(socket.as_raw_fd(), Duration::from_secs(20)));
}

#[test]
fn a_thread_that_polls_a_name_server_is_named_with_the_server() {
    let server = UdpSocket::bind("127.0.0.1:0").expect("loopback is up");
    let address = server.local_addr().expect("it is bound");
    let client = UdpSocket::bind("127.0.0.1:0").expect("loopback is up");
    client.connect(address).expect("loopback is up");
    let home = client.local_addr().expect("it is bound");
    check(
        &expected("poll", Some(&format!("udp {address}")), "polls"),
        move || polls(&client),
        || {
            server.send_to(&[0], home).expect("loopback is up");
        },
    );
}

struct Unpark(std::thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Ends when it is told so.
struct Told(Arc<(AtomicBool, Mutex<Option<Waker>>)>);

impl Future for Told {
    type Output = ();

    fn poll(self: std::pin::Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        *self.0.1.lock().expect("nobody panicked") = Some(context.waker().clone());
        match self.0.0.load(Ordering::SeqCst) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

#[inline(never)]
fn blocks_on(future: impl Future<Output = ()>) {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    while future.as_mut().poll(&mut context).is_pending() {
        std::thread::park();
    }
}

#[test]
fn a_future_that_blocks_on_another_is_named() {
    let told = Arc::new((AtomicBool::new(false), Mutex::new(None::<Waker>)));
    let inner = Told(Arc::clone(&told));
    check(
        &expected("futex", None, "blocks_on"),
        move || blocks_on(async move { blocks_on(inner) }),
        || {
            told.0.store(true, Ordering::SeqCst);
            let waker = told.1.lock().expect("nobody panicked").take();
            waker.expect("it was polled").wake();
        },
    );
}

static STEPS: AtomicU64 = AtomicU64::new(0);

#[inline(never)]
fn turns_hot(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        STEPS.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_hot_loop_is_seen_running_and_named() {
    let stop = Arc::new(AtomicBool::new(false));
    let other = Arc::clone(&stop);
    let Victim { thread, handle } = victim(move || turns_hot(&other));
    let mut tracer = Tracer::new();
    let before = thread.cpu_time().expect("it lives");
    let stack = until(|| {
        let stack = tracer.running(&thread)?;
        let culprit = culprit(&stack.frames)?;
        culprit.function.contains("turns_hot").then_some(stack)
    });
    assert!(stack.exact, "not exact: {stack:#?}");
    until(|| (thread.cpu_time()? > before).then_some(()));
    assert_eq!(until(|| Some(thread.view())), View::Running);
    stop.store(true, Ordering::Relaxed);
    handle.join().expect("the thread ends in peace");
    until_gone(&thread);
    assert_eq!(thread.cpu_time(), None);
    assert!(tracer.running(&thread).is_none());
}

#[test]
fn looking_at_a_system_call_never_ends_it() {
    let (answer, ask) = mpsc::channel();
    let Victim { thread, handle } = victim(move || {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback is up");
        let ended = raw::poll_readable(socket.as_raw_fd(), Duration::from_secs(1));
        answer.send(ended.expect("not interrupted")).expect("the test waits");
    });
    let mut tracer = Tracer::new();
    let call = until_in(&thread, "poll");
    for _ in 0..200 {
        assert!(tracer.running(&thread).is_none(), "it does not run");
        assert!(tracer.blocked(&thread, call.sp, call.pc).is_some());
    }
    assert_eq!(ask.recv().expect("it answers"), 0, "it waited to the end");
    handle.join().expect("the thread ends in peace");
}

/// Threads that allocate, panic and end at random, captured all the while.
fn survives_churn(captures: u32) {
    let stop = Arc::new(AtomicBool::new(false));
    let (introduce, meet) = mpsc::sync_channel::<Thread>(64);
    let stop_too = Arc::clone(&stop);
    let parent = std::thread::spawn(move || {
        let mut seed = 1_u64;
        while !stop_too.load(Ordering::Relaxed) {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let introduce = introduce.clone();
            let life = seed >> 60;
            let child = std::thread::spawn(move || {
                let _ = introduce.try_send(Thread::current());
                let mut kept = Vec::new();
                for size in 0..life * 40 {
                    kept.push(vec![0_u8; (size as usize * 37) % 5000]);
                    if size % 16 == 3 {
                        let _ =
                            std::panic::catch_unwind(|| std::panic::resume_unwind(Box::new(size)));
                    }
                    if size % 64 == 5 {
                        std::thread::park_timeout(Duration::from_micros(200));
                    }
                }
            });
            child.join().expect("panics are caught");
        }
    });
    let mut tracer = Tracer::new();
    let mut done = 0;
    let mut named = 0;
    while done < captures {
        let thread = meet.recv().expect("the parent goes on");
        for _ in 0..50 {
            let trail = match thread.view() {
                View::Running => tracer.capture_running(&thread),
                View::Blocked(call) => tracer.capture_blocked(&thread, call.sp, call.pc),
                View::Paging { sp, pc } => tracer.capture_blocked(&thread, sp, pc),
                View::Gone => break,
                View::Unknown => panic!("the kernel tells everything here"),
            };
            done += 1;
            named += usize::from(trail.is_some_and(|trail| !tracer.name(&trail).frames.is_empty()));
        }
    }
    stop.store(true, Ordering::Relaxed);
    drop(meet);
    parent.join().expect("no child was harmed");
    assert!(named > 0, "not one capture in {captures}");
}

#[test]
fn captures_survive_threads_that_allocate_panic_and_end() {
    survives_churn(3_000);
}

#[test]
#[ignore = "a minute long"]
fn a_hundred_thousand_captures_survive_threads_that_allocate_panic_and_end() {
    survives_churn(100_000);
}

#[test]
fn everything_can_be_seen_here() {
    assert_eq!(probe(), Sight::Full);
}

#[test]
fn an_executable_that_was_deleted_is_still_named() {
    let test = "stack::tests::an_executable_that_was_deleted_is_still_named";
    let program = std::env::current_exe().expect("this test has a file");
    if !is_alone(test) {
        let copy = std::env::temp_dir().join(format!("unstall-{}", std::process::id()));
        std::fs::copy(&program, &copy).expect("there is room");
        run_alone(test, "", &copy);
        return;
    }
    std::fs::remove_file(&program).expect("it is the copy");
    let (send, receive) = mpsc::channel();
    check(&expected("futex", None, "receives"), move || receives(&receive), || drop(send));
}

fn frame(function: &str, file: Option<&str>) -> Frame {
    Frame {
        function: function.to_owned(),
        file: file.map(PathBuf::from),
        line: Some(41),
        certain: true,
    }
}

#[test]
fn the_culprit_is_the_first_frame_of_the_users_own_code() {
    let frames = [
        frame("clock_nanosleep", None),
        frame("std::thread::sleep", Some("/rustc/59/library/std/src/thread/mod.rs")),
        frame("pool::wait", Some("/home/me/.cargo/registry/src/index/pool-1.0.0/src/lib.rs")),
        frame("shop::discount", Some("/home/me/shop/src/discount.rs")),
        frame("shop::main", Some("/home/me/shop/src/main.rs")),
    ];
    assert_eq!(culprit(&frames).expect("there is one").function, "shop::discount");
    assert_eq!(frames[3].location().as_deref(), Some("shop/src/discount.rs:41"));
    assert_eq!(culprit(&frames[..3]), None);
}

#[test]
fn without_line_tables_the_culprit_is_told_by_its_crate() {
    let own = [
        "shop::discount",
        "shop::cart::add::{{closure}}",
        "<shop::Cart as tower_service::Service<R>>::call",
        "<&mut shop::Cart as core::fmt::Debug>::fmt",
    ];
    let foreign = [
        "poll",
        "std::thread::sleep",
        "<T as core::convert::Into<U>>::into",
        "<alloc::boxed::Box<F> as core::ops::function::FnOnce<A>>::call_once",
        "tokio::runtime::park",
        "futures_util::stream::next",
        "unstall::executor::run",
        "core::ops::function::FnOnce::call_once{{vtable.shim}}",
        "",
    ];
    for name in own {
        assert!(culprit(&[frame(name, None)]).is_some(), "{name}");
    }
    for name in foreign {
        assert!(culprit(&[frame(name, None)]).is_none(), "{name}");
    }
}
