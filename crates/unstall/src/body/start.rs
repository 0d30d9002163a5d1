//! The start of a body: what is ready right after the handler has returned.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::into_bytes;
use crate::layer::BoxError;

/// So many frames are collected, and then it is time for the response's head.
const FRAMES_MAX: usize = 16;

/// So many bytes are enough as well.
const BYTES_MAX: usize = 64 * 1024;

/// A body that takes so long for its first frames is pumped: they shall not wait for the next.
const TIME_MAX: Duration = Duration::from_millis(1);

/// The first frames of a body.
pub(crate) struct Start<R> {
    pub(super) frames: VecDeque<Frame<Bytes>>,
    pub(super) rest: Rest<R>,
    /// What the body said before it was polled. A body that did not know its length keeps not
    /// knowing it, or hyper would add a `content-length` that nobody asked for.
    pub(super) hint: SizeHint,
}

/// What comes after them.
pub(super) enum Rest<R> {
    Ended,
    Failed(BoxError),
    More(Pin<Box<R>>),
}

/// Polls a body as long as it is ready. Does not wait.
pub(crate) async fn start<R>(body: R) -> Start<R>
where
    R: http_body::Body,
    R::Error: Into<BoxError>,
{
    let hint = body.size_hint();
    let mut frames = VecDeque::new();
    if body.is_end_stream() {
        return Start { frames, rest: Rest::Ended, hint };
    }
    let mut body = Box::pin(body);
    let end = poll_fn(|cx| Poll::Ready(collect(body.as_mut(), &mut frames, cx))).await;
    let rest = match end {
        End::Reached => Rest::Ended,
        End::Failed(error) => Rest::Failed(error),
        End::Open => Rest::More(body),
    };
    Start { frames, rest, hint }
}

enum End {
    Reached,
    Failed(BoxError),
    Open,
}

fn collect<R>(
    mut body: Pin<&mut R>,
    frames: &mut VecDeque<Frame<Bytes>>,
    cx: &mut Context<'_>,
) -> End
where
    R: http_body::Body,
    R::Error: Into<BoxError>,
{
    let mut bytes = 0;
    let began = Instant::now();
    while frames.len() < FRAMES_MAX && bytes < BYTES_MAX {
        let frame = match body.as_mut().poll_frame(cx) {
            Poll::Pending => return End::Open,
            Poll::Ready(None) => return End::Reached,
            Poll::Ready(Some(Err(error))) => return End::Failed(error.into()),
            Poll::Ready(Some(Ok(frame))) => into_bytes(frame),
        };
        bytes += frame.data_ref().map_or(0, Bytes::len);
        let last = frame.is_trailers() || body.is_end_stream();
        frames.push_back(frame);
        if last {
            return End::Reached;
        }
        if began.elapsed() >= TIME_MAX {
            return End::Open;
        }
    }
    End::Open
}
