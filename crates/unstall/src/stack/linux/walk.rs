//! From the innermost frame to the root of the thread, guessing where nothing else is left.
//!
//! 1. Call frame information, as long as it asks for nothing unknown: certain.
//! 2. Where it needs the frame pointer, which the kernel does not tell: first the place where
//!    the function's own prologue puts it, then any pair on the stack that looks like a saved
//!    frame pointer and a return address. A guess counts as certain when the call before the
//!    return address leads to this very function and the rest of the chain reaches the root.
//! 3. Where the tables end: the first return address from which the root is reached;
//!    failing that, everything that looks like a return address. Possible, no more.
//!
//! Work is bounded by a budget of steps, however odd the stack.

use super::calls::{Call, call_before, frame_depth};
use super::memory::{Memory, Snapshot};
use super::modules::Modules;
use super::unwind::{Cpu, Step, Unwinder};

/// Deepest stack that is shown.
const FRAMES_MAX: usize = 128;
/// Steps for one stack, guesses included; about a microsecond each.
const STEPS_MAX: u32 = 2048;
/// Stack above a frame that is searched for its caller.
const SEARCH_BYTES: u64 = 64 * 1024;
/// Guesses that are followed to their end, for one frame.
const GUESSES_MAX: u32 = 24;
/// Guesses inside the chain of a guess.
const NESTED_MAX: u32 = 4;
/// Frames after which a chain that was cut short is believed.
const FAR: usize = 8;
/// Return addresses that are listed when all else fails.
const LISTED_MAX: usize = 16;

/// One frame by its address, before anybody asked for its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Address {
    /// An address inside the call, or the program counter itself.
    pub(super) address: u64,
    pub(super) certain: bool,
}

/// A stack by addresses, innermost first.
#[derive(Default, Debug)]
pub(crate) struct Trail {
    pub(super) addresses: Vec<Address>,
    rooted: bool,
}

impl Trail {
    /// Whether it ends where the thread began.
    pub(super) fn reached_root(&self) -> bool {
        self.rooted
    }

    /// Whether every frame is certain, down to the thread's beginning.
    pub(super) fn is_exact(&self) -> bool {
        self.rooted && self.addresses.iter().all(|address| address.certain)
    }
}

/// Everything that a walk looks at.
pub(super) struct Walker<'a> {
    pub(super) modules: &'a Modules,
    pub(super) memory: &'a Memory,
    pub(super) unwinder: &'a mut Unwinder,
    pub(super) stack: Snapshot<'a>,
    /// Whether there was more stack than was copied.
    pub(super) truncated: bool,
    steps: u32,
    nested: u32,
}

/// How far a chain went.
enum End {
    /// To the thread's beginning.
    Root,
    /// To a bound of this module.
    Bound,
    /// To a frame that the tables do not lead out of.
    Lost,
}

/// A frame pointer that was found otherwise than by the tables.
struct Guess {
    frame_pointer: u64,
    certain: bool,
}

impl<'a> Walker<'a> {
    pub(super) fn new(
        modules: &'a Modules,
        memory: &'a Memory,
        unwinder: &'a mut Unwinder,
        stack: Snapshot<'a>,
        truncated: bool,
    ) -> Walker<'a> {
        Walker { modules, memory, unwinder, stack, truncated, steps: STEPS_MAX, nested: 0 }
    }

    /// Walks to the root as well as can be.
    pub(super) fn walk(&mut self, mut cpu: Cpu) -> Trail {
        let mut trail = Trail::default();
        let end = self.follow(&mut cpu, true, &mut trail);
        if let End::Lost = end
            && !self.truncated
        {
            self.search(cpu.sp(), &mut trail);
        }
        trail
    }

    /// Follows the chain from a frame, as far as it goes.
    fn follow(&mut self, cpu: &mut Cpu, certain: bool, trail: &mut Trail) -> End {
        loop {
            trail.addresses.push(Address { address: cpu.lookup(), certain });
            if trail.addresses.len() >= FRAMES_MAX || self.steps == 0 {
                return End::Bound;
            }
            self.steps -= 1;
            match self.step(cpu) {
                Step::Caller if self.modules.find(cpu.lookup()).is_some() => {}
                Step::Root => {
                    trail.rooted = true;
                    return End::Root;
                }
                // Some C libraries begin their threads with a zero. A guess may find one by
                // chance, and so may the very first step of a thread that has just moved.
                Step::NoReturn if certain && trail.addresses.len() > 2 => {
                    trail.rooted = true;
                    return End::Root;
                }
                Step::Needs { function } => {
                    let Some(rest) = self.guess(cpu, function, certain) else {
                        return End::Lost;
                    };
                    trail.rooted = rest.rooted;
                    trail.addresses.extend(rest.addresses);
                    trail.addresses.truncate(FRAMES_MAX);
                    return match trail.rooted {
                        true => End::Root,
                        false => End::Bound,
                    };
                }
                Step::Caller | Step::NoReturn | Step::Lost => return End::Lost,
            }
        }
    }

    fn step(&mut self, cpu: &mut Cpu) -> Step {
        self.unwinder.step(self.modules, self.memory, &self.stack, cpu)
    }

    /// Finds the rest of a chain for a frame whose frame pointer is unknown.
    fn guess(&mut self, cpu: &Cpu, function: u64, certain: bool) -> Option<Trail> {
        if self.nested >= NESTED_MAX {
            return None;
        }
        let mut from = cpu.sp();
        let mut next = frame_depth(self.memory, function)
            .and_then(|depth| self.judge(cpu.sp().checked_add(depth)?, function, true));
        let mut possible = None;
        for _ in 0..GUESSES_MAX {
            let Some(guess) = next.take().or_else(|| self.next_pair(&mut from, cpu.sp(), function))
            else {
                break;
            };
            if !guess.certain && possible.is_some() {
                continue;
            }
            let known = cpu.with_frame_pointer(guess.frame_pointer);
            let rest = self.rest(known, certain && guess.certain);
            if guess.certain && rest.is_some() {
                return rest;
            }
            possible = possible.or(rest);
        }
        possible
    }

    /// The chain behind a guess, if it leads to the root or at least far.
    fn rest(&mut self, mut cpu: Cpu, certain: bool) -> Option<Trail> {
        let Step::Caller = self.step(&mut cpu) else {
            return None;
        };
        self.modules.find(cpu.lookup())?;
        let mut rest = Trail::default();
        self.nested += 1;
        let end = self.follow(&mut cpu, certain, &mut rest);
        self.nested -= 1;
        let plausible = match end {
            End::Root => true,
            End::Bound => rest.addresses.len() >= FAR,
            // Of a copy that was too small the root cannot be in sight.
            End::Lost => self.truncated && rest.addresses.len() >= FAR,
        };
        plausible.then_some(rest)
    }

    fn is_last(&self, from: u64, sp: u64) -> bool {
        from >= self.stack.end().min(sp.saturating_add(SEARCH_BYTES))
    }

    /// The next place that could be a frame record: a saved frame pointer, then a return address.
    fn next_pair(&self, from: &mut u64, sp: u64, function: u64) -> Option<Guess> {
        while !self.is_last(*from, sp) {
            let place = *from;
            *from += 8;
            if let Some(guess) = self.judge(place, function, false) {
                return Some(guess);
            }
        }
        None
    }

    /// What speaks for a frame record of `function` at this place.
    fn judge(&self, place: u64, function: u64, by_prologue: bool) -> Option<Guess> {
        let returns = self.stack.word(place.checked_add(8)?)?;
        let call = call_before(self.modules, self.memory, returns)?;
        let certain = match call {
            Call::To(target) => target == function,
            Call::Unknown => by_prologue,
        };
        Some(Guess { frame_pointer: place, certain })
    }

    /// Looks for callers of a frame that no table describes.
    fn search(&mut self, sp: u64, trail: &mut Trail) {
        let mut listed = Vec::new();
        let mut tried = 0;
        let mut place = sp;
        while !self.is_last(place, sp) && listed.len() < LISTED_MAX {
            let returns = self.stack.word(place).unwrap_or(0);
            place += 8;
            if call_before(self.modules, self.memory, returns).is_none() {
                continue;
            }
            let mut caller = Cpu::returning_to(place, returns);
            listed.push(Address { address: caller.lookup(), certain: false });
            if tried < GUESSES_MAX && self.steps > 0 {
                tried += 1;
                let mut rest = Trail::default();
                if let End::Root = self.follow(&mut caller, false, &mut rest) {
                    trail.rooted = true;
                    listed = rest.addresses;
                    break;
                }
            }
        }
        trail.addresses.extend(listed);
        trail.addresses.truncate(FRAMES_MAX);
    }
}
