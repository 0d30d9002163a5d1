//! Nine ways to hold a thread, each in a function that a report is to name.

use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::mpsc::channel;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use unstall::StallKind;

use crate::handler::{self, compute};

/// How long each holds its thread.
pub(crate) const HELD: Duration = Duration::from_millis(400);

/// A way to hold a thread.
pub(crate) struct Culprit {
    /// The job's name, and the function's.
    pub(crate) name: &'static str,
    pub(crate) kind: StallKind,
    /// What the kernel may call it.
    pub(crate) syscalls: &'static [&'static str],
    pub(crate) run: fn(),
}

pub(crate) const CULPRITS: &[Culprit] = &[
    blocked("naps", &["clock_nanosleep", "nanosleep"], naps),
    blocked("locks_a_mutex", &["futex"], locks_a_mutex),
    blocked("waits_on_a_condvar", &["futex"], waits_on_a_condvar),
    blocked("receives_from_a_channel", &["futex"], receives_from_a_channel),
    blocked("reads_a_pipe", &["read"], reads_a_pipe),
    blocked("reads_a_tcp_stream", &["recvfrom", "read"], reads_a_tcp_stream),
    blocked("blocks_on_a_future", &["futex"], blocks_on_a_future),
    Culprit { name: "loops_hot", kind: StallKind::Busy, syscalls: &[], run: loops_hot },
];

/// Needs a name server that does not answer.
pub(crate) const RESOLVES: Culprit =
    blocked("resolves_a_name", &["poll", "ppoll"], resolves_a_name);

const fn blocked(name: &'static str, syscalls: &'static [&'static str], run: fn()) -> Culprit {
    Culprit { name, kind: StallKind::Blocked, syscalls, run }
}

/// Does something later, on another thread.
fn later(work: impl FnOnce() + Send + 'static) {
    std::thread::spawn(move || {
        handler::block(HELD);
        work();
    });
}

#[inline(never)]
#[expect(clippy::disallowed_methods, reason = "blocking is what is measured")]
fn naps() {
    std::thread::sleep(HELD);
    black_box(());
}

#[inline(never)]
fn locks_a_mutex() {
    let mutex = Arc::new(Mutex::new(0));
    let held = Arc::clone(&mutex);
    let (locked, is_locked) = channel();
    std::thread::spawn(move || {
        let guard = held.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = locked.send(());
        handler::block(HELD);
        drop(guard);
    });
    let _ = is_locked.recv();
    black_box(*mutex.lock().unwrap_or_else(PoisonError::into_inner));
}

#[inline(never)]
fn waits_on_a_condvar() {
    let pair = Arc::new((Mutex::new(false), Condvar::new()));
    let other = Arc::clone(&pair);
    later(move || {
        *other.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        other.1.notify_one();
    });
    let mut ready = pair.0.lock().unwrap_or_else(PoisonError::into_inner);
    while !*ready {
        ready = pair.1.wait(ready).unwrap_or_else(PoisonError::into_inner);
    }
    black_box(*ready);
}

#[inline(never)]
fn receives_from_a_channel() {
    let (sender, receiver) = channel();
    later(move || {
        let _ = sender.send(1);
    });
    let _ = black_box(receiver.recv());
}

#[inline(never)]
fn reads_a_pipe() {
    let Ok((mut reader, mut writer)) = std::io::pipe() else { return };
    later(move || {
        let _ = writer.write_all(b"1");
    });
    let _ = black_box(reader.read(&mut [0; 1]));
}

#[inline(never)]
fn reads_a_tcp_stream() {
    let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)) else { return };
    let Ok(mut stream) = listener.local_addr().and_then(TcpStream::connect) else { return };
    let Ok((mut peer, _)) = listener.accept() else { return };
    later(move || {
        let _ = peer.write_all(b"1");
    });
    let _ = black_box(stream.read(&mut [0; 1]));
}

#[inline(never)]
fn blocks_on_a_future() {
    tokio::runtime::Handle::current().block_on(tokio::time::sleep(HELD));
    black_box(());
}

#[inline(never)]
fn loops_hot() {
    let began = Instant::now();
    while began.elapsed() < HELD {
        black_box(compute(100_000));
    }
}

#[inline(never)]
fn resolves_a_name() {
    let found = ("nobody.invalid", 80).to_socket_addrs().map(Iterator::count);
    let _ = black_box(found);
}
