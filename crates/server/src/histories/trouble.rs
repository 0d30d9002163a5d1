//! What is said of histories that cannot be read: once when it begins and once when it is over, not
//! with each answer.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// After it was said that it began, it is not said again for so long, so that one that comes and
/// goes does not fill the log.
const QUIET: Duration = Duration::from_secs(10);

/// Whether there is trouble, as far as it was said.
#[derive(Debug, Default)]
pub(super) struct Trouble(Mutex<Said>);

#[derive(Debug, Default)]
struct Said {
    is_on: bool,
    began: Option<Instant>,
}

impl Trouble {
    /// A history could not be read; tells whether to say so.
    pub(super) fn began(&self, now: Instant) -> bool {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lately = said.began.is_some_and(|began| now.saturating_duration_since(began) < QUIET);
        if said.is_on || lately {
            return false;
        }
        *said = Said { is_on: true, began: Some(now) };
        true
    }

    /// One was read; tells whether to say that it is over.
    pub(super) fn ended(&self) -> bool {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut said.is_on)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_said_once_when_it_begins_and_once_when_it_is_over() {
        let (trouble, start) = (Trouble::default(), Instant::now());
        assert!(!trouble.ended());
        assert!(trouble.began(start));
        assert!(!trouble.began(start + 3 * QUIET));
        assert!(trouble.ended());
        assert!(!trouble.ended());
        // The next one counts from when the one before began.
        assert!(trouble.began(start + QUIET));
        assert!(trouble.ended());
        assert!(!trouble.began(start + QUIET + QUIET / 2));
        assert!(!trouble.ended());
        assert!(trouble.began(start + 2 * QUIET));
    }
}
