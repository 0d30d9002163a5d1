//! The testbed against the real things: PostgreSQL's programs, files, processes that die.

mod checker;
mod child;
#[cfg(target_os = "linux")]
mod faults;
mod postgres;
#[cfg(target_os = "linux")]
mod sqlite;
mod writer;
