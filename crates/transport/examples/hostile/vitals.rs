//! What the server's process takes: memory, CPU, files and threads.
//!
//! Source: `proc(5)`. Writing 5 to `clear_refs` begins the peak of resident memory anew.

use std::time::Duration;

use evaluation::load::Process;

use crate::Failure;

/// What the process takes now.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Vitals {
    pub(crate) resident_bytes: u64,
    /// The most since [`begin_peak`].
    pub(crate) peak_bytes: u64,
    /// Since the process began.
    pub(crate) cpu: Duration,
    pub(crate) files: usize,
    pub(crate) threads: usize,
}

/// Reads them.
pub(crate) fn vitals(process: Process) -> Result<Vitals, Failure> {
    let usage = process.usage()?;
    let count = |folder: &str| -> std::io::Result<usize> {
        Ok(std::fs::read_dir(format!("/proc/{}/{folder}", process.0))?.count())
    };
    Ok(Vitals {
        resident_bytes: usage.resident_bytes,
        peak_bytes: usage.resident_peak_bytes,
        cpu: usage.cpu,
        files: count("fd")?,
        threads: count("task")?,
    })
}

/// The peak of memory is from now on.
pub(crate) fn begin_peak(process: Process) -> Result<(), Failure> {
    Ok(std::fs::write(format!("/proc/{}/clear_refs", process.0), "5")?)
}
