//! The testbed against the real things: PostgreSQL's programs, files, processes that die.

mod child;
#[cfg(target_os = "linux")]
mod database;
#[cfg(target_os = "linux")]
mod faults;
mod postgres;
mod writer;
