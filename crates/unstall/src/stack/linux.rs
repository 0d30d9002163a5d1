//! Captures of blocked threads from outside, and of running threads by a signal.

mod calls;
mod memory;
mod modules;
mod symbols;
mod unwind;
mod walk;

use std::time::Duration;

use self::memory::{Memory, Snapshot};
use self::modules::Modules;
use self::symbols::Symbols;
use self::unwind::{Cpu, Unwinder};
use self::walk::{Trail, Walker};
use super::Stack;
use crate::kernel::{Thread, View};
use crate::raw;

/// Stack of a blocked thread that is copied.
const STACK_BYTES_MAX: u64 = 256 * 1024;
/// Copies of the stack of a thread that keeps waking up.
const ATTEMPTS: u32 = 3;
/// How long an interrupted thread may take to answer.
const PATIENCE: Duration = Duration::from_millis(10);

/// Captures stacks and names their functions; lives on the thread that reports.
///
/// Two steps, because their costs differ: capturing takes microseconds and must happen while
/// the thread is stuck; naming may take milliseconds the first time, and can wait.
pub(crate) struct Tracer {
    memory: Memory,
    modules: Modules,
    unwinder: Unwinder,
    symbols: Symbols,
    room: Vec<u8>,
}

impl Tracer {
    /// A tracer that knows the modules of this moment; later ones are found when they are met.
    pub(crate) fn new() -> Tracer {
        let memory = Memory::new();
        Tracer {
            modules: Modules::read(&memory),
            memory,
            unwinder: Unwinder::new(),
            symbols: Symbols::default(),
            room: Vec::new(),
        }
    }

    /// The stack of a blocked thread, without touching it.
    ///
    /// `sp` and `pc` are what [`Thread::view`] said. `None` if the thread has moved on, or
    /// moves too often to be copied.
    pub(crate) fn blocked(&mut self, thread: &Thread, sp: u64, pc: u64) -> Option<Stack> {
        let trail = self.capture_blocked(thread, sp, pc)?;
        Some(self.name(&trail))
    }

    /// The stack of a running thread, by a signal.
    ///
    /// `None` if the thread does not run, does not answer in time, or cannot be interrupted
    /// safely. A thread that enters a system call between the look and the signal is
    /// interrupted in it; all but a few of them are then restarted, see `man 7 signal`.
    pub(crate) fn running(&mut self, thread: &Thread) -> Option<Stack> {
        let trail = self.capture_running(thread)?;
        Some(self.name(&trail))
    }

    /// The first half of [`blocked`](Self::blocked): addresses.
    pub(crate) fn capture_blocked(&mut self, thread: &Thread, sp: u64, pc: u64) -> Option<Trail> {
        let mut room = std::mem::take(&mut self.room);
        let copied = (0..ATTEMPTS).find_map(|_| self.copy_stack(thread, sp, pc, &mut room));
        let trail = copied.map(|truncated| {
            let stack = Snapshot { start: sp, bytes: &room };
            self.walk(stack, truncated, &Cpu::blocked(sp, pc))
        });
        self.room = room;
        trail
    }

    /// The first half of [`running`](Self::running): addresses.
    pub(crate) fn capture_running(&mut self, thread: &Thread) -> Option<Trail> {
        if !thread.may_interrupt() || thread.view() != View::Running {
            return None;
        }
        let mut room = std::mem::take(&mut self.room);
        let registers = raw::interrupt(thread.id(), PATIENCE, |capture| {
            room.clear();
            room.extend_from_slice(&capture.bytes[..capture.length]);
            capture.registers
        });
        let trail = registers.map(|registers| {
            let stack = Snapshot { start: registers[raw::SP], bytes: &room };
            let truncated = room.len() == raw::CAPTURE_BYTES;
            self.walk(stack, truncated, &Cpu::interrupted(&registers))
        });
        self.room = room;
        trail
    }

    /// The second half of both: names.
    pub(crate) fn name(&mut self, trail: &Trail) -> Stack {
        Stack { frames: self.symbols.name(&self.modules, trail), exact: trail.is_exact() }
    }

    /// Copies the stack of a thread that sleeps all the while; says whether there was more of it.
    fn copy_stack(&self, thread: &Thread, sp: u64, pc: u64, room: &mut Vec<u8>) -> Option<bool> {
        let used_before = thread.cpu_time();
        let end =
            thread.stack().filter(|stack| stack.contains(&sp)).map_or(u64::MAX, |stack| stack.end);
        let length = (end - sp).min(STACK_BYTES_MAX);
        room.resize(length as usize, 0);
        let copied = self.memory.read(sp, room);
        room.truncate(copied);
        let same_place = match thread.view() {
            View::Blocked(call) => (call.sp, call.pc) == (sp, pc),
            View::Paging { sp: sp_now, pc: pc_now } => (sp_now, pc_now) == (sp, pc),
            View::Running | View::Gone | View::Unknown => false,
        };
        // In the same place without a nanosecond of work in between: it has not moved.
        let unmoved = same_place && copied > 0 && thread.cpu_time() == used_before;
        unmoved.then_some(copied as u64 == STACK_BYTES_MAX)
    }

    fn walk(&mut self, stack: Snapshot<'_>, truncated: bool, start: &Cpu) -> Trail {
        let trail = self.try_walk(stack, truncated, start);
        if trail.reached_root() || truncated || !self.modules.refresh(&self.memory) {
            return trail;
        }
        // It may have led through a library that was loaded since.
        self.symbols.forget();
        self.try_walk(stack, truncated, start)
    }

    fn try_walk(&mut self, stack: Snapshot<'_>, truncated: bool, start: &Cpu) -> Trail {
        Walker::new(&self.modules, &self.memory, &mut self.unwinder, stack, truncated)
            .walk(start.clone())
    }
}

/// The tracer is made on one thread and lives on another.
const _: () = {
    const fn is_send<T: Send>() {}
    is_send::<Tracer>();
};
