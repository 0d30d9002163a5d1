//! What was acknowledged is there: whatever happens to the process, the disk or the database.
//!
//! Real services under load, real faults, and a checker of all that clients asked and heard.

mod client;
mod crowd;
mod models;
mod replicas;
mod rounds;
mod serving;
pub(crate) mod shop;
mod table;
mod trouble;
mod witness;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_acknowledged_is_lost_or_there_twice_whatever_happens() {
    eprintln!("{}", rounds::run(10, 1).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; for soak"]
async fn nothing_that_was_acknowledged_is_lost_or_there_twice_in_two_hundred_rounds() {
    eprintln!("{}", rounds::run(200, 1000).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_dies_within_a_training_starts_again_and_trains() {
    models::run(3, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; for soak"]
async fn a_service_that_dies_within_a_training_starts_again_and_trains_forty_times() {
    models::run(40, 1000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_lose_nothing_when_the_database_is_restarted() {
    if let Some(report) = replicas::restarts("replicas, restart", 1).await {
        eprintln!("{report}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; for soak"]
async fn two_replicas_lose_nothing_when_the_database_is_restarted_ten_times() {
    if let Some(report) = replicas::restarts("replicas, restarts", 10).await {
        eprintln!("{report}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_replica_acknowledged_is_in_the_answers_of_the_other() {
    if let Some(report) = replicas::freshness("replicas, freshness", 200).await {
        eprintln!("{report}");
    }
}
