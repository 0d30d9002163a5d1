//! Threads, as Linux shows them in `/proc`.

mod target;

use std::fs::File;
use std::io::ErrorKind;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::{Sight, SystemCall, View};
use crate::raw;

/// A thread of this process that can be looked at from outside.
///
/// Holds one open file. The file follows the thread and not its number, so that a later
/// thread with the same number is never taken for it.
pub(crate) struct Thread {
    id: u32,
    name: String,
    stack: Option<Range<u64>>,
    may_interrupt: bool,
    syscall: Option<File>,
}

impl Thread {
    /// The calling thread.
    ///
    /// About 10 µs. Where `/proc` cannot be opened the thread has a name and a CPU clock,
    /// but its [`view`](Self::view) is unknown for ever.
    pub(crate) fn current() -> Thread {
        let id = raw::thread_id();
        Thread {
            id,
            name: name_of_this_thread(id),
            stack: raw::stack_bounds(),
            may_interrupt: raw::has_alternate_stack(),
            syscall: File::open("/proc/thread-self/syscall").ok(),
        }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The kernel's number of it.
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// Where its stack lies, lowest address first; `None` for the main thread, whose stack grows.
    pub(crate) fn stack(&self) -> Option<Range<u64>> {
        self.stack.clone()
    }

    /// Whether a signal can do no harm to it: it had an alternate signal stack when it was
    /// first looked at, as all threads of `std` do.
    pub(crate) fn may_interrupt(&self) -> bool {
        self.may_interrupt
    }

    /// What it is doing now.
    pub(crate) fn view(&self) -> View {
        let Some(file) = &self.syscall else {
            return View::Unknown;
        };
        let mut text = [0; 256];
        match file.read_at(&mut text, 0) {
            Ok(0) => View::Gone,
            Ok(length) => parse_view(&text[..length]),
            Err(error) if is_gone(&error) => View::Gone,
            Err(_) => View::Unknown,
        }
    }

    /// CPU time it has used; `None` when it has ended.
    pub(crate) fn cpu_time(&self) -> Option<Duration> {
        raw::cpu_time(self.id)
    }
}

fn is_gone(error: &std::io::Error) -> bool {
    error.raw_os_error() == Some(libc::ESRCH) || error.kind() == ErrorKind::NotFound
}

fn name_of_this_thread(id: u32) -> String {
    if let Some(name) = std::thread::current().name() {
        return name.to_owned();
    }
    match std::fs::read_to_string("/proc/thread-self/comm") {
        Ok(name) if !name.trim().is_empty() => name.trim().to_owned(),
        _ => format!("thread {id}"),
    }
}

/// Finds out how much can be seen here, by looking at a thread that is known to sleep.
///
/// Takes below a millisecond where all is open, 100 ms at worst.
pub(crate) fn probe() -> Sight {
    let (give_up, wait_here) = mpsc::channel::<()>();
    let (introduce, meet) = mpsc::sync_channel(1);
    let sleeper = std::thread::Builder::new().name("unstall-probe".to_owned()).spawn(move || {
        let introduced = introduce.send(Thread::current());
        if introduced.is_ok() {
            let _ = wait_here.recv();
        }
    });
    let Ok(sleeper) = sleeper else {
        // No thread to be had: this very thread, seen in its own read, must do.
        return sight_of(&Thread::current());
    };
    let sight = meet.recv().map_or(Sight::NamesOnly, |thread| sight_of(&thread));
    drop(give_up);
    let _ = sleeper.join();
    sight
}

#[expect(
    clippy::disallowed_methods,
    reason = "a bounded wait at start, on no thread of the service"
)]
fn sight_of(thread: &Thread) -> Sight {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(100) {
        match thread.view() {
            View::Blocked(_) => return Sight::Full,
            View::Running => std::thread::sleep(Duration::from_micros(50)),
            View::Paging { .. } | View::Gone | View::Unknown => break,
        }
    }
    match thread.cpu_time() {
        Some(_) => Sight::CpuClock,
        None => Sight::NamesOnly,
    }
}

/// Reads the text of `/proc/…/syscall`.
pub(super) fn parse_view(text: &[u8]) -> View {
    if text.starts_with(b"running") {
        return View::Running;
    }
    let Some(text) = str::from_utf8(text).ok() else {
        return View::Unknown;
    };
    let mut words = text.split_ascii_whitespace();
    let Some(number) = words.next().and_then(|word| word.parse::<i64>().ok()) else {
        return View::Unknown;
    };
    let mut values = [0; 8];
    let mut count = 0;
    for word in words {
        let value = word.strip_prefix("0x").unwrap_or(word);
        let (Ok(value), Some(place)) = (u64::from_str_radix(value, 16), values.get_mut(count))
        else {
            return View::Unknown;
        };
        *place = value;
        count += 1;
    }
    match (u64::try_from(number), count, values) {
        (Ok(number), 8, [a, b, c, d, e, f, sp, pc]) => {
            View::Blocked(SystemCall { number, arguments: [a, b, c, d, e, f], sp, pc })
        }
        // The kernel has taken the thread's own stack away already.
        (Err(_), 2, [0, 0, ..]) => View::Gone,
        (Err(_), 2, [sp, pc, ..]) => View::Paging { sp, pc },
        _ => View::Unknown,
    }
}

/// A duration as one reads it aloud: `5 s`, `250 ms`, `80 µs`.
pub(super) fn spoken(duration: Duration) -> String {
    if duration >= Duration::from_secs(1) {
        format!("{} s", (duration.as_secs_f64() * 10.0).round() / 10.0)
    } else if duration >= Duration::from_millis(1) {
        format!("{} ms", duration.as_millis())
    } else {
        format!("{} µs", duration.as_micros())
    }
}
