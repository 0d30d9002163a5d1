//! The body of a request, kept for another try if it is there and small.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as _, Frame};
use tonic::Status;
use tonic::body::Body;

use super::upload::Upload;

/// Pieces of a request that are kept, however small they are.
const PIECES_MAX: usize = 1024;

/// What is to be sent.
#[derive(Debug)]
pub(super) enum Outgoing {
    /// All of it is there, and can be sent again.
    Whole(Whole),
    /// It is large or still being written, and can be sent once.
    Once(Option<Sending>),
}

/// A whole body.
#[derive(Clone, Debug, Default)]
pub(super) struct Whole {
    pieces: VecDeque<Bytes>,
    trailers: Option<HeaderMap>,
}

/// A body as hyper gets it.
#[derive(Debug)]
pub(super) struct Sending {
    ready: Whole,
    rest: Option<Rest>,
}

/// What is still being written of a body.
#[derive(Debug)]
struct Rest {
    body: Body,
    upload: Arc<Upload>,
}

impl Outgoing {
    /// Takes what is there of a body without waiting for more, up to so many bytes.
    pub(super) async fn gather(mut body: Body, bytes_max: usize) -> Self {
        let mut ready = Whole::default();
        let mut bytes = 0;
        let is_whole = poll_fn(|cx| {
            while ready.trailers.is_none() && bytes <= bytes_max && ready.pieces.len() < PIECES_MAX
            {
                match Pin::new(&mut body).poll_frame(cx) {
                    Poll::Pending => return Poll::Ready(Ok(false)),
                    Poll::Ready(None) => return Poll::Ready(Ok(true)),
                    Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                    Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                        Ok(data) => {
                            bytes += data.len();
                            ready.pieces.push_back(data);
                        }
                        Err(frame) => ready.trailers = frame.into_trailers().ok(),
                    },
                }
                if body.is_end_stream() {
                    return Poll::Ready(Ok(bytes <= bytes_max));
                }
            }
            Poll::Ready(Ok(ready.trailers.is_some()))
        });
        match is_whole.await {
            Ok(true) => Self::Whole(ready),
            Ok(false) => Self::Once(Some(Sending::new(ready, body))),
            // It fails again when it is sent, which resets the stream.
            Err(error) => Self::Once(Some(Sending::new(ready, Body::new(Failing(Some(error)))))),
        }
    }

    /// The body for the next try; `None` if it has gone.
    pub(super) fn next(&mut self) -> Option<Sending> {
        match self {
            Self::Whole(whole) => Some(Sending { ready: whole.clone(), rest: None }),
            Self::Once(sending) => sending.take(),
        }
    }

    /// Takes back a body of which nothing was sent.
    pub(super) fn give_back(&mut self, sending: Sending) {
        if let Self::Once(slot) = self {
            *slot = Some(sending);
        }
    }

    /// Whether there can be another try.
    pub(super) fn is_there(&self) -> bool {
        !matches!(self, Self::Once(None))
    }
}

impl Sending {
    fn new(ready: Whole, body: Body) -> Self {
        Self { ready, rest: Some(Rest { body, upload: Arc::default() }) }
    }

    /// What it tells its call, and the other way round; `None` if all of it is there.
    pub(super) fn upload(&self) -> Option<Arc<Upload>> {
        self.rest.as_ref().map(|rest| Arc::clone(&rest.upload))
    }
}

impl Rest {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        self.upload.go_on(cx.waker())?;
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() || self.body.is_end_stream() {
            self.upload.ended();
        }
        Poll::Ready(frame)
    }
}

impl http_body::Body for Sending {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Some(piece) = self.ready.pieces.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        if let Some(trailers) = self.ready.trailers.take() {
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
        match &mut self.rest {
            Some(rest) => rest.poll(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ready.pieces.is_empty()
            && self.ready.trailers.is_none()
            && self.rest.as_ref().is_none_or(|rest| rest.body.is_end_stream())
    }
}

/// A body that has failed.
struct Failing(Option<Status>);

impl http_body::Body for Failing {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Poll::Ready(self.0.take().map(Err))
    }
}
