//! What is counted of histories.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! sources {
    ($($(#[$doc:meta])* $variant:ident => $name:literal,)*) => {
        /// Where a history came from.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum From {
            $($(#[$doc])* $variant,)*
        }

        impl From {
            /// All of them.
            pub(crate) const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name in metrics.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

sources! {
    /// It was in memory.
    Memory => "memory",
    /// It was read from the store.
    Store => "store",
    /// It was in memory, but older than asked for, and the store could not be read.
    OldMemory => "old_memory",
    /// It was not in memory, and the store could not be read.
    Nowhere => "nowhere",
}

/// How often histories came from where.
#[derive(Debug, Default)]
pub(crate) struct HistoryFigures([AtomicU64; From::ALL.len()]);

impl HistoryFigures {
    pub(super) fn count(&self, from: From) {
        self.0[from as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How often one came from there.
    pub(crate) fn count_of(&self, from: From) -> u64 {
        self.0[from as usize].load(Ordering::Relaxed)
    }
}
