//! A library that is loaded before all others (`LD_PRELOAD`) and makes the disk misbehave, for
//! one process and the files in one folder.
//!
//! It stands in for the C library's `write`, `fsync` and their like. What it does beyond passing
//! them on is told by a file that both sides map or read (`words.rs`); `testbed::faults` is the
//! other side, and says what the faults are. Operations are counted there as they happen, so that
//! the counts outlive a process that is killed.
//!
//! What it knows, and what not:
//!
//! - Since the last sync that succeeded, it remembers of each file what every write and every
//!   change of length replaced (`journal.rs`). A power cut puts parts of that back.
//! - Files whose name ends in `-shm` are left alone: `SQLite` maps them, never syncs them, and
//!   makes them anew after a crash.
//! - Names are taken as durable: a file that was made, renamed or removed stays so. Writes
//!   through a mapping, `fallocate` and `io_uring` are not seen.
//! - Programs that are linked statically are out of reach.
#![cfg(target_os = "linux")]

mod journal;
mod random;

// Under test these would stand in for the functions that the tests themselves use.
#[cfg(not(test))]
mod control;
#[cfg(not(test))]
mod disk;
#[cfg(not(test))]
mod files;
#[cfg(not(test))]
mod interpose;
#[cfg(not(test))]
mod raw;
#[cfg(not(test))]
mod words;
