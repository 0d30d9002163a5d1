//! What a channel is held to. Plain values: nothing is read here.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use tonic::Code;

/// Limits of a [`Channel`](super::Channel).
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long a call may take that has no shorter deadline of its own, response stream
    /// included.
    pub timeout: Duration,
    /// For a TCP or Unix connection to be there.
    pub connect_timeout: Duration,
    /// For the TLS handshake.
    pub handshake_timeout: Duration,
    /// From then until the peer has shown that it speaks HTTP/2, by its SETTINGS.
    pub preface_timeout: Duration,
    /// How long a peer may take nothing of what is written before its connection is closed.
    pub write_timeout: Duration,
    /// A peer that is silent for so long is asked whether it is there …
    pub keepalive_interval: Duration,
    /// … and has so long to answer, or the connection is closed.
    pub keepalive_timeout: Duration,
    /// When peers are asked.
    pub keepalive: Keepalive,
    /// Calls that one connection carries at a time; less if the peer allows less.
    pub streams_per_connection_max: NonZeroU32,
    /// Bytes of a response's headers, names and values as HPACK counts them.
    pub headers_bytes_max: NonZeroU32,
    /// Endpoints that are kept, of all names together; further addresses are left out.
    pub endpoints_max: NonZeroUsize,
    /// Calls that may wait for a connection or for room on one; further ones are answered
    /// `RESOURCE_EXHAUSTED` at once.
    pub waiting_max: NonZeroUsize,
    /// The name that servers' certificates must have, if it is not the host of the target.
    pub server_name: Option<String>,
    /// Which calls are made again, and how often.
    pub retries: Retries,
    /// When endpoints are left out.
    pub ejection: Ejection,
    /// How names become addresses.
    pub names: Names,
}

/// When a silent peer is asked whether it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keepalive {
    /// Only while a call is open. Servers that dislike idle pings, as grpc-go does, allow it.
    WhileCalling,
    /// While the connection is idle, too.
    Always,
}

/// Retries after [gRFC A6](https://github.com/grpc/proposal/blob/master/A6-client-retries.md).
#[derive(Clone, Debug)]
pub struct Retries {
    /// Methods that may be done twice, as paths such as `/shop.Books/Find`; a path that ends in
    /// a slash, such as `/shop.Books/`, stands for all methods of a service. Others are made
    /// again only if the first try was certainly not processed.
    pub idempotent_methods: Vec<String>,
    /// Codes after which an idempotent method is tried again.
    pub codes: Vec<Code>,
    /// Tries of a call, the first one included.
    pub attempts_max: NonZeroU32,
    /// The wait before the second try is drawn between nothing and this, and doubles each time …
    pub backoff_first: Duration,
    /// … up to this.
    pub backoff_max: Duration,
    /// Bytes of a request that are kept for another try. A larger request, or one that is
    /// still being written when the call begins, is not tried again.
    pub request_bytes_max: NonZeroUsize,
    /// Tokens of the bucket that all calls of a channel share. Each failure takes one, and
    /// nothing is tried again unless more than half of them are left.
    pub tokens_max: NonZeroU32,
    /// Answered calls that bring one token back.
    pub answers_per_token: NonZeroU32,
}

/// When an endpoint is left out, and for how long.
#[derive(Clone, Debug)]
pub struct Ejection {
    /// Calls in a row that end `UNAVAILABLE`, or at their deadline without any response.
    pub failures_max: NonZeroU32,
    /// How long it is left out the first time, doubled each time in a row, half of it drawn …
    pub backoff_first: Duration,
    /// … up to this.
    pub backoff_max: Duration,
}

/// How names are resolved.
#[derive(Clone, Debug)]
pub struct Names {
    /// Name servers to ask, by UDP and then TCP; none means those of the system.
    pub servers: Vec<SocketAddr>,
    /// For one question to one name server; it is asked twice.
    pub timeout: Duration,
    /// Addresses are used at least so long, whatever their time to live …
    pub ttl_min: Duration,
    /// … and at most so long.
    pub ttl_max: Duration,
    /// The least time between two resolutions, when connections break.
    pub again_after: Duration,
}

impl Settings {
    /// The same for callers who wait no longer than `time`: a peer that is silent for a quarter of it
    /// while a call is open is asked whether it is there, and has half of it to answer. So what a peer
    /// that is gone held can be asked elsewhere in time. Not for streams that are worth more than that:
    /// they break, too, where a peer is only slow.
    #[must_use]
    pub fn for_callers_who_wait(mut self, time: Duration) -> Self {
        self.keepalive_interval = time / 4;
        self.keepalive_timeout = time / 2;
        self
    }

    /// Limits for a service in the same data centre: calls of at most ten seconds, 100 at a
    /// time to each endpoint, nothing idempotent.
    #[must_use]
    pub fn for_a_nearby_service() -> Self {
        let seconds = Duration::from_secs;
        Self {
            timeout: seconds(10),
            connect_timeout: seconds(2),
            handshake_timeout: seconds(3),
            preface_timeout: seconds(2),
            write_timeout: seconds(10),
            keepalive_interval: seconds(20),
            keepalive_timeout: seconds(5),
            keepalive: Keepalive::WhileCalling,
            streams_per_connection_max: count(100),
            headers_bytes_max: count(16 << 10),
            endpoints_max: size(64),
            waiting_max: size(1024),
            server_name: None,
            retries: Retries {
                idempotent_methods: Vec::new(),
                codes: vec![Code::Unavailable],
                attempts_max: count(4),
                backoff_first: Duration::from_millis(50),
                backoff_max: seconds(1),
                request_bytes_max: size(256 << 10),
                tokens_max: count(100),
                answers_per_token: count(10),
            },
            ejection: Ejection {
                failures_max: count(5),
                backoff_first: seconds(1),
                backoff_max: seconds(60),
            },
            names: Names {
                servers: Vec::new(),
                timeout: seconds(2),
                ttl_min: seconds(5),
                ttl_max: seconds(5 * 60),
                again_after: seconds(1),
            },
        }
    }
}

fn size(value: usize) -> NonZeroUsize {
    NonZeroUsize::new(value).expect("limits are not zero")
}

fn count(value: u32) -> NonZeroU32 {
    NonZeroU32::new(value).expect("limits are not zero")
}
