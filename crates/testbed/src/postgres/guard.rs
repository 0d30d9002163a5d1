//! Ends a cluster with the process that started it, also when that is killed.
//!
//! A shell waits at the end of a pipe. If it reads a word, all is well and it goes; if the pipe
//! closes before, it stops the server and removes the folder. So nothing hangs on destructors,
//! which neither statics nor killed processes run.

use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::process;

/// `$1` is the folder. The number in `postmaster.pid` counts only if that process works in the
/// folder: after a kill the file stays, and the number may have gone to somebody else.
const SCRIPT: &str = r#"
read -r word && exit 0
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
is_ours() {
    { cat "/proc/$pid/cmdline" || ps -o args= -p "$pid"; } 2>/dev/null |
        tr '\0' ' ' | grep -qF -- "$1/data"
}
if [ -n "$pid" ] && is_ours "$1"; then
    kill -QUIT "$pid"
    tries=0
    while is_ours "$1" && [ "$tries" -lt 100 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
    is_ours "$1" && kill -KILL "$pid"
fi
rm -rf -- "$1"
"#;

/// How long the shell may take to read its word and go.
const LEAVE_LIMIT: Duration = Duration::from_secs(5);

/// The shell that waits.
#[derive(Debug)]
pub(super) struct Guard {
    shell: Child,
}

impl Guard {
    /// Starts to watch over the cluster in this folder.
    pub(super) fn post(folder: &Path) -> io::Result<Self> {
        let mut shell = Command::new("sh");
        shell.args(["-c", SCRIPT, "guard"]).arg(folder).current_dir("/");
        // Its own process group: an interrupt from the terminal must not end it first. No
        // output of ours: who waits for that to close would wait for the shell.
        shell.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self { shell: shell.spawn()? })
    }

    /// Sends it away: the cluster has been stopped.
    pub(super) fn dismiss(&mut self) {
        if let Some(mut pipe) = self.shell.stdin.take() {
            // If it is gone already there is nobody to tell.
            let _ = pipe.write_all(b"done\n");
        }
        if !matches!(process::wait(&mut self.shell, LEAVE_LIMIT), Ok(Some(_))) {
            let _ = self.shell.kill();
            let _ = self.shell.wait();
        }
    }
}
