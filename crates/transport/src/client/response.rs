//! The body of a response: ends at the call's deadline, whatever the peer does, and holds the
//! call's place until then.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Sleep;
use tonic::{Code, Status};

use super::failure;
use super::place::Place;

/// The body of a response.
#[derive(Default)]
pub struct ResponseBody {
    open: Option<Open>,
}

/// A body that has not ended.
struct Open {
    incoming: Incoming,
    deadline: Pin<Box<Sleep>>,
    place: Place,
}

impl ResponseBody {
    pub(super) fn new(incoming: Incoming, deadline: Pin<Box<Sleep>>, place: Place) -> Self {
        if incoming.is_end_stream() {
            return Self::default();
        }
        Self { open: Some(Open { incoming, deadline, place }) }
    }
}

impl Open {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.deadline.as_mut().poll(cx).is_ready() {
            let message = format!("the deadline has passed while {} answers", self.place.endpoint);
            return Poll::Ready(Some(Err(Status::deadline_exceeded(message))));
        }
        let frame = std::task::ready!(Pin::new(&mut self.incoming).poll_frame(cx));
        Poll::Ready(frame.map(|frame| {
            frame.map_err(|error| {
                let what = format!("the answer of {} broke off", self.place.endpoint);
                Status::new(failure::code(&error).unwrap_or(Code::Unavailable), what)
            })
        }))
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Some(open) = &mut self.open else { return Poll::Ready(None) };
        let polled = open.poll(cx);
        let is_over = match &polled {
            Poll::Pending => false,
            Poll::Ready(None | Some(Err(_))) => true,
            Poll::Ready(Some(Ok(frame))) => frame.is_trailers() || open.incoming.is_end_stream(),
        };
        if is_over {
            self.open = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.open.as_ref().is_none_or(|open| open.incoming.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        let open = self.open.as_ref();
        open.map_or(SizeHint::with_exact(0), |open| open.incoming.size_hint())
    }
}

impl std::fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResponseBody").field("is_open", &self.open.is_some()).finish()
    }
}
