//! Kills a process with its children, at one moment.
//!
//! The parent is stopped first: a stopped parent makes no more children, and does not collect
//! those that die, so that their numbers cannot go to somebody else meanwhile.

use std::fs;
use std::io;
use std::process::Child;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::process;

/// Kills `parent` and its children with SIGKILL, and waits until all are gone.
///
/// Children are found through `/proc`; where there is none, they are left to notice by themselves
/// that their parent is gone, as those of PostgreSQL do.
pub(super) fn kill_family(parent: &mut Child, limit: Duration) -> io::Result<()> {
    let pid = Pid::from_child(parent);
    kill_process(pid, Signal::STOP)?;
    let children = children_of(parent.id());
    for child in &children {
        // One that has died is still there to be collected, so that this cannot fail for want
        // of it, nor reach another.
        if let Some(child) = i32::try_from(*child).ok().and_then(Pid::from_raw) {
            kill_process(child, Signal::KILL)?;
        }
    }
    parent.kill()?;
    parent.wait()?;
    let gone = process::wait_for(limit, || {
        Ok(children.iter().all(|child| !is_alive(*child)).then_some(()))
    })?;
    gone.ok_or_else(|| io::Error::other("killed processes are still there"))
}

fn children_of(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|process| stat(*process).is_some_and(|(_, its_parent)| its_parent == parent))
        .collect()
}

fn is_alive(process: u32) -> bool {
    stat(process).is_some_and(|(state, _)| !matches!(state, 'Z' | 'X'))
}

/// State and parent, which follow the name in parentheses (`man 5 proc_pid_stat`).
fn stat(process: u32) -> Option<(char, u32)> {
    let line = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, after_name) = line.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}
