//! The answer of a layer that may refuse a call.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Response;
use pin_project_lite::pin_project;
use tonic::Status;

pin_project! {
    /// The response to a call that was refused, or passed on.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Outcome<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = StateProjection]
    enum State<F> {
        Refused { status: Option<Box<Status>> },
        Passed { #[pin] future: F },
    }
}

impl<F> Outcome<F> {
    pub(super) fn refused(status: Status) -> Self {
        Self { state: State::Refused { status: Some(Box::new(status)) } }
    }

    pub(super) fn passed(future: F) -> Self {
        Self { state: State::Passed { future } }
    }
}

impl<F, R, E> Future for Outcome<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Default,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Refused { status } => {
                let status = status.take().expect("a future is not polled after its end");
                Poll::Ready(Ok(status.into_http()))
            }
            StateProjection::Passed { future } => future.poll(cx),
        }
    }
}
