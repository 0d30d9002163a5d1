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
pub(crate) enum Sight {
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

#[cfg(all(test, target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) mod tests;
