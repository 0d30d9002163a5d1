//! What instructions say of a stack: calls before return addresses, and how a function
//! lays out its frame.
//!
//! Both serve to find, and then to prove, a frame pointer that nobody told us.

use super::memory::Memory;
use super::modules::Modules;

/// The call before a return address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Call {
    /// To a function that the instruction, or a cell that it names, tells.
    To(u64),
    /// Through a register, or a cell that depends on one.
    Unknown,
}

/// The call that ends at an address; `None` if there is none, and the address is no return address.
#[cfg(target_arch = "x86_64")]
pub(super) fn call_before(modules: &Modules, memory: &Memory, address: u64) -> Option<Call> {
    modules.find(address.checked_sub(1)?)?;
    let mut bytes = [0; 7];
    if memory.read(address.checked_sub(7)?, &mut bytes) != bytes.len() {
        return None;
    }
    let relative = |at: usize| {
        let offset = i32::from_le_bytes(bytes[at..at + 4].try_into().unwrap_or_default());
        address.wrapping_add_signed(i64::from(offset))
    };
    if bytes[2] == 0xe8 && modules.find(relative(3)).is_some() {
        return Some(Call::To(behind_stub(memory, relative(3))));
    }
    if bytes[1..3] == [0xff, 0x15] {
        return Some(memory.word(relative(3)).map_or(Call::Unknown, Call::To));
    }
    // FF /2 in its other shapes: the length follows from the operand.
    let indirect = (0..=5).any(|at| {
        let operand = bytes[at + 1];
        let (mode, opcode, base) = (operand >> 6, operand >> 3 & 7, operand & 7);
        let index = usize::from(mode != 3 && base == 4);
        let displacement = match mode {
            1 => 1,
            2 => 4,
            _ => 0,
        };
        bytes[at] == 0xff && opcode == 2 && at + 2 + index + displacement == bytes.len()
    });
    indirect.then_some(Call::Unknown)
}

/// Where a call really leads, if it leads to a stub of the procedure linkage table.
#[cfg(target_arch = "x86_64")]
fn behind_stub(memory: &Memory, target: u64) -> u64 {
    let mut bytes = [0; 11];
    let length = memory.read(target, &mut bytes);
    let code = &bytes[..length];
    let after_mark = code.strip_prefix(&[0xf3, 0x0f, 0x1e, 0xfa]).unwrap_or(code);
    let after_bound = after_mark.strip_prefix(&[0xf2]).unwrap_or(after_mark);
    let Some([a, b, c, d, ..]) = after_bound.strip_prefix(&[0xff, 0x25]) else {
        return target;
    };
    let end = target + (length - after_bound.len()) as u64 + 6;
    let cell = end.wrapping_add_signed(i64::from(i32::from_le_bytes([*a, *b, *c, *d])));
    memory.word(cell).unwrap_or(target)
}

/// How far below its frame pointer a function keeps its stack pointer, read from its first instructions.
///
/// Understands what compilers write: `push rbp; mov rbp, rsp`, more pushes, one `sub rsp`,
/// with stack probes for large frames. A function that moves its stack pointer later, or
/// aligns it, gets a wrong answer: what is found with it must be checked.
#[cfg(target_arch = "x86_64")]
pub(super) fn frame_depth(memory: &Memory, function: u64) -> Option<u64> {
    let mut bytes = [0; 128];
    let length = memory.read(function, &mut bytes);
    let code = &bytes[..length];
    let code = code.strip_prefix(&[0xf3, 0x0f, 0x1e, 0xfa]).unwrap_or(code);
    let mut code = code.strip_prefix(&[0x55, 0x48, 0x89, 0xe5])?;
    let mut depth = 0;
    loop {
        code = match code {
            [0x50..=0x57, rest @ ..] | [0x41, 0x50..=0x57, rest @ ..] => {
                depth += 8;
                rest
            }
            [0x48, 0x83, 0xec, by, rest @ ..] => {
                depth += u64::from(*by);
                rest
            }
            // lea r11, [rsp - by]; then a loop of 20 bytes that touches every page.
            [0x4c, 0x8d, 0x9c, 0x24, a, b, c, d, rest @ ..] => {
                let by = i32::from_le_bytes([*a, *b, *c, *d]);
                depth += u64::from(by.unsigned_abs());
                rest.get(20..)?
            }
            [0x48, 0x81, 0xec, a, b, c, d, rest @ ..] => {
                depth += u64::from(u32::from_le_bytes([*a, *b, *c, *d]));
                rest
            }
            // mov qword [rsp], 0: the probe of a page.
            [0x48, 0xc7, 0x04, 0x24, 0, 0, 0, 0, rest @ ..] => rest,
            _ => return Some(depth),
        };
    }
}

/// The call that ends at an address; `None` if there is none, and the address is no return address.
#[cfg(target_arch = "aarch64")]
pub(super) fn call_before(modules: &Modules, memory: &Memory, address: u64) -> Option<Call> {
    let call = address.checked_sub(4).filter(|call| call % 4 == 0)?;
    modules.find(call)?;
    let mut bytes = [0; 4];
    if memory.read(call, &mut bytes) != bytes.len() {
        return None;
    }
    let instruction = u32::from_le_bytes(bytes);
    if instruction & 0xfc00_0000 == 0x9400_0000 {
        // BL: 26 bits, in words, with a sign.
        let words = (instruction << 6).cast_signed() >> 6;
        return Some(Call::To(call.wrapping_add_signed(i64::from(words) * 4)));
    }
    (instruction & 0xffff_fc1f == 0xd63f_0000).then_some(Call::Unknown)
}

/// Not read on this processor: its frames have no one shape.
#[cfg(target_arch = "aarch64")]
pub(super) fn frame_depth(_: &Memory, _: u64) -> Option<u64> {
    None
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    fn check(code: &[u8], expected: Option<u64>) {
        let mut room = [0xcc; 128];
        room[..code.len()].copy_from_slice(code);
        assert_eq!(frame_depth(&Memory::new(), room.as_ptr() as u64), expected);
    }

    #[test]
    fn prologues_tell_the_depth_of_a_frame() {
        // push rbp; mov rbp, rsp; push r15; push rbx; sub rsp, 24
        check(&[0x55, 0x48, 0x89, 0xe5, 0x41, 0x57, 0x53, 0x48, 0x83, 0xec, 24], Some(40));
        // endbr64 first, and a frame of 4096 bytes.
        check(
            &[0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0x48, 0x89, 0xe5, 0x48, 0x81, 0xec, 0, 0x10, 0, 0],
            Some(4096),
        );
        check(&[0x55, 0x48, 0x89, 0xe5, 0xc3], Some(0));
        // sub rsp, 24: no frame pointer.
        check(&[0x48, 0x83, 0xec, 24], None);
    }
}
