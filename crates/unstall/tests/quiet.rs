//! `assert_no_stalls` in a process of its own, because it means all executors of a process.
#![allow(clippy::unwrap_used, reason = "a test may end here")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use unstall::{Executor, Settings, assert_no_stalls};

#[test]
fn a_stall_fails_the_test_it_happens_in_and_no_other() {
    let executor = Executor::start(Settings::for_this_machine(), ()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    {
        let _quiet = assert_no_stalls();
        runtime.block_on(executor.spawn("Awaits", async {})).unwrap();
    }
    let stalled = catch_unwind(AssertUnwindSafe(|| {
        let _quiet = assert_no_stalls();
        let job = executor.spawn("Recommend", async { discount() });
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(job).unwrap();
    }));
    let message = *stalled.unwrap_err().downcast::<String>().unwrap();
    assert!(message.starts_with("stalls: 1, expected none:"), "{message}");
    assert!(message.contains("Recommend blocked "), "{message}");
    let _quiet = assert_no_stalls();
}

#[inline(never)]
#[expect(clippy::disallowed_methods, reason = "blocking is what is tested")]
fn discount() {
    std::thread::sleep(Duration::from_millis(300));
}
