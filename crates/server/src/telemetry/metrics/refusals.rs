//! Calls that a layer refused before they reached a handler.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use super::families::REFUSALS;
use super::page::Page;

macro_rules! refusals {
    ($($(#[$doc:meta])* $variant:ident => $layer:literal $reason:literal,)*) => {
        /// Why a layer refused a call.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Refusal {
            $($(#[$doc])* $variant,)*
        }

        impl Refusal {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The layer and the reason.
            fn labels(self) -> [&'static str; 2] {
                match self {
                    $(Self::$variant => [$layer, $reason],)*
                }
            }
        }
    };
}

refusals! {
    /// It came without credentials, and they are needed.
    NoCredentials => "authentication" "none",
    /// Its credentials are not, or no longer, good for anything.
    WrongCredentials => "authentication" "wrong",
    /// Its credentials were good once.
    ExpiredCredentials => "authentication" "expired",
    /// Its address has sent too many tokens that were to be verified.
    NewTokens => "authentication" "new_tokens",
    /// It is known who calls, and they may not.
    WrongRole => "authentication" "role",
    /// Its identity calls too often.
    TooOften => "rate_limit" "calls_per_second",
    /// Too many calls are open in all.
    OpenCalls => "load_shed" "open_calls",
    /// Its identity has too many calls open.
    OpenCallsOfIdentity => "load_shed" "open_calls_of_identity",
}

/// How many calls were refused for each reason.
#[derive(Debug, Default)]
pub struct Refusals([AtomicU64; Refusal::ALL.len()]);

impl Refusals {
    /// Counts one.
    pub fn count(&self, refusal: Refusal) {
        self.0[refusal as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn write(&self, page: &mut Page<'_>) -> fmt::Result {
        let counts = Refusal::ALL.iter().zip(&self.0);
        let samples = counts.map(|(one, count)| (one.labels(), count.load(Ordering::Relaxed)));
        page.counters(&REFUSALS, samples)
    }
}
