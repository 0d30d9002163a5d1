//! Why an answer is less than what was asked for, and how often that was so.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! fallbacks {
    ($($(#[$doc:meta])* $variant:ident => $name:literal,)*) => {
        /// Why an answer is not what was asked for, but popular books.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Fallback {
            $($(#[$doc])* $variant,)*
        }

        impl Fallback {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name in metrics.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

fallbacks! {
    /// The shop does not know the user.
    UnknownUser => "unknown_user",
    /// The history holds nothing that the model can use.
    NoHistory => "no_history",
    /// There is no model yet.
    NoModel => "no_model",
    /// The store cannot be read.
    StoreUnavailable => "store_unavailable",
    /// The model knows nothing that goes with the book.
    NoNeighbours => "no_neighbours",
    /// There are no recent events.
    NoTrend => "no_trend",
}

/// How often answers fell back for each reason.
#[derive(Debug, Default)]
pub struct Fallbacks([AtomicU64; Fallback::ALL.len()]);

impl Fallbacks {
    pub(super) fn count(&self, fallback: Fallback) {
        self.0[fallback as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How often it was for this reason.
    #[must_use]
    pub fn count_of(&self, fallback: Fallback) -> u64 {
        self.0[fallback as usize].load(Ordering::Relaxed)
    }
}
