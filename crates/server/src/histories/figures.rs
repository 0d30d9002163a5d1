//! What is counted of histories.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! sources {
    ($($(#[$doc:meta])* $variant:ident => $name:literal,)*) => {
        /// Where a history was found.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum FoundIn {
            $($(#[$doc])* $variant,)*
        }

        impl FoundIn {
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

/// How often histories were found where.
#[derive(Debug, Default)]
pub(crate) struct HistoryFigures([AtomicU64; FoundIn::ALL.len()]);

impl HistoryFigures {
    pub(super) fn count(&self, found_in: FoundIn) {
        self.0[found_in as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How often one was found there.
    pub(crate) fn count_of(&self, found_in: FoundIn) -> u64 {
        self.0[found_in as usize].load(Ordering::Relaxed)
    }
}
