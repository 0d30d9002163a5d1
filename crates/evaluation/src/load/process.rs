//! What a server's process takes: CPU time and memory, as Linux counts them.
//!
//! Source: `proc_pid_stat(5)`, `proc_pid_status(5)` and `proc_pid_smaps(5)`.

use std::io;
use std::time::Duration;

use serde::Serialize;

use crate::memory::bytes_of;

/// A process of this machine, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Process(pub u32);

/// What a process took so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// CPU time of all its threads, in user and kernel mode, to one clock tick (10 ms).
    pub cpu: Duration,
    /// Memory that is resident now.
    pub resident_bytes: u64,
    /// The most that was resident at once since the process began.
    pub resident_peak_bytes: u64,
}

/// What is resident of a process's memory, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// All of it (`Rss`): memory of its own, and pages of files that it has mapped. What the system
    /// keeps of files that are read, not mapped, is not a process's.
    pub resident_bytes: u64,
    /// The same, with each page divided by the number of processes that have it (`Pss`).
    pub share_bytes: u64,
    /// Of the first: heap and stacks, of no file (`Anonymous`).
    pub anonymous_bytes: u64,
    /// The most that was resident at once since the process began.
    pub peak_bytes: u64,
}

impl Process {
    /// What of its memory is resident.
    ///
    /// # Errors
    ///
    /// As [`usage`](Self::usage), and if the process is somebody else's.
    pub fn memory(self) -> io::Result<Memory> {
        let rollup = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", self.0))?;
        let bytes = |name| bytes_of(&rollup, name).ok_or_else(odd);
        Ok(Memory {
            resident_bytes: bytes("Rss:")?,
            share_bytes: bytes("Pss:")?,
            anonymous_bytes: bytes("Anonymous:")?,
            peak_bytes: self.usage()?.resident_peak_bytes,
        })
    }

    /// What it took so far.
    ///
    /// # Errors
    ///
    /// If there is no such process, or the system does not tell (it is Linux that does).
    pub fn usage(self) -> io::Result<Usage> {
        let read = |file: &str| std::fs::read_to_string(format!("/proc/{}/{file}", self.0));
        let (stat, status) = (read("stat")?, read("status")?);
        let ticks = ticks_of(&stat).ok_or_else(odd)?;
        Ok(Usage {
            cpu: Duration::from_secs_f64(ticks as f64 / ticks_per_second() as f64),
            resident_bytes: bytes_of(&status, "VmRSS:").ok_or_else(odd)?,
            resident_peak_bytes: bytes_of(&status, "VmHWM:").ok_or_else(odd)?,
        })
    }
}

fn odd() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "/proc has an unknown format")
}

#[cfg(unix)]
fn ticks_per_second() -> u64 {
    rustix::param::clock_ticks_per_second()
}

#[cfg(not(unix))]
fn ticks_per_second() -> u64 {
    100
}

/// `utime` and `stime`, fields 14 and 15. The name, field 2, may hold spaces and parentheses.
fn ticks_of(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_past_a_name_with_spaces_and_parentheses() {
        let stat = "42 (a) b (c)) S 1 42 42 0 -1 4194560 100 0 0 0 250 17 0 0 20 0 3 0 99";
        assert_eq!(ticks_of(stat), Some(267));
        assert_eq!(ticks_of("42 (a) S 1"), None);
        assert_eq!(ticks_of(""), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn memory_of_a_process_is_its_own_and_that_of_files() {
        let memory = Process(std::process::id()).memory().unwrap();
        assert!(memory.anonymous_bytes > 0 && memory.share_bytes > 0, "{memory:?}");
        assert!(memory.anonymous_bytes < memory.resident_bytes, "{memory:?}");
    }

    #[test]
    fn memory_is_read_in_bytes() {
        let status = "Name:\tx\nVmHWM:\t    1234 kB\nVmRSS:\t  12 kB\n";
        assert_eq!(bytes_of(status, "VmHWM:"), Some(1_263_616));
        assert_eq!(bytes_of(status, "VmRSS:"), Some(12_288));
        assert_eq!(bytes_of(status, "VmSwap:"), None);
    }
}
