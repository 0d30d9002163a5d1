//! System calls and the signal handler: the only `unsafe` of this crate.
//!
//! Everything here is a thin, safe wrapper. Three things are worth knowing:
//!
//! - Memory of other threads is never read through a pointer. The kernel copies
//!   it ([`read_memory`]), so that memory which vanishes or changes meanwhile is a
//!   short read or a stale byte, never undefined behaviour.
//! - The handler ([`answer`]) runs on the interrupted thread, between any two of
//!   its instructions, perhaps inside `malloc`. It therefore allocates nothing,
//!   locks nothing, calls only system calls, and puts `errno` back.
//! - One capture at a time: [`SLOT`] holds a request for one thread. Whoever moves
//!   its state owns its bytes; a signal that comes too late finds no request and
//!   does nothing.
#![allow(unsafe_code, reason = "system calls and a signal handler; each block has its proof")]

use std::cell::UnsafeCell;
use std::mem::{self, MaybeUninit};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, TryLockError};
use std::time::{Duration, Instant};

use libc::{c_int, c_void};

/// Bytes of stack that a signal brings home.
pub(crate) const CAPTURE_BYTES: usize = 64 * 1024;
/// Pieces in which memory is asked for: where one is missing, the ones before it still arrive.
const PAGE_BYTES: usize = 4096;
/// Registers, by their DWARF number; the program counter is [`PC`].
pub(crate) type Registers = [u64; 33];

/// DWARF number of the frame pointer.
#[cfg(target_arch = "x86_64")]
pub(crate) const FP: usize = 6;
/// DWARF number of the stack pointer.
#[cfg(target_arch = "x86_64")]
pub(crate) const SP: usize = 7;
/// DWARF number of the column that holds the return address; here also the program counter.
#[cfg(target_arch = "x86_64")]
pub(crate) const PC: usize = 16;

/// DWARF number of the frame pointer.
#[cfg(target_arch = "aarch64")]
pub(crate) const FP: usize = 29;
/// DWARF number of the stack pointer.
#[cfg(target_arch = "aarch64")]
pub(crate) const SP: usize = 31;
/// The program counter, which has no DWARF number below 33 of its own.
#[cfg(target_arch = "aarch64")]
pub(crate) const PC: usize = 32;

/// The kernel's number of the calling thread.
pub(crate) fn thread_id() -> u32 {
    // Not `libc::gettid`: std has it as a weak symbol, and in a static program that is linked with
    // fat LTO nothing else brings it in, so that it is null.
    // SAFETY: it takes nothing, cannot fail and touches no memory.
    let id = unsafe { libc::syscall(libc::SYS_gettid) };
    // Threads have numbers below 2²².
    id.unsigned_abs() as u32
}

/// CPU time used by one thread of this process; `None` if there is no such thread.
pub(crate) fn cpu_time(thread: u32) -> Option<Duration> {
    // The kernel's encoding of "the CPU clock of thread N": see `man 3 pthread_getcpuclockid`,
    // and `CPUCLOCK_PERTHREAD_MASK | CPUCLOCK_SCHED` in linux/posix-timers.h.
    let clock = !libc::clockid_t::try_from(thread).ok()? << 3 | 4 | 2;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place for one `timespec`, which is all that is written.
    let status = unsafe { libc::clock_gettime(clock, &raw mut time) };
    if status != 0 {
        return None;
    }
    let seconds = u64::try_from(time.tv_sec).ok()?;
    Some(Duration::new(seconds, u32::try_from(time.tv_nsec).ok()?))
}

/// The stack of the calling thread, lowest address first.
///
/// `None` for the main thread: its stack grows, and asking for its bounds means
/// reading the whole of `/proc/self/maps`.
pub(crate) fn stack_bounds() -> Option<Range<u64>> {
    if thread_id() == std::process::id() {
        return None;
    }
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    // SAFETY: `pthread_self` is this live thread, and the attributes are written by this
    // call before anything reads them; if it fails they are not used.
    if unsafe { libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) } != 0 {
        return None;
    }
    let mut start: *mut c_void = std::ptr::null_mut();
    let mut size = 0;
    // SAFETY: the attributes were initialised by the successful call above, are read while
    // they live, and are destroyed exactly once, after their last use.
    let status = unsafe {
        let status =
            libc::pthread_attr_getstack(attributes.as_ptr(), &raw mut start, &raw mut size);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        status
    };
    let start = start as u64;
    (status == 0).then(|| start..start.saturating_add(size as u64))
}

/// Whether the calling thread has an alternate signal stack.
pub(crate) fn has_alternate_stack() -> bool {
    let mut stack = MaybeUninit::<libc::stack_t>::zeroed();
    // SAFETY: a null first argument only asks; `stack` is a valid place for the answer.
    let status = unsafe { libc::sigaltstack(std::ptr::null(), stack.as_mut_ptr()) };
    // SAFETY: zeroed bytes are a valid `stack_t` (a null pointer and two integers).
    let stack = unsafe { stack.assume_init() };
    status == 0 && stack.ss_flags & libc::SS_DISABLE == 0
}

/// Copies memory of this process; returns how many bytes arrived.
///
/// Short where memory is not mapped, `None` where the kernel forbids the call.
pub(crate) fn read_memory(address: u64, into: &mut [u8]) -> Option<usize> {
    const PIECES: usize = 65;
    let mut pieces = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; PIECES];
    let mut count = 0;
    let mut from = address;
    let mut left = into.len();
    while left > 0 && count < PIECES {
        let to_page_end = PAGE_BYTES - (from % PAGE_BYTES as u64) as usize;
        let length = left.min(to_page_end);
        pieces[count] = libc::iovec { iov_base: from as *mut c_void, iov_len: length };
        count += 1;
        left -= length;
        from = from.checked_add(length as u64)?;
    }
    let local = libc::iovec { iov_base: into.as_mut_ptr().cast(), iov_len: into.len() - left };
    // SAFETY: the kernel writes at most `iov_len` bytes to `local`, which is exactly the
    // exclusively borrowed `into` or its beginning. The remote addresses are not trusted:
    // the kernel checks each of them and stops where nothing is mapped. `pieces` holds
    // `count` initialised elements. The call is safe in a signal handler.
    let copied = unsafe {
        libc::process_vm_readv(libc::getpid(), &raw const local, 1, pieces.as_ptr(), count as _, 0)
    };
    usize::try_from(copied).ok()
}

/// A socket address as the kernel gives it: family, then what the family says.
#[derive(Clone, Copy)]
pub(crate) struct SocketAddress {
    pub(crate) bytes: [u8; 128],
    pub(crate) length: usize,
}

type AskForAddress =
    unsafe extern "C" fn(c_int, *mut libc::sockaddr, *mut libc::socklen_t) -> c_int;

fn address(descriptor: c_int, ask: AskForAddress) -> Option<SocketAddress> {
    #[repr(C, align(8))]
    struct Room([u8; 128]);
    let mut room = Room([0; 128]);
    let mut length: libc::socklen_t = 128;
    // SAFETY: `room` has the size and alignment of `sockaddr_storage` and `length` says so;
    // no more than that is written. A closed or foreign descriptor is an error, not harm.
    let status = unsafe { ask(descriptor, (&raw mut room).cast(), &raw mut length) };
    (status == 0).then(|| SocketAddress { bytes: room.0, length: (length as usize).min(128) })
}

/// Whom a socket is connected to.
pub(crate) fn peer_address(descriptor: c_int) -> Option<SocketAddress> {
    address(descriptor, libc::getpeername)
}

/// What a socket is bound to.
pub(crate) fn local_address(descriptor: c_int) -> Option<SocketAddress> {
    address(descriptor, libc::getsockname)
}

/// Whether a socket carries datagrams (UDP) and not a stream (TCP).
pub(crate) fn is_datagram(descriptor: c_int) -> bool {
    let mut kind: c_int = 0;
    let mut length = mem::size_of::<c_int>() as libc::socklen_t;
    // SAFETY: `kind` is a valid place for the `c_int` that this option writes, and `length`
    // says how large it is. A descriptor that is no socket is an error, not harm.
    let status = unsafe {
        libc::getsockopt(
            descriptor,
            libc::SOL_SOCKET,
            libc::SO_TYPE,
            (&raw mut kind).cast(),
            &raw mut length,
        )
    };
    status == 0 && kind == libc::SOCK_DGRAM
}

/// Nobody asks for anything.
const IDLE: u64 = 0;
/// A thread, named in the upper half, is asked to copy its stack.
const ASKED: u64 = 1;
/// The asked thread is copying; the bytes are its own.
const COPYING: u64 = 2;
/// The copy is complete; the bytes belong to whoever asked.
const COMPLETE: u64 = 3;

/// What one interrupted thread brings home.
pub(crate) struct Capture {
    pub(crate) registers: Registers,
    pub(crate) length: usize,
    pub(crate) bytes: [u8; CAPTURE_BYTES],
}

struct Slot {
    /// Thread id in the upper 32 bits, one of the four states in the lower.
    state: AtomicU64,
    capture: UnsafeCell<Capture>,
}

// SAFETY: `capture` is touched by the one thread that moved `state` from ASKED to COPYING
// (compare-and-exchange: only one can), until it stores COMPLETE with release; and by the
// holder of `ASKING` after it has seen COMPLETE with acquire, until it stores IDLE. The two
// periods never overlap, and nobody else touches it.
unsafe impl Sync for Slot {}

static SLOT: Slot = Slot {
    state: AtomicU64::new(IDLE),
    capture: UnsafeCell::new(Capture { registers: [0; 33], length: 0, bytes: [0; CAPTURE_BYTES] }),
};

/// Held by the one thread that may ask.
static ASKING: Mutex<()> = Mutex::new(());

/// The signal that was free when it was first needed, with [`answer`] installed.
static SIGNAL: OnceLock<Option<c_int>> = OnceLock::new();

/// Interrupts a thread and lets `look` see its registers and the top of its stack.
///
/// `None` if it does not answer within `patience`, if another capture is going on, or if
/// no signal is free. Waits at most twice `patience`.
pub(crate) fn interrupt<T>(
    thread: u32,
    patience: Duration,
    look: impl FnOnce(&Capture) -> T,
) -> Option<T> {
    let _asking = match ASKING.try_lock() {
        Ok(guard) => guard,
        Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
        Err(TryLockError::WouldBlock) => return None,
    };
    let signal = (*SIGNAL.get_or_init(take_free_signal))?;
    // Somebody may have taken the signal over or reset it since; its default action would
    // end the process.
    if disposition(signal)? != answer_address() {
        return None;
    }
    let request = u64::from(thread) << 32 | ASKED;
    match SLOT.state.load(Ordering::Acquire) & 0xffff_ffff {
        // Still copying for a request that was given up: the bytes are not free.
        COPYING => return None,
        _ => SLOT.state.store(request, Ordering::Release),
    }
    if !send(signal, thread) || !wait_for_answer(request, patience) {
        return None;
    }
    // SAFETY: the state is COMPLETE, seen with acquire, and `ASKING` is held: until IDLE is
    // stored below the bytes are this thread's alone.
    let seen = look(unsafe { &*SLOT.capture.get() });
    SLOT.state.store(IDLE, Ordering::Release);
    Some(seen)
}

/// Sends the signal; on failure takes the request back.
fn send(signal: c_int, thread: u32) -> bool {
    // SAFETY: `tgkill` takes three integers. The thread is named together with this process,
    // so that no other process can be hit, whatever became of the thread.
    let sent = unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), thread, signal) } == 0;
    if !sent {
        SLOT.state.store(IDLE, Ordering::Release);
    }
    sent
}

/// Waits until the request is answered, or takes it back.
#[expect(
    clippy::disallowed_methods,
    reason = "a bounded wait on the watchdog's own thread, where nothing can be awaited"
)]
fn wait_for_answer(request: u64, patience: Duration) -> bool {
    let complete = request & !0xffff_ffff | COMPLETE;
    let begin = Instant::now();
    let mut given_up = false;
    loop {
        if SLOT.state.load(Ordering::Acquire) == complete {
            return true;
        }
        let waited = begin.elapsed();
        if waited > patience && !given_up {
            let taken_back =
                SLOT.state.compare_exchange(request, IDLE, Ordering::AcqRel, Ordering::Acquire);
            if taken_back.is_ok() {
                return false;
            }
            // It is copying right now, which takes microseconds unless it was preempted.
            given_up = true;
        } else if waited > patience * 2 {
            return false;
        }
        if waited < Duration::from_micros(30) {
            std::hint::spin_loop();
        } else {
            std::thread::sleep(Duration::from_micros(20));
        }
    }
}

/// Finds a real-time signal that nobody uses, and takes it.
fn take_free_signal() -> Option<c_int> {
    let signal = (libc::SIGRTMIN()..=libc::SIGRTMAX())
        .rev()
        .find(|&signal| disposition(signal) == Some(libc::SIG_DFL))?;
    // SAFETY: zeroed bytes are a valid `sigaction` (integers, a null handler, an empty mask).
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    action.sa_sigaction = answer_address();
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART;
    // SAFETY: `action` is fully initialised; `answer` has the signature that SA_SIGINFO asks
    // for and does only what is allowed in a handler (see its own proof). The signal was free,
    // so that nobody's handler is replaced.
    let status = unsafe { libc::sigaction(signal, &raw const action, std::ptr::null_mut()) };
    (status == 0).then_some(signal)
}

fn answer_address() -> libc::sighandler_t {
    let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) = answer;
    handler as libc::sighandler_t
}

/// What happens on a signal at present.
fn disposition(signal: c_int) -> Option<libc::sighandler_t> {
    // SAFETY: zeroed bytes are a valid `sigaction`; a null new action only asks for the old.
    let (status, action) = unsafe {
        let mut action: libc::sigaction = mem::zeroed();
        let status = libc::sigaction(signal, std::ptr::null(), &raw mut action);
        (status, action)
    };
    (status == 0).then_some(action.sa_sigaction)
}

/// The signal handler: copies the registers and the stack of the interrupted thread.
extern "C" fn answer(_: c_int, _: *mut libc::siginfo_t, context: *mut c_void) {
    let thread = u64::from(thread_id()) << 32;
    let mine = SLOT.state.compare_exchange(
        thread | ASKED,
        thread | COPYING,
        Ordering::AcqRel,
        Ordering::Relaxed,
    );
    if mine.is_err() {
        return;
    }
    // SAFETY: `errno` of this thread is a valid, aligned integer for as long as it runs.
    let errno = unsafe { *libc::__errno_location() };
    // SAFETY: the exchange above made the bytes this thread's until COMPLETE is stored. This
    // handler cannot interrupt itself: its own signal is blocked while it runs.
    let capture = unsafe { &mut *SLOT.capture.get() };
    // SAFETY: the kernel passes a `ucontext_t` to a handler installed with SA_SIGINFO, and it
    // lives on the signal stack until the handler returns.
    let context = unsafe { &*context.cast::<libc::ucontext_t>() };
    capture.registers = registers(context);
    capture.length = read_memory(capture.registers[SP], &mut capture.bytes).unwrap_or(0);
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
    SLOT.state.store(thread | COMPLETE, Ordering::Release);
}

#[cfg(target_arch = "x86_64")]
fn registers(context: &libc::ucontext_t) -> Registers {
    // In the order of the DWARF numbers, System V ABI figure 3.36.
    const ORDER: [c_int; 17] = [
        libc::REG_RAX,
        libc::REG_RDX,
        libc::REG_RCX,
        libc::REG_RBX,
        libc::REG_RSI,
        libc::REG_RDI,
        libc::REG_RBP,
        libc::REG_RSP,
        libc::REG_R8,
        libc::REG_R9,
        libc::REG_R10,
        libc::REG_R11,
        libc::REG_R12,
        libc::REG_R13,
        libc::REG_R14,
        libc::REG_R15,
        libc::REG_RIP,
    ];
    let mut registers = [0; 33];
    for (register, index) in registers.iter_mut().zip(ORDER) {
        *register = context.uc_mcontext.gregs[index as usize].cast_unsigned();
    }
    registers
}

#[cfg(target_arch = "aarch64")]
fn registers(context: &libc::ucontext_t) -> Registers {
    let mut registers = [0; 33];
    registers[..31].copy_from_slice(&context.uc_mcontext.regs);
    registers[SP] = context.uc_mcontext.sp;
    registers[PC] = context.uc_mcontext.pc;
    registers
}

/// Waits in `poll` until a descriptor can be read; says what `poll` said, or the error.
#[cfg(test)]
pub(crate) fn poll_readable(descriptor: c_int, patience: Duration) -> std::io::Result<c_int> {
    let mut polled = libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 };
    let milliseconds = c_int::try_from(patience.as_millis()).unwrap_or(c_int::MAX);
    // SAFETY: `polled` is one valid `pollfd`, and the count says one.
    match unsafe { libc::poll(&raw mut polled, 1, milliseconds) } {
        -1 => Err(std::io::Error::last_os_error()),
        ready => Ok(ready),
    }
}
