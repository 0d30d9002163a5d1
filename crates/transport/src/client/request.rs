//! The body of a request, kept for another try if it is there and small.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as _, Frame};
use tonic::Status;
use tonic::body::Body;

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
    rest: Option<Body>,
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
            Ok(false) => Self::Once(Some(Sending { ready, rest: Some(body) })),
            // It fails again when it is sent, which resets the stream.
            Err(error) => {
                let rest = Some(Body::new(Failing(Some(error))));
                Self::Once(Some(Sending { ready, rest }))
            }
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
            Some(rest) => Pin::new(rest).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ready.pieces.is_empty()
            && self.ready.trailers.is_none()
            && self.rest.as_ref().is_none_or(http_body::Body::is_end_stream)
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
