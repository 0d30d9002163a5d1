//! The control file: numbers of 64 bits, each at its place. Both sides compile this file.
//!
//! The test writes the first half, parameters before [`MODE`]; the process writes the second,
//! except that it counts down what the test set.
#![allow(dead_code, reason = "of some values only one side needs the name")]

/// How many numbers there are.
pub(crate) const WORDS: usize = 32;

/// Holds [`MAGIC_VALUE`] in a file that is one.
pub(crate) const MAGIC: usize = 0;
/// Changes with the meaning of the words.
pub(crate) const MAGIC_VALUE: u64 = 0x666f_7265_776f_7264;
/// 1 if what is replaced is to be remembered, 0 if operations are only counted.
pub(crate) const JOURNAL: usize = 1;
/// Which fault is armed: one of the values below.
pub(crate) const MODE: usize = 2;
/// No fault.
pub(crate) const MODE_NONE: u64 = 0;
/// The process is killed at an operation.
pub(crate) const MODE_KILL: u64 = 1;
/// What has not been synced is lost in parts at an operation, and the process killed.
pub(crate) const MODE_POWER_CUT: u64 = 2;
/// Some syncs fail, and lose what they should have made durable.
pub(crate) const MODE_SYNC_FAILS: u64 = 3;
/// Writes are refused once [`BUDGET`] is spent.
pub(crate) const MODE_DISK_FULL: u64 = 4;
/// Operations until the fault, itself included; of failing syncs, those that still succeed.
pub(crate) const COUNTDOWN: usize = 3;
/// When the process is killed: one of the values below.
pub(crate) const MOMENT: usize = 4;
/// Before the operation.
pub(crate) const MOMENT_BEFORE: u64 = 0;
/// After a part of the bytes; an operation that has none has not happened.
pub(crate) const MOMENT_TORN: u64 = 1;
/// After the operation, before the process learns of it.
pub(crate) const MOMENT_AFTER: u64 = 2;
/// What chance is drawn from.
pub(crate) const SEED: usize = 5;
/// Syncs that fail.
pub(crate) const FAILURES: usize = 6;
/// Bytes that can still be written.
pub(crate) const BUDGET: usize = 7;

/// Writes, syncs and changes of length that were asked for.
pub(crate) const OPERATIONS: usize = 16;
/// Writes among them.
pub(crate) const WRITES: usize = 17;
/// Syncs among them.
pub(crate) const SYNCS: usize = 18;
/// Bytes that were written.
pub(crate) const BYTES: usize = 19;
/// Sectors that a power cut or a failed sync put back.
pub(crate) const SECTORS_LOST: usize = 20;
/// Syncs that were made to fail.
pub(crate) const FAILED_SYNCS: usize = 21;
/// Writes that were refused or shortened for want of space.
pub(crate) const REFUSED_WRITES: usize = 22;
/// Files of which changes were taken as durable, since there was no room to remember them.
pub(crate) const FORGOTTEN: usize = 23;
/// 1 once the process was killed on purpose.
pub(crate) const FIRED: usize = 24;
