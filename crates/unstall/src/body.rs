//! Response bodies: polled on the executor, handed out to the transport.
//!
//! hyper polls bodies in the connection's task, where one that blocks would stall all streams
//! of the connection. So the job that made the response polls its body as long as it is ready
//! (`body/start.rs`): most answers, unary RPCs among them, are complete then. What remains is
//! pumped by a second job (`body/pump.rs`) through a short channel.
//!
//! Invariants:
//! - Frames keep their order; nothing follows trailers or an error.
//! - The pump is at most [`FRAMES_AHEAD`] frames ahead of the transport, and holds no worker
//!   while it waits for it.
//! - A deadline ends the body on both sides: here, even if the pump's thread is stuck; and in
//!   the pump, even if the client does not read and nobody polls here.

mod deadline;
mod pump;
mod start;

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use tokio::sync::mpsc;

pub(crate) use self::deadline::Deadline;
use self::pump::{Pumped, pump};
use self::start::Rest;
pub(crate) use self::start::{Start, start};
use crate::executor::Executor;
use crate::job::Job;
use crate::layer::{BoxError, LayerError, explain};
use crate::method::Method;

/// How many frames are pumped before the transport asks for them.
const FRAMES_AHEAD: usize = 8;

/// A response body that is ready, or pumped by a job. Made by [`Unstall`](crate::Unstall) and
/// [`GrpcLayer`](crate::GrpcLayer). Dropping it cancels the job.
pub struct Body {
    frames: VecDeque<Frame<Bytes>>,
    source: Source,
    /// What the wrapped body said, less what was handed out.
    hint: SizeHint,
    /// The trailers that tell of an error, in protocols that have such.
    trailers_of: fn(&LayerError) -> Option<HeaderMap>,
}

/// Where frames come from.
enum Source {
    /// There are no more.
    Ended,
    /// Nowhere; this is why.
    Failed(LayerError),
    Pump(Pump),
}

/// A pump seen from the transport's side.
struct Pump {
    frames: mpsc::Receiver<Result<Frame<Bytes>, BoxError>>,
    job: Job<Pumped>,
    deadline: Option<Deadline>,
    method: Method,
    /// Keeps the workers for as long as somebody wants the body.
    _executor: Executor,
}

impl Body {
    /// A body without a frame.
    pub(crate) fn empty() -> Self {
        Self {
            frames: VecDeque::new(),
            source: Source::Ended,
            hint: SizeHint::with_exact(0),
            trailers_of: |_| None,
        }
    }

    /// Hands out what is there, and has the rest pumped.
    pub(crate) fn begin<R>(
        start: Start<R>,
        deadline: Option<Deadline>,
        executor: &Executor,
        method: &Method,
    ) -> Self
    where
        R: http_body::Body + Send + 'static,
        R::Error: Into<BoxError>,
    {
        let source = match start.rest {
            Rest::Ended => Source::Ended,
            Rest::Failed(error) => Source::Failed(LayerError::Inner(error)),
            Rest::More(body) => {
                let (sender, frames) = mpsc::channel(FRAMES_AHEAD);
                let until = deadline.as_ref().map(Deadline::instant);
                let job = executor.go_on(method, pump(body, sender, until));
                Source::Pump(Pump {
                    frames,
                    job,
                    deadline,
                    method: method.clone(),
                    _executor: executor.clone(),
                })
            }
        };
        Self { frames: start.frames, source, hint: start.hint, trailers_of: |_| None }
    }

    /// Tells of errors by trailers.
    pub(crate) fn with_trailers_of(
        mut self,
        trailers_of: fn(&LayerError) -> Option<HeaderMap>,
    ) -> Self {
        self.trailers_of = trailers_of;
        self
    }

    fn poll_source(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, LayerError>>> {
        if let Some(frame) = self.frames.pop_front() {
            return Poll::Ready(Some(Ok(frame)));
        }
        let next = match &mut self.source {
            Source::Pump(pump) => ready!(pump.poll(cx)),
            Source::Ended | Source::Failed(_) => None,
        };
        if let Some(Ok(frame)) = &next
            && frame.is_data()
        {
            return Poll::Ready(next);
        }
        // Trailers, an error or nothing more: in any case the end.
        match std::mem::replace(&mut self.source, Source::Ended) {
            Source::Failed(error) => Poll::Ready(Some(Err(error))),
            Source::Ended | Source::Pump(_) => Poll::Ready(next),
        }
    }
}

impl Pump {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, LayerError>>> {
        // First, because a pump that is always ready would be heard for ever.
        if let Some(deadline) = &mut self.deadline
            && deadline.poll(cx).is_ready()
        {
            return Poll::Ready(Some(Err(LayerError::DeadlinePassed)));
        }
        match ready!(self.frames.poll_recv(cx)) {
            Some(Ok(frame)) => Poll::Ready(Some(Ok(frame))),
            Some(Err(error)) => Poll::Ready(Some(Err(LayerError::Inner(error)))),
            // The pump has dropped its end; its outcome says why.
            None => Poll::Ready(match ready!(Pin::new(&mut self.job).poll(cx)) {
                Ok(Pumped::ToTheEnd) => None,
                Ok(Pumped::ToTheDeadline) => Some(Err(LayerError::DeadlinePassed)),
                Err(error) => Some(Err(explain(error, &self.method))),
            }),
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = LayerError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, LayerError>>> {
        let next = match ready!(self.poll_source(cx)) {
            Some(Err(error)) => match (self.trailers_of)(&error) {
                Some(trailers) => Some(Ok(Frame::trailers(trailers))),
                None => Some(Err(error)),
            },
            next => next,
        };
        if let Some(data) = next.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()) {
            self.hint = less(&self.hint, data.len() as u64);
        }
        Poll::Ready(next)
    }

    fn is_end_stream(&self) -> bool {
        self.frames.is_empty() && matches!(self.source, Source::Ended)
    }

    fn size_hint(&self) -> SizeHint {
        self.hint
    }
}

/// A body without a frame, for layers around that answer by themselves.
impl Default for Body {
    fn default() -> Self {
        Self::empty()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("frames", &self.frames.len()).finish_non_exhaustive()
    }
}

/// What a hint says once so many bytes were handed out.
fn less(hint: &SizeHint, bytes: u64) -> SizeHint {
    let mut rest = SizeHint::new();
    rest.set_lower(hint.lower().saturating_sub(bytes));
    if let Some(upper) = hint.upper() {
        rest.set_upper(upper.saturating_sub(bytes));
    }
    rest
}

/// The frame with its data as [`Bytes`].
fn into_bytes<D: bytes::Buf>(frame: Frame<D>) -> Frame<Bytes> {
    frame.map_data(|mut data| data.copy_to_bytes(data.remaining()))
}
