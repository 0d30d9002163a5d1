//! What tests of durability need of the real world.
//!
//! - [`postgres`]: clusters of PostgreSQL that are thrown away.
//! - [`faults`]: a disk that misbehaves for one process.
//! - [`skip`]: how a test says that it could not run.
//!
//! For tests and chores only, on Unix. Nothing here knows how the service works, so that
//! what it finds is not what the service believes of itself.

pub mod faults;
pub mod postgres;
mod process;
pub mod skip;
