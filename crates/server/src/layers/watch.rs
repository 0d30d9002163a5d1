//! How calls end: told once for each, whatever its end.
//!
//! A gRPC status comes in the headers of a response without a body, else in the trailers after
//! it. A call that is dropped before either was given up by its client, or its time was up.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{HeaderMap, Response};
use http_body::{Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::time::Instant;
use tonic::Code;

use super::Call;

/// Is told how a call ended. A type of its own, unlike a closure, can be named by a layer.
pub trait Done {
    /// The call has ended so.
    fn done(self, code: Code);
}

impl<F: FnOnce(Code)> Done for F {
    fn done(self, code: Code) {
        self(code);
    }
}

/// Tells `done` the status of a call when it has ended, the last message of its answer included.
pub fn watch<F, D: Done>(call: Call, future: F, done: D) -> Watching<F, D> {
    Watching { future, end: End { call, done: Some(done) } }
}

/// What is still to be told; dropping it tells that the call was given up.
#[derive(Debug)]
struct End<D: Done> {
    call: Call,
    done: Option<D>,
}

impl<D: Done> End<D> {
    fn tell(&mut self, code: Code) {
        if let Some(done) = self.done.take() {
            done.done(code);
        }
    }
}

impl<D: Done> Drop for End<D> {
    fn drop(&mut self) {
        let is_over = self.call.deadline().is_some_and(|deadline| deadline <= Instant::now());
        self.tell(if is_over { Code::DeadlineExceeded } else { Code::Cancelled });
    }
}

pin_project! {
    /// The response to a watched call on its way. Made by [`watch`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Watching<F, D: Done> {
        #[pin]
        future: F,
        end: End<D>,
    }
}

impl<F, D, R, E> Future for Watching<F, D>
where
    F: Future<Output = Result<Response<R>, E>>,
    D: Done,
{
    type Output = Result<Response<Watched<R, D>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = match ready!(this.future.poll(cx)) {
            Ok(response) => response,
            Err(error) => {
                this.end.tell(Code::Internal);
                return Poll::Ready(Err(error));
            }
        };
        if let Some(code) = code(response.headers()) {
            this.end.tell(code);
        }
        // Taken out, so that dropping this future tells nothing.
        let done = this.end.done.take();
        let end = done.map(|done| End { call: this.end.call.clone(), done: Some(done) });
        Poll::Ready(Ok(response.map(|body| Watched { body, end })))
    }
}

pin_project! {
    /// The body of the answer to a watched call.
    #[derive(Debug)]
    pub struct Watched<B, D: Done> {
        #[pin]
        body: B,
        end: Option<End<D>>,
    }
}

/// Of a call that nobody watches: its layer, or one below, refused it.
impl<B: Default, D: Done> Default for Watched<B, D> {
    fn default() -> Self {
        Self { body: B::default(), end: None }
    }
}

impl<B: http_body::Body, D: Done> http_body::Body for Watched<B, D> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let frame = ready!(this.body.poll_frame(cx));
        let code = match &frame {
            // A body that ends without a status has lost it.
            None => Some(Code::Unknown),
            Some(Err(_)) => Some(Code::Internal),
            Some(Ok(frame)) => {
                frame.trailers_ref().map(|trailers| code(trailers).unwrap_or(Code::Unknown))
            }
        };
        if let (Some(code), Some(end)) = (code, this.end.as_mut()) {
            end.tell(code);
            *this.end = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn code(headers: &HeaderMap) -> Option<Code> {
    headers.get("grpc-status").map(|value| Code::from_bytes(value.as_bytes()))
}
