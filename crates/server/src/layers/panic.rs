//! Panics in layers: the call is answered `INTERNAL`, and the layers around count and log it.
//!
//! A handler's panic never comes here: `unstall` has answered it.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use crate::grpc::status;

/// A [`tower` layer](Layer) that answers for a service that panics. The text of the panic is not
/// sent: it went to the panic hook, which logs it from
/// [`log::start_to`](crate::telemetry::log::start_to) on.
#[derive(Clone, Copy, Debug)]
pub struct PanicLayer;

impl<S> Layer<S> for PanicLayer {
    type Service = CatchPanic<S>;

    fn layer(&self, inner: S) -> CatchPanic<S> {
        CatchPanic { inner }
    }
}

/// A service whose panics cost one call. Made by [`PanicLayer`].
#[derive(Clone, Debug)]
pub struct CatchPanic<S> {
    inner: S,
}

impl<S, B, R> Service<Request<B>> for CatchPanic<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Default,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Catching<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let called = catch_unwind(AssertUnwindSafe(|| self.inner.call(request)));
        Catching { future: called.ok() }
    }
}

pin_project! {
    /// The response of a service that may panic.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Catching<F> {
        // None after a panic.
        #[pin]
        future: Option<F>,
    }
}

impl<F, R, E> Future for Catching<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Default,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(future) = this.future.as_mut().as_pin_mut() {
            // What has panicked is dropped and not asked again.
            match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
                Ok(polled) => return polled,
                Err(_) => this.future.set(None),
            }
        }
        Poll::Ready(Ok(status::panicked().into_http()))
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::task::Waker;

    use tonic::Code;

    use super::*;

    fn answer<F>(future: F) -> Response<()>
    where
        F: Future<Output = Result<Response<()>, Infallible>>,
    {
        let future = std::pin::pin!(future);
        match future.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(response)) => response,
            Poll::Pending => panic!("it is ready"),
        }
    }

    async fn panics_later(_: Request<()>) -> Result<Response<()>, Infallible> {
        panic!("the password is 1234")
    }

    fn panics_at_once(_: Request<()>) -> std::future::Ready<Result<Response<()>, Infallible>> {
        panic!("the password is 1234")
    }

    fn check(response: &Response<()>) {
        let status = tonic::Status::from_header_map(response.headers()).unwrap();
        assert_eq!(status.code(), Code::Internal);
        assert!(!format!("{response:?}").contains("1234"), "{response:?}");
    }

    #[test]
    fn a_panic_is_one_internal_error_and_its_text_stays_here() {
        let mut later = PanicLayer.layer(tower::service_fn(panics_later));
        check(&answer(later.call(Request::new(()))));
        let mut at_once = PanicLayer.layer(tower::service_fn(panics_at_once));
        check(&answer(at_once.call(Request::new(()))));
    }
}
