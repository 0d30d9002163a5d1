//! The pump: a job that polls a body and sends its frames to the transport.

use std::future::poll_fn;
use std::pin::Pin;

use bytes::Bytes;
use http_body::Frame;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::into_bytes;
use crate::layer::BoxError;

/// A body that is always ready lets other jobs run after so many frames.
const FRAMES_A_POLL: usize = 32;

/// How far a pump got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pumped {
    /// All was sent, or nobody wants the rest.
    ToTheEnd,
    /// The deadline came first.
    ToTheDeadline,
}

/// Pumps a body until it ends, or until the deadline.
pub(super) async fn pump<R>(
    body: Pin<Box<R>>,
    frames: mpsc::Sender<Result<Frame<Bytes>, BoxError>>,
    deadline: Option<Instant>,
) -> Pumped
where
    R: http_body::Body,
    R::Error: Into<BoxError>,
{
    let to_the_end = pump_all(body, frames);
    match deadline {
        None => to_the_end.await,
        Some(deadline) => match timeout_at(deadline, to_the_end).await {
            Ok(()) => {}
            Err(_) => return Pumped::ToTheDeadline,
        },
    }
    Pumped::ToTheEnd
}

async fn pump_all<R>(mut body: Pin<Box<R>>, frames: mpsc::Sender<Result<Frame<Bytes>, BoxError>>)
where
    R: http_body::Body,
    R::Error: Into<BoxError>,
{
    let mut sent = 0;
    // First the room, then the frame: the body does not run ahead of the client.
    while let Ok(room) = frames.reserve().await {
        match poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
            None => return,
            Some(Err(error)) => return room.send(Err(error.into())),
            Some(Ok(frame)) => room.send(Ok(into_bytes(frame))),
        }
        sent += 1;
        if sent % FRAMES_A_POLL == 0 {
            // Lets the jobs that wait go first.
            tokio::task::yield_now().await;
        }
    }
}
