//! Stacks of threads that are stuck, with names.
//!
//! A blocked thread is not touched: the kernel tells its stack pointer and program counter,
//! its stack is copied, and the copy is unwound. A signal would end its system call early
//! (`poll` returns `EINTR` even with `SA_RESTART`). A running thread is interrupted for the
//! microseconds that it takes to copy its own stack.
//!
//! The kernel does not tell the other registers, and much code keeps its frames by one of
//! them, the frame pointer. What is then found by other means is proved where possible;
//! where it is not, its frames are marked as possible only.

mod culprit;
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
mod elsewhere;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod linux;

use std::path::PathBuf;

pub(crate) use culprit::culprit;
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub(crate) use elsewhere::Tracer;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) use linux::Tracer;

/// One function of a stack.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Frame {
    /// Its name, demangled and without the hash.
    pub function: String,
    /// Its source file, where there is debug information.
    pub file: Option<PathBuf>,
    /// Its line in that file: the one that called the next frame inwards.
    pub line: Option<u32>,
    /// Whether it is surely on the stack; otherwise it was found by guessing.
    pub certain: bool,
}

impl Frame {
    /// Where it is, short: `src/discount.rs:41`.
    ///
    /// `None` without debug information.
    pub fn location(&self) -> Option<String> {
        let path = culprit::short_path(self.file.as_deref()?);
        let path = path.display();
        Some(match self.line {
            Some(line) => format!("{path}:{line}"),
            None => path.to_string(),
        })
    }
}

/// A stack, innermost function first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Stack {
    pub(crate) frames: Vec<Frame>,
    /// Whether every frame is certain and the last one is where the thread began.
    pub(crate) exact: bool,
}

#[cfg(all(test, target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests;
