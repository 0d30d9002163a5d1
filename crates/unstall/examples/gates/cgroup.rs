//! Control groups, of either version: a limit for one process.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A group of its own below the root; removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Group(PathBuf);

impl Group {
    /// At most so much CPU time in each tenth of a second.
    pub(crate) fn with_cpu_quota(ms: u64) -> io::Result<Self> {
        let group = Self::new("cpu")?;
        if group.0.join("cpu.max").exists() {
            group.write("cpu.max", &format!("{} 100000", ms * 1000))?;
        } else {
            group.write("cpu.cfs_period_us", "100000")?;
            group.write("cpu.cfs_quota_us", &(ms * 1000).to_string())?;
        }
        Ok(group)
    }

    /// At most so many threads.
    pub(crate) fn with_threads(most: usize) -> io::Result<Self> {
        let group = Self::new("pids")?;
        group.write("pids.max", &most.to_string())?;
        Ok(group)
    }

    fn new(controller: &str) -> io::Result<Self> {
        let root = Path::new("/sys/fs/cgroup");
        let v1 = root.join(controller);
        let parent = if v1.is_dir() { &v1 } else { root };
        let group = Self(parent.join(format!("unstall-gates-{}", std::process::id())));
        fs::create_dir(&group.0)?;
        Ok(group)
    }

    /// Takes a process in, with all its threads.
    pub(crate) fn take(&self, process: u32) -> io::Result<()> {
        self.write("cgroup.procs", &process.to_string())
    }

    /// In how many periods the quota was used up.
    pub(crate) fn throttled(&self) -> Option<u64> {
        let stat = fs::read_to_string(self.0.join("cpu.stat")).ok()?;
        stat.lines().find_map(|line| line.strip_prefix("nr_throttled ")?.parse().ok())
    }

    fn write(&self, file: &str, value: &str) -> io::Result<()> {
        let path = self.0.join(file);
        fs::write(&path, value)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // The kernel lets processes go a little after they have ended.
        for _ in 0..50 {
            if fs::remove_dir(&self.0).is_ok() {
                return;
            }
            crate::handler::block(std::time::Duration::from_millis(20));
        }
    }
}
