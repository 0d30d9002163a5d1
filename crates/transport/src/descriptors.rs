//! How many file descriptors there are for connections.

use std::num::NonZeroUsize;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Kept for the database, models, logs and whatever else opens files.
const RESERVED: u64 = 64;

/// Kept for each thread that moves bytes: what its runtime polls with.
const PER_LOOP: u64 = 4;

/// At least so many connections are tried: without any, a server is none.
const LEAST: u64 = 8;

/// Raises the soft limit to the hard one, as every server does that counts descriptors, and
/// tells how many connections it leaves room for; `None` if there is no limit.
pub(crate) fn for_connections(loops: usize) -> Option<NonZeroUsize> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let limit = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => raised.current,
        Err(_) => limit.current,
    };
    let room = limit?.saturating_sub(RESERVED + PER_LOOP * (loops as u64 + 1)).max(LEAST);
    NonZeroUsize::new(usize::try_from(room).unwrap_or(usize::MAX))
}
