//! What was acknowledged is there: whatever happens to the process, the disk or the database.
//!
//! Real services under load, real faults, and a checker of all that clients asked and heard.

mod client;
mod rounds;
mod serving;
mod shop;
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
