//! What tests of durability need of the real world.
//!
//! - [`postgres`]: clusters of PostgreSQL that are thrown away.
//! - [`checker`]: what concurrent clients saw, against what a store may do.
//! - [`faults`]: a disk that misbehaves for one process.
//! - [`names`]: a name server whose answers change.
//! - [`skip`]: how a test says that it could not run.
//!
//! For tests and chores only, on Unix. Nothing here knows how the service works, so that
//! what it finds is not what the service believes of itself.

pub mod checker;
pub mod faults;
pub mod names;
pub mod postgres;
mod process;
pub mod skip;
