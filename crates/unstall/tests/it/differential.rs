//! The same programs on this executor and on `async-executor`: every task must end alike.
//!
//! A program is some tasks in a row. Each gets a number from some of those before it, adds
//! them up, yields now and then, and hands the sum to tasks after it; or it panics, or is
//! cancelled, and those after it find their channel closed.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::thread;

use proptest::prelude::*;
use tokio::sync::oneshot;
use unstall::{Executor, JobError, Settings};

use crate::wait_for;

/// What a task does after it has its sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Hands,
    Panics,
}

#[derive(Clone, Debug)]
struct Task {
    /// How far before it those are that it gets a number from.
    gets_from: Vec<usize>,
    yields: u8,
    end: End,
}

fn programs() -> impl Strategy<Value = Vec<Task>> {
    let end = prop_oneof![9 => Just(End::Hands), 1 => Just(End::Panics)];
    let task = (prop::collection::vec(1_usize..8, 0..4), 0_u8..5, end)
        .prop_map(|(gets_from, yields, end)| Task { gets_from, yields, end });
    prop::collection::vec(task, 1..60)
}

/// The futures of a program, wired up.
fn futures(program: &[Task]) -> Vec<impl Future<Output = u64> + Send + use<>> {
    let mut hands: Vec<Vec<oneshot::Sender<u64>>> = program.iter().map(|_| Vec::new()).collect();
    let mut gets: Vec<Vec<oneshot::Receiver<u64>>> = program.iter().map(|_| Vec::new()).collect();
    for (index, task) in program.iter().enumerate() {
        for from in task.gets_from.iter().filter_map(|back| index.checked_sub(*back)) {
            let (sender, receiver) = oneshot::channel();
            hands[from].push(sender);
            gets[index].push(receiver);
        }
    }
    let tasks = program.iter().cloned().zip(hands).zip(gets).enumerate();
    tasks
        .map(|(index, ((task, hands), gets))| async move {
            let mut sum = index as u64;
            for get in gets {
                sum = sum.wrapping_mul(31).wrapping_add(get.await.unwrap_or(7));
            }
            for _ in 0..task.yields {
                tokio::task::yield_now().await;
            }
            assert_ne!(task.end, End::Panics, "as it was told");
            for hand in hands {
                // Whoever wanted it may have panicked.
                let _ = hand.send(sum);
            }
            sum
        })
        .collect()
}

fn on_ours(executor: &Executor, program: &[Task]) -> Vec<Option<u64>> {
    let jobs: Vec<_> =
        futures(program).into_iter().map(|future| executor.spawn("task", future)).collect();
    let results = jobs.into_iter().map(wait_for);
    results
        .map(|result| match result {
            Ok(sum) => Some(sum),
            Err(JobError::Panicked { .. }) => None,
            Err(error) => panic!("{error}"),
        })
        .collect()
}

fn on_theirs(program: &[Task]) -> Vec<Option<u64>> {
    let executor = Arc::new(async_executor::Executor::new());
    let (end, ended) = tokio::sync::watch::channel(false);
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let (executor, mut ended) = (Arc::clone(&executor), ended.clone());
            thread::spawn(move || wait_for(executor.run(async { drop(ended.changed().await) })))
        })
        .collect();
    let tasks: Vec<_> = futures(program)
        .into_iter()
        .map(|future| {
            executor.spawn(futures_util::FutureExt::catch_unwind(AssertUnwindSafe(future)))
        })
        .collect();
    let results = tasks.into_iter().map(|task| wait_for(task).ok()).collect();
    end.send(true).unwrap();
    for thread in threads {
        if let Err(panic) = thread.join() {
            resume_unwind(panic);
        }
    }
    results
}

#[test]
fn programs_end_as_they_do_on_async_executor() {
    let before = std::panic::take_hook();
    // A thousand panics that are meant would hide one that is not.
    std::panic::set_hook(Box::new(|_| {}));
    let executor = Executor::start(Settings::for_this_machine(), ()).unwrap();
    let run = catch_unwind(AssertUnwindSafe(|| {
        proptest!(ProptestConfig::with_cases(200), |(program in programs())| {
            prop_assert_eq!(on_ours(&executor, &program), on_theirs(&program));
        });
    }));
    std::panic::set_hook(before);
    if let Err(panic) = run {
        resume_unwind(panic);
    }
}
