//! Whether a call is tried again, and when. After gRFC A6.

use std::time::Duration;

use tonic::Code;

use super::backoff::full_jitter;
use super::failure::{Processed, Pushback};
use super::settings::Retries;
use super::tokens::Tokens;

/// Tries of a call that never left: each meets another connection, and more than one in a row is
/// rare.
const UNSENT_MAX: u32 = 5;

/// Tries of a call that a peer turned away: A6 allows one at once, and the others are tries like
/// any other, or a peer that refuses everything would be asked all the more.
const REFUSED_MAX: u32 = 1;

/// The tries of one call.
#[derive(Debug)]
pub(super) struct Tries<'a> {
    limits: &'a Retries,
    tokens: &'a Tokens,
    is_idempotent: bool,
    /// Tries that may have been processed.
    made: u32,
    unsent: u32,
    refused: u32,
    /// Tries since the server last said when to come again.
    since_pushback: u32,
}

/// What follows a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It is tried again after so long.
    Retry(Duration),
    /// It is the answer.
    Answer,
    /// It is the answer since too many other calls have failed.
    Refused,
}

impl<'a> Tries<'a> {
    pub(super) fn new(limits: &'a Retries, tokens: &'a Tokens, path: &str) -> Self {
        let is_idempotent = limits.idempotent_methods.iter().any(|method| {
            path == method || (method.ends_with('/') && path.starts_with(method.as_str()))
        });
        Self { limits, tokens, is_idempotent, made: 0, unsent: 0, refused: 0, since_pushback: 0 }
    }

    /// Tries before the one that is made now, as `grpc-previous-rpc-attempts` has it.
    pub(super) fn before(&self) -> u32 {
        self.made
    }

    /// The connection or the stream of a try has failed; whether there is another one at once.
    pub(super) fn broken(&mut self, processed: Processed) -> bool {
        match processed {
            Processed::Unsent => {
                self.unsent += 1;
                self.unsent <= UNSENT_MAX
            }
            Processed::Refused => {
                self.refused += 1;
                self.refused <= REFUSED_MAX
            }
            Processed::Maybe => false,
        }
    }

    /// A try was answered with something else than a failure to be tried again.
    pub(super) fn answered(&self) {
        self.tokens.answered();
    }

    /// Whether a code counts as a failure that may pass.
    pub(super) fn is_failure(&self, code: Code) -> bool {
        self.limits.codes.contains(&code)
    }

    /// A try has failed with one of the codes.
    pub(super) fn failed(&mut self, pushback: Pushback, draw: f64) -> Next {
        self.tokens.failed();
        self.made += 1;
        if !self.is_idempotent || self.made >= self.limits.attempts_max.get() {
            return Next::Answer;
        }
        let wait = match pushback {
            Pushback::Never => return Next::Answer,
            Pushback::After(millis) => {
                self.since_pushback = 0;
                Duration::from_millis(millis)
            }
            Pushback::None => {
                self.since_pushback += 1;
                let (first, most) = (self.limits.backoff_first, self.limits.backoff_max);
                full_jitter(first, most, self.since_pushback, draw)
            }
        };
        if self.tokens.allow() { Next::Retry(wait) } else { Next::Refused }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Settings;

    /// What follows each of these pushbacks of a call in turn.
    fn check(path: &str, pushbacks: &[Pushback], expected: &[Next]) {
        let idempotent_methods = vec!["/a.B/Get".to_owned(), "/a.C/".to_owned()];
        let retries = Settings::for_a_nearby_service().retries;
        let limits = Retries { idempotent_methods, ..retries };
        let tokens = Tokens::new(&limits);
        let mut tries = Tries::new(&limits, &tokens, path);
        let next = pushbacks.iter().map(|pushback| tries.failed(*pushback, 0.5));
        assert_eq!(next.collect::<Vec<_>>(), expected, "{path} {pushbacks:?}");
    }

    #[test]
    fn only_idempotent_methods_are_tried_again() {
        let retry = Next::Retry(Duration::from_millis(25));
        for (path, expected) in [
            ("/a.B/Get", retry),
            ("/a.C/Any", retry),
            ("/a.B/GetMore", Next::Answer),
            ("/a.B/Set", Next::Answer),
            ("/a.Cd/Any", Next::Answer),
        ] {
            check(path, &[Pushback::None], &[expected]);
        }
    }

    #[test]
    fn tries_are_bounded_and_waits_double() {
        let retry = |millis| Next::Retry(Duration::from_millis(millis));
        check("/a.B/Get", &[Pushback::None; 4], &[retry(25), retry(50), retry(100), Next::Answer]);
    }

    #[test]
    fn what_was_refused_is_tried_again_once_and_what_never_left_some_times() {
        let limits = Settings::for_a_nearby_service().retries;
        let tokens = Tokens::new(&limits);
        let mut tries = Tries::new(&limits, &tokens, "/a.B/Set");
        let mut at_once = |processed| (0..10).filter(|_| tries.broken(processed)).count();
        let found = [Processed::Unsent, Processed::Refused, Processed::Maybe].map(&mut at_once);
        assert_eq!(found, [5, 1, 0]);
    }

    #[test]
    fn a_pushback_decides_and_begins_the_waits_anew() {
        let retry = |millis| Next::Retry(Duration::from_millis(millis));
        check("/a.B/Get", &[Pushback::Never], &[Next::Answer]);
        let pushbacks = [Pushback::None, Pushback::After(700), Pushback::None];
        check("/a.B/Get", &pushbacks, &[retry(25), retry(700), retry(25)]);
    }
}
