//! What the kernel says of a thread: does it run, and if not, what does it wait for?
//!
//! One read of `/proc/self/task/TID/syscall` answers both. The file reads `running` when the
//! thread is on a CPU or waits for one, and otherwise
//!
//! ```text
//! 230 0x0 0x0 0x7f…d80 0x7f…d80 0x0 0x0 0x7f…d50 0x7f…2a3
//! ↑   ↑ six arguments                   ↑ SP      ↑ PC
//! number of the system call, or -1: then only SP and PC follow
//! ```
//!
//! Minus one means: off the CPU without a system call. That is a page fault that waits for
//! its page, or a thread stopped by `SIGSTOP`, a debugger or the freezer of its control group.
//!
//! The file is closed to processes that are not dumpable and by some sandboxes; gVisor has
//! none. [`probe`] finds out once.

use std::time::Duration;

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
mod elsewhere;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod linux;

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub(crate) use elsewhere::{Thread, probe};
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) use linux::{Thread, probe};

/// How much can be seen of a thread from outside on this system.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Sight {
    /// System calls, what they wait for, and stacks.
    Full,
    /// Only whether the thread's CPU clock moves, because `/proc` is closed: by a sandbox, by
    /// gVisor, or because the process is not dumpable.
    CpuClock,
    /// Only names and durations: not Linux on x86-64 or aarch64.
    NamesOnly,
}

/// What a thread is doing at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum View {
    /// On a CPU or waiting for one.
    Running,
    /// In a system call and off the CPU.
    Blocked(SystemCall),
    /// Off the CPU without a system call: a page fault, or stopped from outside.
    Paging { sp: u64, pc: u64 },
    /// The thread has ended.
    Gone,
    /// The kernel does not say.
    Unknown,
}

/// A system call that a thread is in, and where it made it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SystemCall {
    /// Its number on this processor.
    pub(crate) number: u64,
    /// Its arguments; those it does not take hold whatever the registers held.
    pub(crate) arguments: [u64; 6],
    /// The stack pointer.
    pub(crate) sp: u64,
    /// The program counter, just after the instruction that made the call.
    pub(crate) pc: u64,
}

/// Reads the text of `/proc/…/syscall`.
fn parse_view(text: &[u8]) -> View {
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
fn spoken(duration: Duration) -> String {
    if duration >= Duration::from_secs(1) {
        format!("{} s", (duration.as_secs_f64() * 10.0).round() / 10.0)
    } else if duration >= Duration::from_millis(1) {
        format!("{} ms", duration.as_millis())
    } else {
        format!("{} µs", duration.as_micros())
    }
}

#[cfg(test)]
mod tests;
