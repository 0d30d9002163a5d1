//! What a channel tells of itself, for metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// A channel at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Where calls may go.
    pub endpoints: Vec<EndpointFigures>,
    /// Calls that wait for a connection, or for room on one.
    pub waiting: usize,
    /// Calls so far.
    pub calls: u64,
    /// Further tries of calls that had failed.
    pub retries: u64,
    /// Further tries of calls that were certainly not processed.
    pub transparent_retries: u64,
    /// Tries that were not made because too many had failed.
    pub retries_refused: u64,
}

/// An endpoint at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointFigures {
    /// Its address, with the name that it was found by.
    pub address: String,
    /// What it is doing.
    pub state: EndpointState,
    /// Calls that have begun and not ended, streams included.
    pub in_flight: usize,
    /// How often it was left out so far.
    pub ejections: u64,
}

/// What an endpoint is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointState {
    /// It has no connection, and none was asked for.
    Idle,
    /// A connection is being made.
    Connecting,
    /// It takes calls.
    Ready,
    /// It was ejected, and takes one call at a time until one is answered.
    Probation,
    /// It is left out for a while.
    Ejected,
}

/// Counts of a channel.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) calls: AtomicU64,
    pub(super) retries: AtomicU64,
    pub(super) transparent_retries: AtomicU64,
    pub(super) retries_refused: AtomicU64,
}

pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

pub(super) fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}
