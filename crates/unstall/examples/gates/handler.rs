//! The handlers: what a request's path has done with its duration.

use std::hint::black_box;
use std::time::Duration;

use tonic::Status;

use crate::gate::Gate;

/// Steps of [`compute`] are counted as nanoseconds of a request, so that a request is the same
/// work for every server.
pub(crate) async fn handle(method: &str, duration: Duration, gate: &Gate) -> Result<(), Status> {
    match method {
        "Health" => {}
        "Await" => tokio::time::sleep(duration).await,
        "Sleep" => block(duration),
        "One" | "Two" | "Three" | "Forever" => gate.wait(),
        "Compute" => {
            compute(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
        }
        "Spawn" => {
            tokio::spawn(async move { spawned_blocks(duration) });
        }
        "PanicInPoll" => panic!("in a poll, on purpose"),
        "PanicInDrop" => {
            let held = PanicsWhenDropped;
            std::future::pending::<()>().await;
            drop(held);
        }
        "PanicInDropAtEnd" => drop(PanicsWhenDropped),
        _ => return Err(Status::unimplemented(format!("no handler {method}"))),
    }
    Ok(())
}

/// What handlers must not do, and do.
#[inline(never)]
#[expect(clippy::disallowed_methods, reason = "blocking is what is measured")]
pub(crate) fn block(duration: Duration) {
    std::thread::sleep(duration);
}

#[inline(never)]
fn spawned_blocks(duration: Duration) {
    block(duration);
    black_box(());
}

/// So many steps of a computation that cannot be shortened.
#[inline(never)]
pub(crate) fn compute(steps: u64) -> u64 {
    let mut state = black_box(steps | 1);
    for _ in 0..steps {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state ^= state >> 29;
    }
    black_box(state)
}

/// How many steps take so much CPU time here: the best of several tries.
pub(crate) fn steps_in(time: Duration) -> u64 {
    const STEPS: u64 = 5_000_000;
    let tries = (0..7).map(|_| {
        let began = std::time::Instant::now();
        compute(STEPS);
        began.elapsed()
    });
    let best = tries.min().unwrap_or(Duration::from_millis(1));
    (STEPS as f64 * time.as_secs_f64() / best.as_secs_f64()) as u64
}

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("in a drop, on purpose");
        }
    }
}
