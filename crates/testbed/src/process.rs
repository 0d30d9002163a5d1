//! Other programs: run within a limit of time, looked at, signalled.

use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often something is looked at that somebody waits for.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// How much a program may write; what comes after that fails to write.
const OUTPUT_BYTES_MAX: u64 = 16 << 20;

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

/// Runs a program to its end and gives what it wrote. `None` if it took longer than `limit` and was
/// killed.
pub(crate) fn output(command: &mut Command, limit: Duration) -> io::Result<Option<Output>> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let stdout = read(child.stdout.take());
    let stderr = read(child.stderr.take());
    let Some(status) = wait(&mut child, limit)? else {
        child.kill()?;
        child.wait()?;
        return Ok(None);
    };
    let join = |reader: JoinHandle<io::Result<Vec<u8>>>| {
        reader.join().unwrap_or_else(|_| Err(io::Error::other("the reader panicked")))
    };
    Ok(Some(Output { status, stdout: join(stdout)?, stderr: join(stderr)? }))
}

/// Reads a pipe to its end on a thread of its own, so that what does not fit stops nobody.
fn read(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<io::Result<Vec<u8>>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            pipe.take(OUTPUT_BYTES_MAX).read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    })
}

#[expect(clippy::disallowed_methods, reason = "a test's thread waits; no service runs on it")]
fn pause() {
    thread::sleep(LOOK_EVERY);
}
