//! One connection of the load, without its socket: bytes in, bytes out.
//!
//! A fixed number of calls is kept in flight. A call is good if its last frame is a header block
//! that says `grpc-status: 0` and a message came before; anything else ends the run, because a
//! server that fails is not measured.

use crate::frame::{self, Frame, Kind, flag};
use crate::header::HeaderReader;
use crate::request::Requests;

/// The largest window there is (RFC 9113, section 6.9.1).
const WINDOW: u32 = 0x7fff_ffff;

/// What every connection begins with.
const WINDOW_AT_FIRST: u32 = 65_535;

/// The server is told of room after so many bytes.
const WINDOW_STEP: u32 = 1 << 20;

/// The settings that matter here.
mod setting {
    pub(super) const HEADER_TABLE_SIZE: u16 = 1;
    pub(super) const MAX_CONCURRENT_STREAMS: u16 = 3;
    pub(super) const INITIAL_WINDOW_SIZE: u16 = 4;
}

/// The five fields of a request, in the size that HPACK counts, are less than this.
const TABLE_MIN: u32 = 512;

/// An empty message: a prefix of five bytes.
const ANSWER_LEN: u64 = 5;

/// What went wrong.
pub(crate) type Wrong = String;

/// The state of a connection.
#[derive(Debug)]
pub(crate) struct Connection {
    requests: Requests,
    headers: HeaderReader,
    /// What is to be sent next.
    pub(crate) out: Vec<u8>,
    /// The beginning of a frame that has not come as a whole.
    part: Vec<u8>,
    streams: usize,
    in_flight: usize,
    next_stream: u32,
    /// How much may be sent.
    window: i64,
    /// How much came since the server was told of room.
    came: u32,
    settled: bool,
    good: u64,
    answer_bytes: u64,
}

impl Connection {
    /// A connection that keeps so many calls in flight.
    pub(crate) fn new(requests: Requests, streams: usize) -> Self {
        let mut out = frame::PREFACE.to_vec();
        let mut settings = Vec::new();
        settings.extend(setting::INITIAL_WINDOW_SIZE.to_be_bytes());
        settings.extend(WINDOW.to_be_bytes());
        frame::write(&mut out, Kind::Settings, 0, 0, &settings);
        let room = (WINDOW - WINDOW_AT_FIRST).to_be_bytes();
        frame::write(&mut out, Kind::WindowUpdate, 0, 0, &room);
        Self {
            requests,
            headers: HeaderReader::default(),
            out,
            part: Vec::new(),
            streams,
            in_flight: 0,
            next_stream: 1,
            window: i64::from(WINDOW_AT_FIRST),
            came: 0,
            settled: false,
            good: 0,
            answer_bytes: 0,
        }
    }

    /// Good calls so far.
    pub(crate) fn good(&self) -> u64 {
        self.good
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.in_flight == 0
    }

    /// Begins as many calls as there is room for.
    pub(crate) fn fill(&mut self) {
        let needed = self.requests.window();
        while self.settled && self.in_flight < self.streams && self.window >= needed {
            self.requests.write(self.next_stream, &mut self.out);
            self.next_stream += 2;
            self.in_flight += 1;
            self.window -= needed;
        }
    }

    /// Takes in what the server sent.
    pub(crate) fn receive(&mut self, bytes: &[u8]) -> Result<(), Wrong> {
        if self.part.is_empty() {
            let rest = self.frames(bytes)?;
            self.part.extend_from_slice(rest);
        } else {
            let mut whole = std::mem::take(&mut self.part);
            whole.extend_from_slice(bytes);
            let rest = self.frames(&whole)?.len();
            whole.drain(..whole.len() - rest);
            self.part = whole;
        }
        if self.came >= WINDOW_STEP {
            let room = std::mem::take(&mut self.came).to_be_bytes();
            frame::write(&mut self.out, Kind::WindowUpdate, 0, 0, &room);
        }
        Ok(())
    }

    /// Takes in all whole frames; returns the rest.
    fn frames<'a>(&mut self, mut bytes: &'a [u8]) -> Result<&'a [u8], Wrong> {
        while let Some((frame, rest)) = Frame::read(bytes) {
            self.frame(frame)?;
            bytes = rest;
        }
        Ok(bytes)
    }

    fn frame(&mut self, frame: Frame<'_>) -> Result<(), Wrong> {
        match frame.kind {
            Some(Kind::Data) if !frame.has(flag::END_STREAM) => {
                self.came += frame.payload.len() as u32;
                self.answer_bytes += frame.payload.len() as u64;
            }
            Some(Kind::Headers) => return self.headers(frame),
            Some(Kind::Settings) if frame.has(flag::ACK) => {}
            Some(Kind::Settings) => return self.settle(frame),
            Some(Kind::Ping) if frame.has(flag::ACK) => {}
            Some(Kind::Ping) => {
                frame::write(&mut self.out, Kind::Ping, flag::ACK, 0, frame.payload);
            }
            // Windows of streams are larger than what is sent on one.
            Some(Kind::WindowUpdate) if frame.stream == 0 => {
                self.window += i64::from(frame.number_at(0).unwrap_or(0));
            }
            Some(Kind::WindowUpdate) | None => {}
            Some(Kind::Data | Kind::Reset | Kind::GoAway | Kind::Continuation) => {
                return Err(format!("an unexpected frame: {frame:02x?}"));
            }
        }
        Ok(())
    }

    fn headers(&mut self, frame: Frame<'_>) -> Result<(), Wrong> {
        let wrong = || format!("a bad header block: {frame:02x?}");
        if !frame.has(flag::END_HEADERS) || frame.has(flag::PADDED | flag::PRIORITY) {
            return Err(wrong());
        }
        let ok = self.headers.says_ok(frame.payload).ok_or_else(wrong)?;
        if !frame.has(flag::END_STREAM) {
            return Ok(());
        }
        self.good += 1;
        self.in_flight = self.in_flight.checked_sub(1).ok_or_else(wrong)?;
        if !ok || self.answer_bytes < self.good * ANSWER_LEN {
            return Err(format!("a call went wrong: {frame:02x?}"));
        }
        Ok(())
    }

    fn settle(&mut self, frame: Frame<'_>) -> Result<(), Wrong> {
        for place in (0..frame.payload.len()).step_by(6) {
            let (high, low) = (frame.payload[place], frame.payload.get(place + 1).copied());
            let name = u16::from_be_bytes([high, low.unwrap_or(0)]);
            let value = frame.number_at(place + 2).ok_or("half a setting")?;
            let least = match name {
                setting::HEADER_TABLE_SIZE => TABLE_MIN,
                setting::MAX_CONCURRENT_STREAMS => self.streams as u32,
                setting::INITIAL_WINDOW_SIZE => self.requests.window() as u32,
                _ => 0,
            };
            if value < least {
                return Err(format!("setting {name} is {value}, and at least {least} is needed"));
            }
        }
        self.settled = true;
        frame::write(&mut self.out, Kind::Settings, flag::ACK, 0, &[]);
        Ok(())
    }
}
