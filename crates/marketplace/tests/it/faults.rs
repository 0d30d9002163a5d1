//! Methods of the service that can be made to fail, each by itself; and how often each is called.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};

use crate::shop::PAGE_TIMEOUT;

/// What becomes of the calls of a method.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// They are refused, and nothing is done.
    Refused(Code),
    /// They are done, and the answer is lost.
    Lost,
    /// They are answered by a service that cannot read its store: the answer says `stale`.
    Stale,
}

/// What the shop asks for every half a minute, whoever looks at a page meanwhile.
const RENEWED: [&str; 2] = ["ListCategories", "ListBooks"];

/// `stale: true` as protobuf writes it: field 5 in `RecommendPageResponse` and in
/// `GetBookResponse`.
const STALE: [u8; 2] = [5 << 3, 1];

/// The bytes before a message: whether it is packed, and its length.
const PREFIX_BYTES: usize = 5;

/// What becomes of calls; a clone is the same.
#[derive(Clone, Default)]
pub(crate) struct Faults(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    faults: BTreeMap<&'static str, Fault>,
    counts: BTreeMap<String, usize>,
    /// Calls that no page waits for.
    renewals: usize,
}

impl Faults {
    /// Makes a method fail, by its name.
    pub(crate) fn set(&self, method: &'static str, fault: Fault) {
        self.0.lock().unwrap().faults.insert(method, fault);
    }

    /// Ends all faults.
    pub(crate) fn end(&self) {
        self.0.lock().unwrap().faults.clear();
    }

    /// How often a method was called.
    pub(crate) fn count(&self, method: &str) -> usize {
        self.0.lock().unwrap().counts.get(method).copied().unwrap_or_default()
    }

    /// How often any method was called because of a page.
    pub(crate) fn count_of_pages(&self) -> usize {
        let state = self.0.lock().unwrap();
        state.counts.values().sum::<usize>() - state.renewals
    }

    fn meet(&self, path: &str, headers: &HeaderMap) -> Option<Fault> {
        let method = path.rsplit('/').next().unwrap();
        let mut state = self.0.lock().unwrap();
        *state.counts.entry(method.to_owned()).or_default() += 1;
        let is_of_page = time_left(headers).is_some_and(|left| left <= PAGE_TIMEOUT);
        state.renewals += usize::from(RENEWED.contains(&method) && !is_of_page);
        state.faults.get(method).copied()
    }
}

impl<S> Layer<S> for Faults {
    type Service = Faulty<S>;

    fn layer(&self, inner: S) -> Faulty<S> {
        Faulty { inner, faults: self.clone() }
    }
}

/// A service with faults before it.
#[derive(Clone)]
pub(crate) struct Faulty<S> {
    inner: S,
    faults: Faults,
}

impl<S, B> Service<Request<B>> for Faulty<S>
where
    S: Service<Request<B>, Response = Response<Body>, Error: Send, Future: Send + 'static>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let failed = |code| Ok(Status::new(code, "a fault of the test").into_http());
        match self.faults.meet(request.uri().path(), request.headers()) {
            None => Box::pin(self.inner.call(request)),
            Some(Fault::Refused(code)) => Box::pin(async move { failed(code) }),
            Some(Fault::Stale) => {
                let answer = self.inner.call(request);
                Box::pin(async move {
                    let answer = answer.await?;
                    Ok(stale(answer).await)
                })
            }
            Some(Fault::Lost) => {
                let answer = self.inner.call(request);
                Box::pin(async move {
                    answer.await?;
                    failed(Code::Unavailable)
                })
            }
        }
    }
}

/// How long a call may take, as gRPC writes it: a number and its unit.
fn time_left(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().unwrap();
    let (number, unit) = text.split_at(text.len() - 1);
    let number = number.parse().unwrap();
    Some(match unit {
        "n" => Duration::from_nanos(number),
        "u" => Duration::from_micros(number),
        "m" => Duration::from_millis(number),
        _ => Duration::from_secs(number),
    })
}

async fn stale(answer: Response<Body>) -> Response<Body> {
    let (parts, body) = answer.into_parts();
    let body = body.collect().await.unwrap();
    let trailers = body.trailers().cloned();
    let mut bytes = body.to_bytes().to_vec();
    bytes.extend(STALE);
    let length = u32::try_from(bytes.len() - PREFIX_BYTES).unwrap();
    bytes[1..PREFIX_BYTES].copy_from_slice(&length.to_be_bytes());
    let body = Full::from(bytes).with_trailers(async { trailers.map(Ok) });
    Response::from_parts(parts, Body::new(body))
}
