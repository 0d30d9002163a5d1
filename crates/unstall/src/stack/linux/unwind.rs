//! From one frame to its caller, by the call frame information in `.eh_frame`.
//!
//! Unlike other unwinders this one knows what it does not know: the kernel tells only the
//! stack pointer and the program counter of a blocked thread, and every register is an
//! `Option`. A rule that needs an unknown register says so ([`Step::Needs`]), and the caller
//! may guess it.

use std::ops::Range;

use gimli::{
    BaseAddresses, CfaRule, EhFrame, EhFrameHdr, Encoding, EndianSlice, Evaluation,
    EvaluationResult, Expression, FrameDescriptionEntry, LittleEndian, Location, Register,
    RegisterRule, UnwindContext, UnwindSection, UnwindTableRow, Value,
};

use super::memory::{Memory, Snapshot};
use super::modules::Modules;
use crate::raw::{FP, PC, Registers, SP};

type Bytes<'a> = EndianSlice<'a, LittleEndian>;

/// Registers that survive a call, besides the stack pointer.
#[cfg(target_arch = "x86_64")]
const SAVED: &[usize] = &[3, 6, 12, 13, 14, 15];
#[cfg(target_arch = "aarch64")]
const SAVED: &[usize] = &[19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30];

/// Bits of a code address; on aarch64 the others may hold a signature.
#[cfg(target_arch = "x86_64")]
const CODE_BITS: u64 = u64::MAX;
#[cfg(target_arch = "aarch64")]
const CODE_BITS: u64 = 0xffff_ffff_ffff;

/// The unwind table of one module, copied.
pub(super) struct Table {
    bytes: Vec<u8>,
    /// Where `.eh_frame_hdr` begins among them.
    header: usize,
    /// Where `.eh_frame` begins among them.
    frames: usize,
    bases: BaseAddresses,
}

impl Table {
    /// Copies the table out of memory.
    pub(super) fn read(
        memory: &Memory,
        bias: u64,
        header: u64,
        segment: Range<u64>,
    ) -> Option<Table> {
        let bases = BaseAddresses::default().set_eh_frame_hdr(header);
        let beginning =
            memory.range(header.wrapping_add(bias), 64.min((segment.end - header) as usize))?;
        let parsed = EhFrameHdr::new(&beginning, LittleEndian).parse(&bases, 8).ok()?;
        let frames = parsed.eh_frame_ptr().direct().ok()?;
        if !segment.contains(&frames) {
            return None;
        }
        let start = frames.min(header);
        let length = usize::try_from(segment.end - start).ok()?;
        Some(Table {
            bytes: memory.range(start.wrapping_add(bias), length)?,
            header: (header - start) as usize,
            frames: (frames - start) as usize,
            bases: bases.set_eh_frame(frames),
        })
    }

    fn section(&self) -> EhFrame<Bytes<'_>> {
        let mut section = EhFrame::new(&self.bytes[self.frames..], LittleEndian);
        section.set_address_size(8);
        section
    }

    /// What the table says of the function that holds an address.
    fn function(&self, address: u64) -> Option<FrameDescriptionEntry<Bytes<'_>>> {
        let header =
            EhFrameHdr::new(&self.bytes[self.header..], LittleEndian).parse(&self.bases, 8).ok()?;
        header
            .table()?
            .fde_for_address(&self.section(), &self.bases, address, EhFrame::cie_from_offset)
            .ok()
    }
}

/// What is known of the registers of one frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Cpu {
    registers: [Option<u64>; 33],
    /// Whether the program counter is a return address: it then points behind the call.
    pub(super) returning: bool,
}

impl Cpu {
    /// All registers are known: the thread was interrupted.
    pub(super) fn interrupted(registers: &Registers) -> Cpu {
        let mut cpu = Cpu { registers: registers.map(Some), returning: false };
        cpu.registers[PC] = cpu.registers[PC].map(|pc| pc & CODE_BITS);
        cpu
    }

    /// Only where the thread is and where its stack is.
    pub(super) fn blocked(sp: u64, pc: u64) -> Cpu {
        let mut registers = [None; 33];
        registers[SP] = Some(sp);
        registers[PC] = Some(pc & CODE_BITS);
        Cpu { registers, returning: false }
    }

    /// A caller of which nothing but a return address and a stack pointer is known.
    pub(super) fn returning_to(sp: u64, pc: u64) -> Cpu {
        Cpu { returning: true, ..Cpu::blocked(sp, pc) }
    }

    pub(super) fn pc(&self) -> u64 {
        self.registers[PC].unwrap_or(0)
    }

    pub(super) fn sp(&self) -> u64 {
        self.registers[SP].unwrap_or(0)
    }

    /// The address to look up: inside the call, where the program counter is behind it.
    pub(super) fn lookup(&self) -> u64 {
        self.pc().saturating_sub(u64::from(self.returning))
    }

    /// The same frame with a frame pointer that was found otherwise.
    pub(super) fn with_frame_pointer(&self, value: u64) -> Cpu {
        let mut cpu = self.clone();
        cpu.registers[FP] = Some(value);
        cpu
    }

    fn get(&self, register: Register) -> Option<u64> {
        self.registers.get(usize::from(register.0)).copied()?
    }
}

/// What one step towards the root of the stack led to.
pub(super) enum Step {
    /// The registers are now the caller's.
    Caller,
    /// There is no caller: this function began the thread.
    Root,
    /// The return address is zero, as some begin their threads.
    NoReturn,
    /// The frame pointer must be known for this.
    Needs {
        /// Where the function begins.
        function: u64,
    },
    /// The tables do not help.
    Lost,
}

/// Unwinds frames; keeps the room that this needs.
pub(super) struct Unwinder {
    context: UnwindContext<usize>,
}

impl Unwinder {
    pub(super) fn new() -> Unwinder {
        Unwinder { context: UnwindContext::new() }
    }

    /// One step, from a frame to its caller; only [`Step::Caller`] changes the registers.
    pub(super) fn step(
        &mut self,
        modules: &Modules,
        memory: &Memory,
        stack: &Snapshot<'_>,
        cpu: &mut Cpu,
    ) -> Step {
        self.try_step(modules, memory, stack, cpu).unwrap_or(Step::Lost)
    }

    fn try_step(
        &mut self,
        modules: &Modules,
        memory: &Memory,
        stack: &Snapshot<'_>,
        cpu: &mut Cpu,
    ) -> Option<Step> {
        let module = modules.find(cpu.lookup())?;
        let table = module.table(memory)?;
        let stated = cpu.lookup().wrapping_sub(module.bias);
        let function = table.function(stated)?;
        let section = table.section();
        let row = function
            .unwind_info_for_address(&section, &table.bases, &mut self.context, stated)
            .ok()?;
        let frame =
            FrameRules { section: &section, row, encoding: function.cie().encoding(), stack, cpu };
        let returns = function.cie().return_address_register();
        if let Some(RegisterRule::Undefined) = row.register(returns) {
            return Some(Step::Root);
        }
        let Some(cfa) = frame.canonical_address() else {
            let needs = frame.uses_frame_pointer();
            return needs.then(|| Step::Needs {
                function: function.initial_address().wrapping_add(module.bias),
            });
        };
        let pc = match row.register(returns) {
            Some(rule) => frame.evaluate(&rule, cfa, returns)?,
            // Never written down: it is still in the link register.
            None => cpu.get(returns).filter(|_| usize::from(returns.0) != PC)?,
        } & CODE_BITS;
        if pc == 0 {
            return Some(Step::NoReturn);
        }
        let trampoline = function.is_signal_trampoline();
        let mut registers = [None; 33];
        for (number, register) in registers.iter_mut().enumerate() {
            let dwarf = Register(number as u16);
            *register = match row.register(dwarf) {
                Some(rule) => frame.evaluate(&rule, cfa, dwarf),
                None if trampoline || SAVED.contains(&number) => cpu.get(dwarf),
                None => None,
            };
        }
        if row.register(Register(SP as u16)).is_none() {
            registers[SP] = Some(cfa);
        }
        registers[PC] = Some(pc);
        let caller = Cpu { registers, returning: !trampoline };
        let advanced =
            caller.sp() > cpu.sp() || (caller.sp() == cpu.sp() && caller.pc() != cpu.pc());
        if !advanced && !trampoline {
            return None;
        }
        *cpu = caller;
        Some(Step::Caller)
    }
}

/// The rules for one frame, and what they are applied to.
struct FrameRules<'a> {
    section: &'a EhFrame<Bytes<'a>>,
    row: &'a UnwindTableRow<usize>,
    encoding: Encoding,
    stack: &'a Snapshot<'a>,
    cpu: &'a Cpu,
}

impl FrameRules<'_> {
    fn canonical_address(&self) -> Option<u64> {
        match self.row.cfa() {
            CfaRule::RegisterAndOffset { register, offset } => {
                self.cpu.get(*register)?.checked_add_signed(*offset)
            }
            CfaRule::Expression(expression) => self.run(expression.get(self.section).ok()?, None),
        }
    }

    fn uses_frame_pointer(&self) -> bool {
        let frame_pointer = Register(FP as u16);
        let direct = matches!(self.row.cfa(),
            CfaRule::RegisterAndOffset { register, .. } if *register == frame_pointer);
        direct && self.cpu.get(frame_pointer).is_none()
    }

    fn evaluate(&self, rule: &RegisterRule<usize>, cfa: u64, register: Register) -> Option<u64> {
        match rule {
            RegisterRule::SameValue => self.cpu.get(register),
            RegisterRule::Offset(offset) => self.stack.word(cfa.checked_add_signed(*offset)?),
            RegisterRule::ValOffset(offset) => cfa.checked_add_signed(*offset),
            RegisterRule::Register(other) => self.cpu.get(*other),
            RegisterRule::Expression(expression) => {
                let expression = expression.get(self.section).ok()?;
                self.stack.word(self.run(expression, Some(cfa))?)
            }
            RegisterRule::ValExpression(expression) => {
                self.run(expression.get(self.section).ok()?, Some(cfa))
            }
            _ => None,
        }
    }

    fn run(&self, expression: Expression<Bytes<'_>>, pushed: Option<u64>) -> Option<u64> {
        let mut evaluation: Evaluation<Bytes<'_>> = Evaluation::new(expression.0, self.encoding);
        evaluation.set_max_iterations(1000);
        if let Some(value) = pushed {
            evaluation.set_initial_value(value);
        }
        let mut result = evaluation.evaluate().ok()?;
        loop {
            result = match result {
                EvaluationResult::Complete => break,
                EvaluationResult::RequiresRegister { register, .. } => {
                    let value = Value::Generic(self.cpu.get(register)?);
                    evaluation.resume_with_register(value).ok()?
                }
                EvaluationResult::RequiresMemory { address, size: 8, .. } => {
                    let value = Value::Generic(self.stack.word(address)?);
                    evaluation.resume_with_memory(value).ok()?
                }
                _ => return None,
            };
        }
        match evaluation.as_result().last()?.location {
            Location::Address { address } => Some(address),
            _ => None,
        }
    }
}
