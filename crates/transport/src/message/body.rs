//! The body of a request.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Sleep, sleep};
use tonic::Status;

use super::budget::{Budget, Hold};
use super::framing::{Framing, FramingError};
use super::whole::Whole;
use crate::connection::{Connection, Stream};
use crate::web::Leftover;

/// The body of a request, as services get it.
///
/// It holds messages of gRPC, and bodies of others as a whole, to the server's limits; beyond
/// them it ends with the [`Status`] that the client is to read.
pub struct RequestBody {
    incoming: Incoming,
    expected: Expected,
}

/// A small message counts as this, so that there are never very many that count.
pub(super) const HOLD_BYTES_MIN: usize = 4 << 10;

/// What is expected in a body.
pub(crate) enum Expected {
    /// gRPC messages.
    Messages(Messages),
    /// gRPC messages in base64, as gRPC-Web's text has them. Decoded only to be looked at: the
    /// layer of gRPC-Web decodes them for the service.
    TextMessages(Messages, Leftover),
    /// Something else, whose length is that of one message at most.
    Whole(Whole),
}

/// The messages of one body.
pub(crate) struct Messages {
    limits: Arc<MessageLimits>,
    connection: Arc<Connection>,
    stream: Arc<Stream>,
    framing: Framing,
    /// The message that has begun, if one has.
    begun: Option<Begun>,
    /// When the first message is due.
    first_overdue: Option<Pin<Box<Sleep>>>,
}

/// What all messages of a server are held to.
#[derive(Debug)]
pub(crate) struct MessageLimits {
    pub(crate) bytes_max: usize,
    pub(crate) timeout: Duration,
    pub(crate) budget: Arc<Budget>,
}

struct Begun {
    number: u64,
    bytes: usize,
    hold: Option<Hold>,
    overdue: Pin<Box<Sleep>>,
}

impl RequestBody {
    pub(crate) fn new(incoming: Incoming, expected: Expected) -> Self {
        Self { incoming, expected }
    }
}

impl Messages {
    pub(crate) fn new(
        limits: Arc<MessageLimits>,
        connection: Arc<Connection>,
        stream: Arc<Stream>,
    ) -> Self {
        let framing = Framing::default();
        Self { limits, connection, stream, framing, begun: None, first_overdue: None }
    }

    fn read(&mut self, bytes: &[u8]) -> Result<(), Status> {
        self.framing.read(bytes, self.limits.bytes_max).map_err(|error| match error {
            FramingError::TooLong { .. } => Status::resource_exhausted(error.to_string()),
            FramingError::Flag { .. } => Status::internal(error.to_string()),
        })?;
        let Some(bytes) = self.framing.unfinished() else {
            self.begun = None;
            return Ok(());
        };
        let number = self.framing.begun();
        if self.begun.as_ref().is_some_and(|begun| begun.number == number && begun.bytes == bytes) {
            return Ok(());
        }
        // Another than before, or its length is known now. The room of the one before is free.
        self.begun = None;
        let hold = match bytes {
            0 => None,
            _ => Some(self.hold(bytes)?),
        };
        let overdue = Box::pin(sleep(self.limits.timeout));
        self.begun = Some(Begun { number, bytes, hold, overdue });
        Ok(())
    }

    fn hold(&self, bytes: usize) -> Result<Hold, Status> {
        let budget = &self.limits.budget;
        budget.hold(&self.connection, bytes.max(HOLD_BYTES_MIN)).ok_or_else(no_room)
    }

    /// Why the message that has begun will not be waited for.
    fn given_up(&mut self, cx: &mut Context<'_>) -> Option<Status> {
        let Some(begun) = self.begun.as_mut() else { return self.first_given_up(cx) };
        if begun.hold.as_ref().is_some_and(|hold| hold.is_taken_away(cx)) {
            return Some(no_room());
        }
        begun.overdue.as_mut().poll(cx).is_ready().then(|| {
            let limit = self.limits.timeout;
            Status::deadline_exceeded(format!("a message was begun and not ended in {limit:?}"))
        })
    }

    /// A call that nobody has answered holds a job, so its first message must come in time.
    /// Streams may be silent once their handler has begun to answer.
    fn first_given_up(&mut self, cx: &mut Context<'_>) -> Option<Status> {
        if self.framing.begun() > 0 {
            return None;
        }
        let limit = self.limits.timeout;
        let overdue = self.first_overdue.get_or_insert_with(|| Box::pin(sleep(limit)));
        if overdue.as_mut().poll(cx).is_pending() || self.stream.has_answered.is_so() {
            return None;
        }
        Some(Status::deadline_exceeded(format!("no message came in {limit:?}")))
    }
}

pub(super) fn no_room() -> Status {
    Status::resource_exhausted("too many bytes of unfinished messages; try again later")
}

impl http_body::Body for RequestBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        if let Expected::Whole(whole) = &mut this.expected {
            whole.expect(&this.incoming.size_hint())?;
        }
        let polled = Pin::new(&mut this.incoming).poll_frame(cx);
        let coming = this.incoming.size_hint();
        if polled.is_pending()
            && let Some(status) = this.expected.given_up(&coming, cx)
        {
            this.expected.end();
            return Poll::Ready(Some(Err(status)));
        }
        let Some(frame) = ready!(polled) else {
            this.expected.end();
            return Poll::Ready(None);
        };
        let frame = frame.map_err(|error| broken(&error))?;
        if let Some(bytes) = frame.data_ref() {
            this.expected.read(bytes, &coming)?;
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl Expected {
    /// Looks at bytes that have come, and at what is announced of the rest.
    fn read(&mut self, bytes: &[u8], coming: &SizeHint) -> Result<(), Status> {
        match self {
            Self::Messages(messages) => messages.read(bytes),
            Self::TextMessages(messages, text) => messages.read(&text.decode(bytes)?),
            Self::Whole(whole) => whole.read(bytes.len(), coming),
        }
    }

    /// Why what is missing will not be waited for.
    fn given_up(&mut self, coming: &SizeHint, cx: &mut Context<'_>) -> Option<Status> {
        match self {
            Self::Messages(messages) | Self::TextMessages(messages, _) => messages.given_up(cx),
            Self::Whole(whole) => whole.given_up(coming, cx),
        }
    }

    /// Nothing more will be read: what counted does no longer.
    fn end(&mut self) {
        match self {
            Self::Messages(messages) | Self::TextMessages(messages, _) => messages.begun = None,
            Self::Whole(whole) => whole.end(),
        }
    }
}

/// The stream was reset, or the connection broke. Who is told is the handler alone.
fn broken(error: &hyper::Error) -> Status {
    Status::cancelled(format!("the request broke off: {error}"))
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBody").field("incoming", &self.incoming).finish_non_exhaustive()
    }
}
