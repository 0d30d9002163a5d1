//! Other programs: run within a limit of time, looked at, signalled.

use std::io::{self, Read as _};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

/// How often something is looked at that somebody waits for.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Waits until `look` finds something; `None` once `limit` is over.
pub(crate) fn wait_for<T>(
    limit: Duration,
    mut look: impl FnMut() -> io::Result<Option<T>>,
) -> io::Result<Option<T>> {
    let started = Instant::now();
    loop {
        if let Some(found) = look()? {
            return Ok(Some(found));
        }
        if started.elapsed() > limit {
            return Ok(None);
        }
        pause();
    }
}

/// Waits for a child's end; `None` if it is still there after `limit`.
pub(crate) fn wait(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    wait_for(limit, || child.try_wait())
}

/// Runs a program to its end and gives what it wrote, which should be little: what does not fit
/// into a pipe stops it. `None` if it took longer than `limit` and was killed.
pub(crate) fn output(command: &mut Command, limit: Duration) -> io::Result<Option<Output>> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let Some(status) = wait(&mut child, limit)? else {
        child.kill()?;
        child.wait()?;
        return Ok(None);
    };
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    if let Some(mut pipe) = child.stdout.take() {
        pipe.read_to_end(&mut stdout)?;
    }
    if let Some(mut pipe) = child.stderr.take() {
        pipe.read_to_end(&mut stderr)?;
    }
    Ok(Some(Output { status, stdout, stderr }))
}

#[expect(clippy::disallowed_methods, reason = "a test's thread waits; no service runs on it")]
fn pause() {
    std::thread::sleep(LOOK_EVERY);
}
