//! Why connections end, and how often they did.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! endings {
    ($($(#[$doc:meta])* $variant:ident => $name:literal,)*) => {
        /// Why a connection ended.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Ending {
            $($(#[$doc])* $variant,)*
        }

        impl Ending {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name in logs and metrics.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

endings! {
    /// The peer closed it, or it was finished after it was told to go for nothing worse.
    Closed => "closed",
    /// The peer broke the protocol, or the socket failed.
    Failed => "failed",
    /// It had no stream for too long.
    Idle => "idle",
    /// It was too old.
    Old => "old",
    /// The server stops.
    Stopping => "stopping",
    /// The TLS handshake failed.
    HandshakeFailed => "handshake_failed",
    /// The TLS handshake took too long.
    HandshakeTimeout => "handshake_timeout",
    /// No preface, or no first frame, came in time.
    PrefaceTimeout => "preface_timeout",
    /// A frame or a block of headers was begun and not ended in time.
    HeaderTimeout => "header_timeout",
    /// The socket took no more bytes for too long, or answers were not taken.
    ReaderTimeout => "reader_timeout",
    /// It did not say that it was still there.
    KeepaliveTimeout => "keepalive_timeout",
    /// It sent too many frames that cost work and bring nothing.
    Flood => "flood",
    /// It had to make room for another.
    Displaced => "displaced",
    /// There was no room for it.
    NoRoom => "no_room",
}

impl Ending {
    /// Whether it tells of something wrong: an attack, a limit that is too low, a bad client.
    pub(crate) fn is_notable(self) -> bool {
        // Ordinary clients go in the middle of a word too.
        !matches!(self, Self::Closed | Self::Failed | Self::Idle | Self::Old | Self::Stopping)
    }
}

/// How often connections ended for each reason.
#[derive(Debug, Default)]
pub(crate) struct Endings([AtomicU64; Ending::ALL.len()]);

impl Endings {
    pub(crate) fn count(&self, ending: Ending) {
        self.0[ending as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn get(&self, ending: Ending) -> u64 {
        self.0[ending as usize].load(Ordering::Relaxed)
    }
}
