//! Reports: each culprit is named once, while it lasts, for what it is.

use std::net::UdpSocket;
use std::process::Command;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use unstall::{Executor, Settings, Stage};

use crate::culprits::{CULPRITS, Culprit, RESOLVES};
use crate::recorder::{Recorder, Seen};
use crate::row::Row;
use crate::{Failure, Outcome, Plan};

/// A name server on loopback that never answers.
const NAME_SERVER: &str = "127.53.53.53";

pub(crate) fn named(_: &Plan) -> Outcome {
    let mut rows = Vec::new();
    for culprit in CULPRITS {
        rows.push(row(culprit, report_of(culprit)?));
    }
    rows.push(dns()?);
    Ok(rows)
}

/// Why a culprit is not reported as it should be, or the report.
fn report_of(culprit: &Culprit) -> Result<Result<String, String>, Failure> {
    let reports = Recorder::default();
    let executor = Executor::start(Settings::for_this_machine(), reports.clone())?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let run = culprit.run;
    let job = executor.spawn(culprit.name, async move {
        run();
        Instant::now()
    });
    let returned = runtime.block_on(job)?;
    let begun = reports.begun(culprit.name);
    Ok(match &begun[..] {
        [seen] => judge(culprit, seen, returned),
        others => Err(format!("{} reports that it had begun", others.len())),
    })
}

fn judge(culprit: &Culprit, seen: &Seen, returned: Instant) -> Result<String, String> {
    let report = &seen.report;
    let syscall = report.syscall.as_deref();
    let function = report.culprit().map_or("", |frame| &frame.function);
    let by_syscall = match syscall {
        Some(syscall) => culprit.syscalls.contains(&syscall),
        None => culprit.syscalls.is_empty(),
    };
    let at_once = seen.at < returned;
    let by_function = report.frames.iter().any(|frame| frame.function.contains(culprit.name));
    if at_once && report.kind == culprit.kind && by_syscall && by_function {
        let innermost = if function.contains(culprit.name) { "" } else { ", not as the first" };
        return Ok(format!("{report}{innermost}"));
    }
    Err(format!("before it returned: {at_once}; {report}; stack: {:?}", report.frames))
}

fn row(culprit: &Culprit, outcome: Result<String, String>) -> Row {
    let case = format!("named once, while it lasts: {}", culprit.name);
    Row::holds(case, outcome.is_ok()).note(outcome.unwrap_or_else(|why| why))
}

/// In a process whose `/etc/resolv.conf` is another.
fn dns() -> Result<Row, Failure> {
    let case = format!("named once, while it lasts: {}", RESOLVES.name);
    let file = std::env::temp_dir().join(format!("resolv.conf.{}", std::process::id()));
    std::fs::write(&file, format!("nameserver {NAME_SERVER}\noptions timeout:1 attempts:1\n"))?;
    let script = r#"mount --bind "$1" /etc/resolv.conf && exec "$2" resolve"#;
    let output = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "sh", "-c", script, "sh"])
        .arg(&file)
        .arg(std::env::current_exe()?)
        .output();
    std::fs::remove_file(&file)?;
    let output = match output {
        Ok(output) if output.status.success() => output,
        Ok(output) => {
            return Ok(Row::skipped(case, String::from_utf8_lossy(&output.stderr).trim()));
        }
        Err(error) => return Ok(Row::skipped(case, format!("unshare: {error}"))),
    };
    let outcome: Result<String, String> = serde_json::from_slice(&output.stdout)?;
    Ok(row(&RESOLVES, outcome))
}

/// The child's part.
#[expect(clippy::print_stdout, reason = "the parent reads it")]
pub(crate) fn resolve() -> Result<(), Failure> {
    let _silent = UdpSocket::bind((NAME_SERVER, 53))?;
    println!("{}", serde_json::to_string(&report_of(&RESOLVES)?)?);
    Ok(())
}

/// A `poll()` of three seconds is not interrupted by being reported.
pub(crate) fn three_second_poll(_: &Plan) -> Outcome {
    let reports = Recorder::default();
    let executor = Executor::start(Settings::for_this_machine(), reports.clone())?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let job = executor.spawn("polls", async {
        let (reader, _writer) = std::io::pipe()?;
        let began = Instant::now();
        let timeout = Timespec { tv_sec: 3, tv_nsec: 0 };
        let ready = poll(&mut [PollFd::new(&reader, PollFlags::IN)], Some(&timeout))?;
        Ok::<_, std::io::Error>((ready, began.elapsed()))
    });
    let ended = runtime.block_on(job)?;
    let told = reports.seen().iter().filter(|seen| seen.report.stage != Stage::Ended).count();
    let whole = matches!(&ended, Ok((0, took)) if took.as_secs() >= 3);
    let note = format!("{ended:?}, reported {told} times meanwhile");
    Ok(vec![
        Row::holds("3 s of poll() while it is reported: no EINTR", whole && told > 1).note(note),
    ])
}
