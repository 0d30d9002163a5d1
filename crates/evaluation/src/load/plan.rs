//! The plan of a run: what is asked how often, for how long, over how many connections.

use std::num::NonZeroUsize;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::load::Arrivals;

/// The longest time that a latency can have, and so the longest deadline.
pub const DEADLINE_MAX: Duration = Duration::from_mins(10);

/// The most connections of a run: beyond, one machine runs out of ports or of file numbers.
pub const CONNECTIONS_MAX: usize = 10_000;

/// The most requests under way at once.
pub const IN_FLIGHT_MAX: usize = 1_000_000;

/// The most threads of a client.
pub const THREADS_MAX: usize = 1_000;

/// The longest that a run may take.
pub const LENGTH_MAX: Duration = Duration::from_hours(24);

/// How a run is done. The same plan can be run against several targets.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// When requests are due.
    pub arrivals: Arrivals,
    /// Connections, all opened before the first request.
    pub connections: NonZeroUsize,
    /// The most requests under way on one connection. One that is due when every
    /// connection is full waits, and its wait is a part of its latency.
    pub streams_per_connection: NonZeroUsize,
    /// Requests of this time at the beginning are sent and not counted.
    #[serde(rename = "warm_up_seconds", serialize_with = "seconds")]
    pub warm_up: Duration,
    /// How long is measured, after the warm-up.
    #[serde(rename = "duration_seconds", serialize_with = "seconds")]
    pub duration: Duration,
    /// How long one call may take, from the moment when it is really sent.
    #[serde(rename = "deadline_seconds", serialize_with = "seconds")]
    pub deadline: Duration,
    /// Threads of the client.
    pub threads: NonZeroUsize,
}

/// A plan that cannot be run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// The rate is no number above 0, or too high.
    #[error("{0} requests per second, expected more than 0 and at most 1,000,000")]
    Rate(f64),
    /// A closed loop has more requests than connections have room for.
    #[error(
        "{in_flight} requests in flight need more than {connections} connections with {streams} streams each; take more connections or streams"
    )]
    Room {
        /// Requests in flight.
        in_flight: usize,
        /// Connections.
        connections: usize,
        /// Streams of each.
        streams: usize,
    },
    /// Too many connections or streams.
    #[error(
        "{connections} connections with {streams} streams each, expected at most 10,000 connections and 1,000,000 streams in all"
    )]
    Size {
        /// Connections.
        connections: usize,
        /// Streams of each.
        streams: usize,
    },
    /// Too many threads.
    #[error("{0} threads, expected at most 1,000")]
    Threads(usize),
    /// Nothing would be measured, or for too long.
    #[error("a run of {0:?}, expected more than 0 s and at most 24 h, with its warm-up")]
    Length(Duration),
    /// No answer could be in time, or later than can be recorded.
    #[error("a deadline of {0:?}, expected more than 0 s and at most 10 min")]
    Deadline(Duration),
}

impl Plan {
    /// Ten seconds after one second of warm-up over one connection with at most 100 streams,
    /// which is what many servers allow; a deadline of 10 s; one client thread.
    #[must_use]
    pub fn new(arrivals: Arrivals) -> Self {
        Self {
            arrivals,
            connections: NonZeroUsize::MIN,
            streams_per_connection: NonZeroUsize::MIN.saturating_add(99),
            warm_up: Duration::from_secs(1),
            duration: Duration::from_secs(10),
            deadline: Duration::from_secs(10),
            threads: NonZeroUsize::MIN,
        }
    }

    /// Whether it can be run.
    ///
    /// # Errors
    ///
    /// [`PlanError`] names the first thing that is out of bounds.
    pub fn check(&self) -> Result<(), PlanError> {
        let (connections, streams) = (self.connections.get(), self.streams_per_connection.get());
        let room = connections.saturating_mul(streams);
        if connections > CONNECTIONS_MAX || room > IN_FLIGHT_MAX {
            return Err(PlanError::Size { connections, streams });
        }
        if let Arrivals::Closed { in_flight } = self.arrivals
            && in_flight.get() > room
        {
            return Err(PlanError::Room { in_flight: in_flight.get(), connections, streams });
        }
        if let Some(rate) = self.arrivals.per_second()
            && !(rate > 0.0 && rate <= 1e6)
        {
            return Err(PlanError::Rate(rate));
        }
        if self.threads.get() > THREADS_MAX {
            return Err(PlanError::Threads(self.threads.get()));
        }
        let length = self.duration.saturating_add(self.warm_up);
        if self.duration.is_zero() || length > LENGTH_MAX {
            return Err(PlanError::Length(length));
        }
        if self.deadline.is_zero() || self.deadline > DEADLINE_MAX {
            return Err(PlanError::Deadline(self.deadline));
        }
        Ok(())
    }
}

/// A duration in JSON.
fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}
