//! The process, as `/proc` has it. Elsewhere than on Linux these metrics are missing.

use std::fmt;

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};

use super::families::{BUILD, CPU, DESCRIPTORS, DESCRIPTORS_MAX, RESIDENT, STARTED};
use super::page::Page;

pub(super) fn write(page: &mut Page<'_>) -> fmt::Result {
    if let Some(process) = Process::read() {
        page.seconds(&CPU, process.cpu_seconds)?;
        page.gauge(&RESIDENT, process.resident_bytes)?;
        page.gauge(&STARTED, process.started)?;
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        // The folder itself is open while it is read.
        page.gauge(&DESCRIPTORS, open.count().saturating_sub(1) as f64)?;
    }
    if let Some(max) = getrlimit(Resource::Nofile).current {
        page.gauge(&DESCRIPTORS_MAX, max as f64)?;
    }
    let target = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
    page.info(&BUILD, [env!("CARGO_PKG_VERSION"), &target])
}

/// What one line of `/proc/self/stat` says.
struct Process {
    cpu_seconds: f64,
    resident_bytes: f64,
    /// In seconds since 1970.
    started: f64,
}

impl Process {
    fn read() -> Option<Self> {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        let machine = std::fs::read_to_string("/proc/stat").ok()?;
        let booted = machine.lines().find_map(|line| line.strip_prefix("btime "))?;
        Self::parse(&stat, booted.trim().parse().ok()?)
    }

    /// Numbers as proc(5) counts them from 1; the second is a name in parentheses that may
    /// hold anything.
    fn parse(stat: &str, booted: f64) -> Option<Self> {
        let (_, rest) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
        let ticks = clock_ticks_per_second() as f64;
        Some(Self {
            cpu_seconds: (field(14)? + field(15)?) / ticks,
            resident_bytes: field(24)? * page_size() as f64,
            started: booted + field(22)? / ticks,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_proc_may_hold_spaces_and_parentheses() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194304 5 0 0 0 300 200 0 0 20 0 3 0 1000 9 12 1 1 1";
        let process = Process::parse(stat, 100.0).unwrap();
        let ticks = clock_ticks_per_second() as f64;
        assert_eq!(process.cpu_seconds, 500.0 / ticks);
        assert_eq!(process.started, 100.0 + 1000.0 / ticks);
        assert_eq!(process.resident_bytes, 12.0 * page_size() as f64);
    }
}
