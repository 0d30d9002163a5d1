//! The moment by which a call must be over, and how it is written on the wire.
//!
//! The server leaves it in the extensions of each request that has one. A handler that calls
//! another service hands it on, so that no call outlasts the one it is made for.

use std::time::Duration;

use http::HeaderValue;
use tokio::time::Instant;

/// What counts as for ever: nobody waits longer, and instants do not overflow.
const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// The units of `grpc-timeout` with their nanoseconds, the finest first.
const UNITS: [(u128, char); 6] = [
    (1, 'n'),
    (1_000, 'u'),
    (1_000_000, 'm'),
    (1_000_000_000, 'S'),
    (60_000_000_000, 'M'),
    (3_600_000_000_000, 'H'),
];

/// `grpc-timeout` has at most eight digits.
const NUMBER_MAX: u128 = 99_999_999;

/// The moment by which a call must be over.
///
/// A [`Server`](crate::Server) puts it into the extensions of each request whose caller has set
/// one. Put into the extensions of a request that goes through a
/// [`Channel`](crate::client::Channel), it bounds that call as well:
///
/// ```
/// use std::time::Duration;
/// use transport::Deadline;
///
/// /// A handler that asks another service.
/// fn outgoing<A, B>(served: &tonic::Request<A>, question: B) -> tonic::Request<B> {
///     let mut request = tonic::Request::new(question);
///     if let Some(deadline) = served.extensions().get::<Deadline>() {
///         request.extensions_mut().insert(*deadline);
///     }
///     request
/// }
///
/// let mut served = tonic::Request::new(());
/// served.extensions_mut().insert(Deadline::after(Duration::from_secs(3)));
/// let request = outgoing(&served, "what next?");
/// let left = request.extensions().get::<Deadline>().map(Deadline::remaining);
/// assert!(left.is_some_and(|left| left <= Duration::from_secs(3)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// The moment after so long from now.
    #[must_use]
    pub fn after(timeout: Duration) -> Self {
        Self(Instant::now() + timeout.min(FAR))
    }

    /// A moment.
    #[must_use]
    pub fn at(instant: Instant) -> Self {
        Self(instant)
    }

    pub(crate) fn instant(self) -> Instant {
        self.0
    }

    /// How long there is until then; zero if it has passed.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

/// A duration as the value of `grpc-timeout`: never longer than it is, and never zero.
#[must_use]
#[expect(clippy::missing_panics_doc, reason = "digits and a letter are a header")]
pub fn timeout_value(timeout: Duration) -> HeaderValue {
    let nanos = timeout.as_nanos().max(1);
    let (size, unit) = UNITS
        .into_iter()
        .find(|(size, _)| nanos / size <= NUMBER_MAX)
        .unwrap_or(UNITS[UNITS.len() - 1]);
    let number = (nanos / size).min(NUMBER_MAX);
    HeaderValue::try_from(format!("{number}{unit}")).expect("digits and a letter are a header")
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn timeouts_are_written_in_the_finest_unit_that_fits() {
        for (timeout, expected) in [
            (Duration::ZERO, "1n"),
            (Duration::from_nanos(99_999_999), "99999999n"),
            (Duration::from_millis(100), "100000u"),
            (Duration::from_secs(100), "100000m"),
            (Duration::from_secs(100_000), "100000S"),
            (Duration::from_secs(100_000_000), "1666666M"),
            (Duration::MAX, "99999999H"),
        ] {
            assert_eq!(timeout_value(timeout), expected, "{timeout:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_and_is_never_longer(nanos in 1..u64::MAX) {
            let timeout = Duration::from_nanos(nanos);
            let headers = HeaderMap::from_iter([(
                http::HeaderName::from_static("grpc-timeout"),
                timeout_value(timeout),
            )]);
            let read = unstall::grpc_timeout(&headers).unwrap().unwrap();
            prop_assert!(read <= timeout);
            prop_assert!(timeout - read <= timeout / 100_000);
        }
    }
}
