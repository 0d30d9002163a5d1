//! Peak memory of this process, and memory that is left, as Linux counts them; unknown elsewhere.
//!
//! Source: `proc_pid_status(5)`, `proc_pid_clear_refs(5)` and `proc_meminfo(5)`.

use std::fs;

/// A peak that is counted from now on.
pub(crate) struct Peak {
    is_reset: bool,
}

impl Peak {
    /// Sets the peak back to what is resident now.
    pub(crate) fn start() -> Self {
        Self { is_reset: fs::write("/proc/self/clear_refs", "5").is_ok() }
    }

    /// The most memory that was resident at once since the start: of the whole process,
    /// so with what was there before. `None` where this is not known.
    pub(crate) fn bytes(&self) -> Option<u64> {
        if !self.is_reset {
            return None;
        }
        peak_of(&fs::read_to_string("/proc/self/status").ok()?)
    }
}

/// Memory that new work can have without anything being swapped out. `None` where this is not
/// known.
pub(crate) fn available_bytes() -> Option<u64> {
    bytes_of(&fs::read_to_string("/proc/meminfo").ok()?, "MemAvailable:")
}

fn peak_of(status: &str) -> Option<u64> {
    bytes_of(status, "VmHWM:")
}

/// The amount in a line such as `VmRSS:   12 kB`, by its name with the colon.
pub(crate) fn bytes_of(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_read_from_the_status() {
        assert_eq!(peak_of("Name:\tx\nVmHWM:\t    1234 kB\nVmRSS:\t  12 kB\n"), Some(1_263_616));
        assert_eq!(peak_of("Name:\tx\n"), None);
    }
}
