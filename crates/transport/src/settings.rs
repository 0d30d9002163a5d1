//! What connections, messages and frames are held to. Plain values: nothing is read here.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

/// Limits of a [`Server`](crate::Server). Each is documented with its unit and with what
/// happens to a peer that goes beyond it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Threads that move bytes; handlers run elsewhere.
    pub loops: NonZeroUsize,
    /// Open connections, all together. At the limit a new one takes the place of one that has
    /// not said anything yet, else of one that has been idle for long, else it is closed.
    pub connections_max: NonZeroUsize,
    /// Open streams of one connection; the peer is told, and further ones are refused.
    pub streams_per_connection_max: NonZeroU32,
    /// Bytes of one gRPC message as sent. A longer one is answered `RESOURCE_EXHAUSTED` as soon
    /// as its length is known.
    pub message_bytes_max: NonZeroUsize,
    /// Bytes of a request's headers, names and values as HPACK counts them: 431.
    pub headers_bytes_max: NonZeroU32,
    /// Bytes of messages that have begun and not ended, all connections together. Beyond, the
    /// connection that holds the most loses its oldest one: `RESOURCE_EXHAUSTED`.
    pub unfinished_bytes_max: NonZeroUsize,
    /// For the TLS handshake.
    pub handshake_timeout: Duration,
    /// From then to the first complete frame, or the first byte of HTTP/1.1.
    pub preface_timeout: Duration,
    /// For a frame or a block of headers that has begun.
    pub header_timeout: Duration,
    /// For a message that has begun: `DEADLINE_EXCEEDED`.
    pub message_timeout: Duration,
    /// How long a peer may leave unread what is ready for it: the stream is reset, and if the
    /// socket takes nothing at all the connection is closed.
    pub reader_timeout: Duration,
    /// A peer that is silent for so long is asked whether it is there …
    pub keepalive_interval: Duration,
    /// … and has so long to answer, or the connection is closed.
    pub keepalive_timeout: Duration,
    /// A connection without a stream for so long is told to go.
    pub idle_timeout: Duration,
    /// A connection of this age, up to a tenth earlier, is told to go (`GOAWAY`), so that load
    /// spreads over new servers.
    pub age_max: Duration,
    /// How long streams of a connection that was told to go may last.
    pub age_grace: Duration,
    /// PING, SETTINGS, PRIORITY, unknown and empty frames a second, on top of those that useful
    /// traffic earns. Ten seconds' worth may come at once; beyond, the connection is closed.
    pub control_frames_per_second: NonZeroU32,
    /// Streams that a peer may reset a second; ten seconds' worth may come at once.
    pub resets_per_second: NonZeroU32,
    /// In a drain: how long responses that have begun may go on before they end `UNAVAILABLE`.
    pub stream_grace: Duration,
    /// In a drain: when everything that is left is closed.
    pub drain_timeout: Duration,
    /// What may be asked besides gRPC and gRPC-Web.
    pub other_requests: OtherRequests,
}

/// What happens to requests that are neither gRPC nor gRPC-Web.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherRequests {
    /// 415, as the specification of gRPC asks, but for a browser's `OPTIONS`.
    Refuse,
    /// They are handed to the service. The body of each is held to the limits of one message.
    /// The service must not hand them to tonic's routes, which look at neither method nor
    /// content type: put a [`JsonEdgeLayer`](crate::json::JsonEdgeLayer) around those.
    PassOn,
}

impl Settings {
    /// Limits for an open network: a loop a core, 4,096 connections of 100 streams, messages of
    /// 4 MiB.
    #[must_use]
    pub fn for_this_machine() -> Self {
        let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let seconds = Duration::from_secs;
        Self {
            loops: cores,
            connections_max: size(4096),
            streams_per_connection_max: count(100),
            message_bytes_max: size(4 << 20),
            headers_bytes_max: count(16 << 10),
            unfinished_bytes_max: size(64 << 20),
            handshake_timeout: seconds(10),
            preface_timeout: seconds(10),
            header_timeout: seconds(10),
            message_timeout: seconds(60),
            reader_timeout: seconds(30),
            keepalive_interval: seconds(60),
            keepalive_timeout: seconds(20),
            idle_timeout: seconds(15 * 60),
            age_max: seconds(60 * 60),
            age_grace: seconds(60),
            control_frames_per_second: count(100),
            resets_per_second: count(500),
            stream_grace: seconds(2),
            drain_timeout: seconds(10),
            other_requests: OtherRequests::Refuse,
        }
    }

    /// How often limits of time are looked at: often enough for the shortest of them.
    pub(crate) fn sweep_every(&self) -> Duration {
        let shortest = [
            self.preface_timeout,
            self.header_timeout,
            self.reader_timeout,
            self.idle_timeout,
            self.age_max,
            self.age_grace,
        ];
        let shortest = shortest.into_iter().min().unwrap_or(Duration::MAX);
        (shortest / 8).clamp(Duration::from_millis(5), Duration::from_secs(1))
    }
}

fn size(value: usize) -> NonZeroUsize {
    NonZeroUsize::new(value).expect("limits are not zero")
}

fn count(value: u32) -> NonZeroU32 {
    NonZeroU32::new(value).expect("limits are not zero")
}
