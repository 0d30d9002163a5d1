//! When requests are due: a schedule that is fixed before the first request is sent.
//!
//! That nothing of it depends on the answers is what makes a measurement free of
//! coordinated omission (Tene 2013, *How NOT to Measure Latency*).

use std::num::NonZeroUsize;
use std::time::Duration;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::Serialize;

/// How requests arrive.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Arrivals {
    /// Closed loop: each of so many clients asks again as soon as it has its answer.
    Closed {
        /// Requests under way at every moment.
        in_flight: NonZeroUsize,
    },
    /// Open loop, at equal distances.
    Constant {
        /// Requests per second.
        per_second: f64,
    },
    /// Open loop, as of very many users who know nothing of each other: exponential distances.
    Poisson {
        /// Requests per second, on average.
        per_second: f64,
        /// The same seed gives the same schedule.
        seed: u64,
    },
}

impl Arrivals {
    /// The schedule of an open loop; `None` for a closed one, which has none.
    #[must_use]
    pub fn schedule(self) -> Option<Schedule> {
        let (per_second, random) = match self {
            Self::Closed { .. } => return None,
            Self::Constant { per_second } => (per_second, None),
            Self::Poisson { per_second, seed } => {
                (per_second, Some(ChaCha8Rng::seed_from_u64(seed)))
            }
        };
        Some(Schedule { per_second, random, number: 0, seconds: 0.0 })
    }

    /// The rate of an open loop.
    #[must_use]
    pub fn per_second(self) -> Option<f64> {
        match self {
            Self::Closed { .. } => None,
            Self::Constant { per_second } | Self::Poisson { per_second, .. } => Some(per_second),
        }
    }
}

/// The moments at which requests are due, since the start; it never ends, nor goes back.
///
/// ```
/// use std::time::Duration;
/// use evaluation::load::Arrivals;
///
/// let due: Vec<Duration> =
///     Arrivals::Constant { per_second: 400.0 }.schedule().into_iter().flatten().take(3).collect();
/// assert_eq!(due, [0, 2_500, 5_000].map(Duration::from_micros));
/// ```
#[derive(Clone, Debug)]
pub struct Schedule {
    per_second: f64,
    random: Option<ChaCha8Rng>,
    /// Of the next request.
    number: u64,
    /// When the last one of a Poisson process was due.
    seconds: f64,
}

impl Iterator for Schedule {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let seconds = match &mut self.random {
            // Not a running sum, so that no error adds up.
            None => self.number as f64 / self.per_second,
            Some(random) => {
                let uniform: f64 = random.random();
                self.seconds -= (1.0 - uniform).ln() / self.per_second;
                self.seconds
            }
        };
        self.number += 1;
        Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
    }
}
