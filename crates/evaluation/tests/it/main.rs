//! The load generator against real servers on loopback.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod arrivals;
mod contents;
mod loops;
mod paired;
mod process;
mod shop;
mod tls;
