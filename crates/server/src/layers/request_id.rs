//! Names every call, so that a client's complaint finds its line in the log.

use std::collections::hash_map::RandomState;
use std::future::Future;
use std::hash::{BuildHasher, Hasher};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use http::{HeaderName, HeaderValue, Request, Response};
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use super::Call;
use crate::methods::Method;

/// The header that names a call, in both directions.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest name that is taken over from a client.
const LEN_MAX: usize = 64;

/// Makes names that no other process makes: a random number and a count.
#[derive(Debug)]
struct Names {
    process: u64,
    count: AtomicU64,
}

/// A [`tower` layer](Layer) that names each call by the client's `x-request-id`, if that is one to
/// 64 letters, digits, `.`, `_` or `-`, else by a new name. The response carries it.
#[derive(Clone, Debug)]
pub struct RequestIdLayer {
    names: Arc<Names>,
}

impl RequestIdLayer {
    /// A layer with names of its own.
    #[must_use]
    pub fn new() -> Self {
        // Random keys, from the system: enough for a name that is no secret.
        let process = RandomState::new().build_hasher().finish();
        let names = Names { process, count: AtomicU64::new(0) };
        Self { names: Arc::new(names) }
    }
}

impl Default for RequestIdLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for RequestIdLayer {
    type Service = RequestId<S>;

    fn layer(&self, inner: S) -> RequestId<S> {
        RequestId { names: Arc::clone(&self.names), inner }
    }
}

/// A service whose calls have names. Made by [`RequestIdLayer`].
#[derive(Clone, Debug)]
pub struct RequestId<S> {
    names: Arc<Names>,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for RequestId<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Naming<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let given = request.headers().get(REQUEST_ID).filter(|name| is_fine(name.as_bytes()));
        let name = given.cloned().unwrap_or_else(|| self.names.next());
        let call = Call::new(Method::find(request.uri().path()), name);
        request.extensions_mut().insert(call.clone());
        Naming { future: self.inner.call(request), call }
    }
}

impl Names {
    fn next(&self) -> HeaderValue {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let name = format!("{:016x}-{count:x}", self.process);
        HeaderValue::try_from(name).expect("hexadecimal digits are fine in a header")
    }
}

fn is_fine(name: &[u8]) -> bool {
    let is_fine = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    (1..=LEN_MAX).contains(&name.len()) && name.iter().all(is_fine)
}

pin_project! {
    /// The response to a call that has a name.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Naming<F> {
        #[pin]
        future: F,
        call: Call,
    }
}

impl<F, R, E> Future for Naming<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.future.poll(cx))?;
        response.headers_mut().insert(REQUEST_ID, this.call.request_id_header());
        Poll::Ready(Ok(response))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_clients_are_taken_over_if_a_log_can_hold_them() {
        for fine in ["a", "3fa9-0.B_c", &"x".repeat(64)] {
            assert!(is_fine(fine.as_bytes()), "{fine}");
        }
        for bad in ["", "a b", "a\"b", "ä", "a\u{1b}[31m", &"x".repeat(65)] {
            assert!(!is_fine(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn every_new_name_is_another_one() {
        let (one, other) = (RequestIdLayer::new(), RequestIdLayer::new());
        let names = [one.names.next(), one.names.next(), other.names.next()];
        assert!(names.iter().all(|name| is_fine(name.as_bytes())), "{names:?}");
        assert!(names[0] != names[1] && names[1] != names[2], "{names:?}");
    }
}
