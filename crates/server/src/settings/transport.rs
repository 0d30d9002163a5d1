//! `[transport]`: connections, and what they are held to.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use serde::Deserialize;
use transport::OtherRequests;
use transport::web::{OriginError, Origins};

use super::Check;

/// The largest message that can be asked for: each stream may hold one.
const MESSAGE_BYTES_MAX: usize = 64 << 20;

/// Less would refuse ordinary clients, and more is no header any longer. HTTP/1.1 has 8 KiB at
/// least.
const HEADERS_BYTES: std::ops::RangeInclusive<u32> = 1 << 10..=1 << 20;

/// Limits of connections; see [`transport::Settings`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransportSection {
    loops: usize,
    connections_max: NonZeroUsize,
    streams_per_connection_max: NonZeroU32,
    /// Bytes of one message, as sent and after decompression.
    pub message_bytes_max: NonZeroUsize,
    headers_bytes_max: NonZeroU32,
    unfinished_bytes_max: NonZeroUsize,
    handshake_timeout_ms: NonZeroU32,
    preface_timeout_ms: NonZeroU32,
    header_timeout_ms: NonZeroU32,
    message_timeout_ms: NonZeroU32,
    reader_timeout_ms: NonZeroU32,
    keepalive_interval_ms: NonZeroU32,
    keepalive_timeout_ms: NonZeroU32,
    idle_timeout_ms: NonZeroU32,
    age_max_ms: NonZeroU32,
    age_grace_ms: NonZeroU32,
    control_frames_per_second: NonZeroU32,
    resets_per_second: NonZeroU32,
    stream_grace_ms: u32,
    drain_ms: u32,
    web_origins: Vec<String>,
}

impl TransportSection {
    /// The limits as the transport takes them.
    #[must_use]
    pub fn settings(&self) -> transport::Settings {
        let machine = transport::Settings::for_this_machine();
        let time = |millis: NonZeroU32| Duration::from_millis(millis.get().into());
        transport::Settings {
            loops: NonZeroUsize::new(self.loops).unwrap_or(machine.loops),
            connections_max: self.connections_max,
            streams_per_connection_max: self.streams_per_connection_max,
            message_bytes_max: self.message_bytes_max,
            headers_bytes_max: self.headers_bytes_max,
            unfinished_bytes_max: self.unfinished_bytes_max,
            handshake_timeout: time(self.handshake_timeout_ms),
            preface_timeout: time(self.preface_timeout_ms),
            header_timeout: time(self.header_timeout_ms),
            message_timeout: time(self.message_timeout_ms),
            reader_timeout: time(self.reader_timeout_ms),
            keepalive_interval: time(self.keepalive_interval_ms),
            keepalive_timeout: time(self.keepalive_timeout_ms),
            idle_timeout: time(self.idle_timeout_ms),
            age_max: time(self.age_max_ms),
            age_grace: time(self.age_grace_ms),
            control_frames_per_second: self.control_frames_per_second,
            resets_per_second: self.resets_per_second,
            stream_grace: Duration::from_millis(self.stream_grace_ms.into()),
            drain_timeout: Duration::from_millis(self.drain_ms.into()),
            other_requests: OtherRequests::PassOn,
        }
    }

    /// The pages that may call.
    ///
    /// # Errors
    ///
    /// [`OriginError`] names the origin that is none; settings that were read have none such.
    pub fn origins(&self) -> Result<Origins, OriginError> {
        Origins::listed(&self.web_origins)
    }

    pub(super) fn check(&self, check: &mut Check) {
        check.expect("transport.loops", self.loops, self.loops <= 256, "0 to 256");
        let bytes = self.message_bytes_max.get();
        let expected = format!("1 to {MESSAGE_BYTES_MAX}");
        check.expect("transport.message_bytes_max", bytes, bytes <= MESSAGE_BYTES_MAX, expected);
        let unfinished = self.unfinished_bytes_max.get();
        let expected = "at least transport.message_bytes_max";
        check.expect("transport.unfinished_bytes_max", unfinished, unfinished >= bytes, expected);
        let headers = self.headers_bytes_max.get();
        let expected = format!("{} to {}", HEADERS_BYTES.start(), HEADERS_BYTES.end());
        let fits = HEADERS_BYTES.contains(&headers);
        check.expect("transport.headers_bytes_max", headers, fits, expected);
        let error = self.origins().err().map(|error| error.to_string());
        let found = error.as_deref().unwrap_or_default();
        let expected = "origins such as \"https://shop.example\"";
        check.expect("transport.web_origins", found, error.is_none(), expected);
    }
}

#[cfg(test)]
mod tests {
    use crate::settings::Settings;

    #[test]
    fn the_defaults_are_those_of_the_transport_but_for_small_messages_and_json() {
        let found = Settings::read(None).unwrap().transport.settings();
        let mut expected = transport::Settings::for_this_machine();
        expected.message_bytes_max = found.message_bytes_max;
        expected.other_requests = transport::OtherRequests::PassOn;
        assert_eq!(found.message_bytes_max.get(), 1 << 20);
        assert_eq!(format!("{found:#?}"), format!("{expected:#?}"));
    }
}
