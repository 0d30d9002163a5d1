use std::time::Duration;

use super::linux::{parse_view, spoken};
use super::*;

fn check(text: &str, expected: View) {
    assert_eq!(parse_view(text.as_bytes()), expected, "{text}");
}

#[test]
fn the_text_of_the_kernel_is_understood() {
    check("running\n", View::Running);
    check(
        "230 0x0 0x1 0x7f02 0x3 0x4 0x5 0x7f50 0x7fa3\n",
        View::Blocked(SystemCall {
            number: 230,
            arguments: [0, 1, 0x7f02, 3, 4, 5],
            sp: 0x7f50,
            pc: 0x7fa3,
        }),
    );
    check("-1 0x7f50 0x55a3\n", View::Paging { sp: 0x7f50, pc: 0x55a3 });
    check("-1 0x0 0x0\n", View::Gone);
}

#[test]
fn text_that_no_kernel_writes_is_unknown() {
    for text in ["", "\n", "sleeping", "230", "230 0x0", "-1 0x1", "1 2 3 4 5 6 7 8 9 10", "230 zz"]
    {
        check(text, View::Unknown);
    }
    assert_eq!(parse_view(&[0xff; 9]), View::Unknown);
}

#[test]
fn durations_are_spoken_in_the_unit_that_fits() {
    assert_eq!(spoken(Duration::from_secs(5)), "5 s");
    assert_eq!(spoken(Duration::from_millis(1500)), "1.5 s");
    assert_eq!(spoken(Duration::from_millis(250)), "250 ms");
    assert_eq!(spoken(Duration::from_micros(80)), "80 µs");
}

/// Runs one test of this binary again, in a process of its own that `sh` prepares.
pub(crate) fn run_alone(test: &str, prepare: &str, program: &std::path::Path) {
    let output = std::process::Command::new("sh")
        .args(["-c", &format!("{prepare} exec \"$0\" \"$@\"")])
        .arg(program)
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env("UNSTALL_ALONE", test)
        .output()
        .expect("sh runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Whether this process was started by [`run_alone`] for this test.
pub(crate) fn is_alone(test: &str) -> bool {
    std::env::var_os("UNSTALL_ALONE").is_some_and(|alone| alone == test)
}

#[test]
fn without_proc_only_the_cpu_clock_can_be_seen() {
    let test = "kernel::tests::without_proc_only_the_cpu_clock_can_be_seen";
    if !is_alone(test) {
        let program = std::env::current_exe().expect("this test has a file");
        return run_alone(test, "ulimit -n 40;", &program);
    }
    // As in a sandbox, no file can be opened: here because no descriptor is left.
    let mut files = Vec::new();
    while let Ok(file) = std::fs::File::open("/dev/null") {
        files.push(file);
    }
    let sight = probe();
    let thread = Thread::current();
    let (view, before) = (thread.view(), thread.cpu_time());
    drop(files);
    assert_eq!(sight, Sight::CpuClock);
    assert_eq!(view, View::Unknown);
    assert!(before.is_some());
}
